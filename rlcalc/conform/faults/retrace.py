"""Faults of Retrace."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import argument_fault, fault
from rlcalc.conform.forms import Arrays, Form, Outputs
from rlcalc.recurrence.scan import scan


def _targets(arrays: Arrays, ratio: Any) -> Outputs:
    """Targets with these ratios in the traces."""
    lam = 1.0 if arrays.get("lam") is None else arrays["lam"]
    errors = arrays["rewards"] + arrays["discounts"] * arrays["expected_q"] - arrays["q"]
    carried = (arrays["discounts"][..., :-1] * lam * ratio).astype(errors.dtype)
    carried = np.concatenate([carried, np.zeros_like(carried[..., :1])], -1)
    return {"targets": arrays["q"] + scan(errors, carried)}


@fault("ratios-not-cut-off", "clipping")
def ratios_not_cut_off(form: Form, /, **arrays: Any) -> Outputs:
    """Uses the ratios as they are, which is importance sampling of every later step.

    Shown when: A ratio above 1.
    Cause: The minimum with 1 was forgotten.
    Fix: c = λ min(1, π/μ).
    Diff:
        - c = lam * torch.exp(log_rhos)
        + c = lam * torch.exp(log_rhos).clamp(max=1)
    """
    with np.errstate(all="ignore"):
        return _targets(arrays, np.exp(arrays["log_rhos"]))


@argument_fault("lambda-ignored", "ignored")
def lambda_ignored(arrays: Arrays) -> Arrays:
    """Takes λ to be 1.

    Shown when: λ below 1 and two steps or more.
    Cause: The option is accepted and never used.
    Fix: Multiply the cut-off ratios by λ.
    Diff:
        - c = torch.exp(log_rhos).clamp(max=1)
        + c = lam * torch.exp(log_rhos).clamp(max=1)
    """
    return {"lam": 1.0}


@argument_fault("ratios-ignored", "ignored")
def ratios_ignored(arrays: Arrays) -> Arrays:
    """Takes the steps for the policy's own.

    Shown when: A ratio below 1.
    Cause: The log-probabilities of the time of acting were not kept.
    Fix: c = λ min(1, π/μ).
    Diff:
        - c = lam
        + c = lam * torch.exp(log_rhos).clamp(max=1)
    """
    return {"log_rhos": np.zeros_like(arrays["log_rhos"])}


@fault("correction-never-carried", "ignored", reported_in=["acyclics/MPO issue #1"])
def correction_never_carried(form: Form, /, **arrays: Any) -> Outputs:
    """Gives one-step targets: what the steps behind would correct is computed and not read.

    Shown when: Two steps with ratios and λ above 0, and an error at a later one.
    Cause: The recursion writes into one array, and the next line reads another.
    Fix: The row before reads the target that was just made.
    Diff:
        - targets[t] = r[t] + discount[t] * v_next[t]
        + targets[t] = r[t] + discount[t] * (v_next[t] + c[t + 1] * (targets[t + 1] - q[t + 1]))
    """
    return _targets(arrays, np.zeros_like(arrays["log_rhos"]))
