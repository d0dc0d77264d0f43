"""Faults of Retrace."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, given, sets
from rlcalc.conform.faults import vtrace
from rlcalc.recurrence.scan import scan

ratios_ignored = vtrace.ratios_ignored


def _targets(arrays: Arrays, ratio: Any) -> Outputs:
    """Targets with these ratios in the traces."""
    lam = given(arrays, "lam", 1.0)
    errors = arrays["rewards"] + arrays["discounts"] * arrays["expected_q"] - arrays["q"]
    carried = (arrays["discounts"][..., :-1] * lam * ratio).astype(errors.dtype)
    carried = np.concatenate([carried, np.zeros_like(carried[..., :1])], -1)
    return {"targets": arrays["q"] + scan(errors, carried)}


@fault("clipping")
def ratios_not_cut_off(form: Form, /, **arrays: Any) -> Outputs:
    """Uses the ratios as they are, which is importance sampling of every later step.

    Shown when: A ratio above 1.
    Cause: The minimum with 1 was forgotten.
    Fix: c = λ min(1, π/μ).
    - c = lam * torch.exp(log_rhos)
    + c = lam * torch.exp(log_rhos).clamp(max=1)
    """
    with np.errstate(all="ignore"):
        return _targets(arrays, np.exp(arrays["log_rhos"]))


@argument_fault("indexing")
def ratio_of_own_step(arrays: Arrays) -> Arrays:
    """Cuts what the next step corrects by the ratio of the step itself, not by that of the next one.

    Shown when: Three steps or more with ratios of which one is below 1, or a first ratio that is.
    Cause: All arrays are read at one index; the action of a step is given, and needs no correction.
    Fix: c of the step whose target is carried back.
    - targets[t] = r[t] + discount[t] * (v_next[t] + c[t] * (targets[t + 1] - q[t + 1]))
    + targets[t] = r[t] + discount[t] * (v_next[t] + c[t + 1] * (targets[t + 1] - q[t + 1]))
    """
    logs = arrays["log_rhos"]
    return {"log_rhos": np.concatenate([np.zeros_like(logs[..., :1]), logs[..., :-1]], -1)}


@sets("ignored", lam=1.0)
def lambda_ignored() -> None:
    """Takes λ to be 1.

    Shown when: λ below 1 and two steps or more.
    Cause: The option is accepted and never used.
    Fix: Multiply the cut-off ratios by λ.
    - c = torch.exp(log_rhos).clamp(max=1)
    + c = lam * torch.exp(log_rhos).clamp(max=1)
    """


@fault("ignored", "acyclics/MPO issue #1")
def correction_never_carried(form: Form, /, **arrays: Any) -> Outputs:
    """Gives one-step targets: what the steps behind would correct is computed and not read.

    Shown when: Two steps with ratios and λ above 0, and an error at a later one.
    Cause: The recursion writes into one array, and the next line reads another.
    Fix: The row before reads the target that was just made.
    - targets[t] = r[t] + discount[t] * v_next[t]
    + targets[t] = r[t] + discount[t] * (v_next[t] + c[t + 1] * (targets[t + 1] - q[t + 1]))
    """
    return _targets(arrays, np.zeros_like(arrays["log_rhos"]))
