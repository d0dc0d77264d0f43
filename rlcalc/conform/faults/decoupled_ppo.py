"""Faults of the clipped surrogate of three policies."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, output_fault, sets
from rlcalc.conform.faults import _widths

widths_exchanged = _widths.widths_exchanged


@output_fault("weighting", "PufferAI/PufferLib issue #306")
def ratio_applied_twice(found: Outputs, arrays: Arrays) -> Outputs:
    """Multiplies by the weight of the behaviour policy twice.

    Shown when: A weight other than 0 and 1.
    Cause: The advantages hold the weight already, from V-trace say, and the loss multiplies once more.
    Fix: Weigh in one place.
    - objective = weight * torch.min(ratio * (weight * adv), clipped * (weight * adv))
    + objective = weight * torch.min(ratio * adv, clipped * adv)
    """
    weights = found["weights"]
    return {**found, "objective": found["objective"] * weights, "d_logp": found["d_logp"] * weights}


@fault("swapped", "THUDM/slime PR #179")
def weight_of_the_current_policy(form: Form, /, **arrays: Any) -> Outputs:
    """Weighs with the policy that is being trained, not with the one before the update.

    Shown when: A policy that has moved from the proximal one.
    Cause: The log-probabilities of the trainer that are at hand are those of the current pass.
    Fix: The weight is that of the proximal policy; the ratio holds what moved since.
    - weight = torch.exp(logp.detach() - behav_logp)
    + weight = torch.exp(prox_logp - behav_logp)
    """
    weights = form(**{**arrays, "prox_logp": arrays["logp"]})["weights"]
    plain = form(**{**arrays, "behav_logp": arrays["prox_logp"], "cap": None})
    return {
        "objective": plain["objective"] * weights,
        "d_logp": plain["d_logp"] * weights,
        "weights": weights,
    }


@argument_fault("ignored")
def behaviour_ignored(arrays: Arrays) -> Arrays:
    """Takes the proximal policy for the one that sampled: plain PPO.

    Shown when: A behaviour policy other than the proximal one.
    Cause: Decoupling is an option that is off by default.
    Fix: Multiply by π_prox/μ, as a constant.
    - objective = torch.min(ratio * adv, clipped * adv)
    + objective = weight * torch.min(ratio * adv, clipped * adv)
    """
    return {"behav_logp": arrays["prox_logp"] + np.zeros_like(arrays["behav_logp"])}


@argument_fault("swapped")
def proximal_ignored(arrays: Arrays) -> Arrays:
    """Clips about the policy that sampled, however old it is.

    Shown when: A behaviour policy other than the proximal one, and a policy that has moved.
    Cause: One set of old log-probabilities is kept, that of the engine.
    Fix: Compute those of the proximal policy before the first step, and clip about them.
    - ratio = torch.exp(logp - behav_logp)
    + ratio = torch.exp(logp - prox_logp)
    """
    return {"prox_logp": arrays["behav_logp"] + np.zeros_like(arrays["prox_logp"])}


@sets("clipping", cap=None)
def cap_ignored() -> None:
    """Lets a weight be as large as it is.

    Shown when: A cap, and a weight above it.
    Cause: The cap is applied to a metric.
    Fix: Truncate the weight, or drop the token.
    - weight = torch.exp(prox_logp - behav_logp)
    + weight = torch.exp(prox_logp - behav_logp).clamp(max=cap)
    """
