"""Faults of pass@k."""

from __future__ import annotations

from collections.abc import Callable
from math import comb, prod
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Outputs, argument_fault, output_fault


@output_fault("counting", "volcengine/verl PR #7240")
def with_replacement(found: Outputs, arrays: Arrays) -> Outputs:
    """Draws the k samples with replacement, so that a right one may be missed though all are drawn.

    Shown when: Some, not all, are right, and k above 1.
    Cause: The draws are simulated by a bootstrap, which puts each one back.
    Fix: 1 − C(n−c, k)/C(n, k), by its product.
    - pass_at_k = 1 - (1 - c / n) ** k
    + pass_at_k = 1 - comb(n - c, k) / comb(n, k)
    """
    return {**found, "pass_at_k": found["with_replacement"]}


@output_fault("swapped")
def all_for_any(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the chance that all k are right.

    Shown when: Some, not all, are right, and k above 1.
    Cause: pass^k and pass@k differ by one character.
    Fix: pass@k asks for one right sample.
    - pass_at_k = comb(c, k) / comb(n, k)
    + pass_at_k = 1 - comb(n - c, k) / comb(n, k)
    """
    return {**found, "pass_at_k": found["all_k"]}


@output_fault("counting", "confident-ai/deepeval PR #2967", "confident-ai/deepeval PR #3272")
def any_right_sample_counts_whole(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives 1 as soon as one sample is right, which is pass@n.

    Shown when: Some samples are right, and more are wrong than are drawn.
    Cause: The estimate is asked whether it is true, and every chance above 0 is.
    Fix: Average the estimates themselves over the problems.
    - solved += 1 if pass_at_k else 0
    + solved += pass_at_k
    """
    right = np.asarray(arrays["c"]) > 0
    return {**found, "pass_at_k": right + 0 * np.asarray(found["pass_at_k"])}


@output_fault("counting")
def share_of_right_samples(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the share of right samples, which is pass@1.

    Shown when: Some, not all, are right, and k above 1.
    Cause: k is the number that was sampled, and does not reach the estimate.
    Fix: 1 − C(n−c, k)/C(n, k).
    - pass_at_k = c / n
    + pass_at_k = 1 - comb(n - c, k) / comb(n, k)
    """
    return {
        **found,
        "pass_at_k": np.asarray(arrays["c"]) / np.asarray(arrays["n"], float) + 0 * found["all_k"],
    }


@argument_fault("swapped")
def wrong_for_right(arrays: Arrays) -> Arrays:
    """Counts the wrong samples.

    Shown when: Other than half of the samples are right, and not all draws hold both kinds.
    Cause: A flag of failure was summed.
    Fix: c is the number of right samples.
    - pass_at_k = 1 - comb(c, k) / comb(n, k)
    + pass_at_k = 1 - comb(n - c, k) / comb(n, k)
    """
    wrong: Any = np.asarray(arrays["n"]) - np.asarray(arrays["c"])
    return {"c": wrong}


@output_fault("swapped")
def complement_forgotten(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the chance that all k are wrong, but 1 where fewer are wrong than are drawn.

    Shown when: More samples are wrong than are drawn.
    Cause: The 1 − in front of the product is lost; the line for the certain case above it is not.
    Fix: 1 − the product.
    - return np.prod(1 - k / np.arange(n - c + 1, n + 1))
    + return 1 - np.prod(1 - k / np.arange(n - c + 1, n + 1))
    """
    value = np.asarray(found["pass_at_k"])
    return {**found, "pass_at_k": np.where(_certain(arrays), 1, 1 - value)}


@output_fault("counting")
def replaced_unless_certain(found: Outputs, arrays: Arrays) -> Outputs:
    """Draws with replacement, but gives 1 where fewer samples are wrong than are drawn.

    Shown when: Some samples are right, and as many are wrong as are drawn, above 1.
    Cause: The line for the certain case is that of the estimate without bias, the other one the textbook's.
    Fix: 1 − C(n−c, k)/C(n, k), by its product.
    - return 1 - (1 - c / n) ** k
    + return 1 - np.prod(1 - k / np.arange(n - c + 1, n + 1))
    """
    drawn = np.asarray(found["with_replacement"])
    return {**found, "pass_at_k": np.where(_certain(arrays), 1, drawn)}


@output_fault("indexing")
def certain_one_early(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives 1 where as many samples are wrong as are drawn: all k may be wrong there.

    Shown when: Exactly as many samples are wrong as are drawn.
    Cause: The comparison of the certain case is that with "or equal".
    Fix: It is certain where fewer are wrong than are drawn.
    - if n - c <= k:
    + if n - c < k:
          return 1.0
    """
    return {**found, "pass_at_k": np.where(_certain(arrays, 1), 1, np.asarray(found["pass_at_k"]))}


def _certain(arrays: Arrays, more: int = 0) -> Any:
    """Whether fewer samples are wrong than are drawn, or than one more."""
    wrong: Any = np.asarray(arrays["n"]) - np.asarray(arrays["c"])
    return wrong < np.asarray(arrays["k"]) + more


def _of(arrays: Arrays, chance: Callable[[int, int, int], float]) -> Any:
    """An estimate of each problem by itself, from n, c and k."""
    n, c, k = np.broadcast_arrays(*(np.asarray(arrays[name]) for name in ("n", "c", "k")))
    found = [chance(*map(int, one)) for one in zip(n.flat, c.flat, k.flat, strict=True)]
    return np.array(found, float).reshape(n.shape)


@output_fault("counting")
def one_draw_short(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives pass@(k − 1): one sample less is drawn than is asked for.

    Shown when: Some samples are right, and the chance of none in k − 1 draws is above 0.
    Cause: k was taken for an index from 0.
    Fix: 1 − C(n−c, k)/C(n, k).
    - pass_at_k = 1 - comb(n - c, k - 1) / comb(n, k - 1)
    + pass_at_k = 1 - comb(n - c, k) / comb(n, k)
    """
    less = _of(arrays, lambda n, c, k: 1 - comb(n - c, k - 1) / comb(n, k - 1))
    return {**found, "pass_at_k": less}


@output_fault("counting")
def one_draw_short_above(found: Outputs, arrays: Arrays) -> Outputs:
    """Counts the wrong draws of k − 1 samples, and divides by all draws of k: often below 0.

    Shown when: Nearly every input.
    Cause: One of the two binomials was written with k − 1.
    Fix: 1 − C(n−c, k)/C(n, k).
    - pass_at_k = 1 - comb(n - c, k - 1) / comb(n, k)
    + pass_at_k = 1 - comb(n - c, k) / comb(n, k)
    """
    return {**found, "pass_at_k": _of(arrays, lambda n, c, k: 1 - comb(n - c, k - 1) / comb(n, k))}


@output_fault("indexing")
def product_with_one_factor_more(found: Outputs, arrays: Arrays) -> Outputs:
    """Begins the product at n − c, one factor early: the estimate is too high.

    Shown when: At least as many samples are wrong as are drawn.
    Cause: The bounds of the range are those of the formula, which counts from n − c + 1.
    Fix: The factors 1 − k/i run from i = n − c + 1 to n.
    - return 1 - np.prod(1 - k / np.arange(n - c, n + 1))
    + return 1 - np.prod(1 - k / np.arange(n - c + 1, n + 1))
    """
    return {**found, "pass_at_k": _of(arrays, lambda n, c, k: _product(n - c, n, k) if n - c >= k else 1)}


@output_fault("indexing")
def product_without_its_last_factor(found: Outputs, arrays: Arrays) -> Outputs:
    """Ends the product at n − 1, one factor early: the estimate is too low.

    Shown when: Some samples are right, and at least as many are wrong as are drawn.
    Cause: The end of a range is not part of it.
    Fix: The factors 1 − k/i run from i = n − c + 1 to n.
    - return 1 - np.prod(1 - k / np.arange(n - c + 1, n))
    + return 1 - np.prod(1 - k / np.arange(n - c + 1, n + 1))
    """
    return {
        **found,
        "pass_at_k": _of(arrays, lambda n, c, k: _product(n - c + 1, n - 1, k) if n - c >= k else 1),
    }


def _product(first: int, last: int, k: int) -> float:
    """1 less the product of 1 − k/i over i from the first to the last."""
    return 1 - prod(1 - k / i for i in range(max(first, 1), last + 1))
