"""Faults of pass@k."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import argument_fault, output_fault
from rlcalc.conform.forms import Arrays, Outputs


@output_fault("with-replacement", "counting", reported_in=["volcengine/verl PR #7240"])
def with_replacement(found: Outputs, arrays: Arrays) -> Outputs:
    """Draws the k samples with replacement, so that a right one may be missed though all are drawn.

    Shown when: Some, not all, are right, and k above 1.
    Cause: The draws are simulated by a bootstrap, which puts each one back.
    Fix: 1 − C(n−c, k)/C(n, k), by its product.
    Diff:
        - pass_at_k = 1 - (1 - c / n) ** k
        + pass_at_k = 1 - comb(n - c, k) / comb(n, k)
    """
    return {**found, "pass_at_k": found["with_replacement"]}


@output_fault("all-for-any", "swapped")
def all_for_any(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the chance that all k are right.

    Shown when: Some, not all, are right, and k above 1.
    Cause: pass^k and pass@k differ by one character.
    Fix: pass@k asks for one right sample.
    Diff:
        - pass_at_k = comb(c, k) / comb(n, k)
        + pass_at_k = 1 - comb(n - c, k) / comb(n, k)
    """
    return {**found, "pass_at_k": found["all_k"]}


@output_fault("share-of-right-samples", "counting")
def share_of_right_samples(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the share of right samples, which is pass@1.

    Shown when: Some, not all, are right, and k above 1.
    Cause: k is the number that was sampled, and does not reach the estimate.
    Fix: 1 − C(n−c, k)/C(n, k).
    Diff:
        - pass_at_k = c / n
        + pass_at_k = 1 - comb(n - c, k) / comb(n, k)
    """
    return {
        **found,
        "pass_at_k": np.asarray(arrays["c"]) / np.asarray(arrays["n"], float) + 0 * found["all_k"],
    }


@argument_fault("wrong-for-right", "swapped")
def wrong_for_right(arrays: Arrays) -> Arrays:
    """Counts the wrong samples.

    Shown when: Other than half of the samples are right, and not all draws hold both kinds.
    Cause: A flag of failure was summed.
    Fix: c is the number of right samples.
    Diff:
        - pass_at_k = 1 - comb(c, k) / comb(n, k)
        + pass_at_k = 1 - comb(n - c, k) / comb(n, k)
    """
    wrong: Any = np.asarray(arrays["n"]) - np.asarray(arrays["c"])
    return {"c": wrong}
