"""Faults of the clipped surrogate of three policies."""

from __future__ import annotations

from rlcalc._lazy import np
from rlcalc.conform.fault import argument_fault, output_fault
from rlcalc.conform.forms import Arrays, Outputs


@output_fault("ratio-applied-twice", "weighting", reported_in=["PufferAI/PufferLib issue #306"])
def ratio_applied_twice(found: Outputs, arrays: Arrays) -> Outputs:
    """Multiplies by the weight of the behaviour policy twice.

    Shown when: A weight other than 0 and 1.
    Cause: The advantages hold the weight already, from V-trace say, and the loss multiplies once more.
    Fix: Weigh in one place.
    Diff:
        - objective = weight * torch.min(ratio * (weight * adv), clipped * (weight * adv))
        + objective = weight * torch.min(ratio * adv, clipped * adv)
    """
    weights = found["weights"]
    return {**found, "objective": found["objective"] * weights, "d_logp": found["d_logp"] * weights}


@argument_fault("behaviour-ignored", "ignored")
def behaviour_ignored(arrays: Arrays) -> Arrays:
    """Takes the proximal policy for the one that sampled: plain PPO.

    Shown when: A behaviour policy other than the proximal one.
    Cause: Decoupling is an option that is off by default.
    Fix: Multiply by π_prox/μ, as a constant.
    Diff:
        - objective = torch.min(ratio * adv, clipped * adv)
        + objective = weight * torch.min(ratio * adv, clipped * adv)
    """
    return {"behav_logp": arrays["prox_logp"] + np.zeros_like(arrays["behav_logp"])}


@argument_fault("proximal-ignored", "swapped")
def proximal_ignored(arrays: Arrays) -> Arrays:
    """Clips about the policy that sampled, however old it is.

    Shown when: A behaviour policy other than the proximal one, and a policy that has moved.
    Cause: One set of old log-probabilities is kept, that of the engine.
    Fix: Compute those of the proximal policy before the first step, and clip about them.
    Diff:
        - ratio = torch.exp(logp - behav_logp)
        + ratio = torch.exp(logp - prox_logp)
    """
    return {"prox_logp": arrays["behav_logp"] + np.zeros_like(arrays["prox_logp"])}


@argument_fault("cap-ignored", "clipping")
def cap_ignored(arrays: Arrays) -> Arrays:
    """Lets a weight be as large as it is.

    Shown when: A cap, and a weight above it.
    Cause: The cap is applied to a metric.
    Fix: Truncate the weight, or drop the token.
    Diff:
        - weight = torch.exp(prox_logp - behav_logp)
        + weight = torch.exp(prox_logp - behav_logp).clamp(max=cap)
    """
    return {"cap": None}
