"""Faults of REINFORCE with a clipped importance weight."""

from __future__ import annotations

from rlcalc._lazy import np
from rlcalc.conform.catalogue import Arrays, Outputs, output_fault


@output_fault("clipped-tokens-dropped", "clipping")
def clipped_tokens_dropped(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives no gradient to tokens outside the bounds: the values are right.

    Shown when: A ratio outside the bounds; only the gradient shows it.
    Cause: The clip of PPO, which is constant there, in the place of a constant weight.
    Fix: Detach the clipped ratio and multiply it by A·log π.
    Diff:
        - loss = -torch.clamp(ratio, low, high) * advantages
        + loss = -torch.clamp(ratio, low, high).detach() * advantages * logp
    """
    with np.errstate(all="ignore"):
        ratio = np.exp(arrays["logp"] - arrays["old_logp"])
    outside = np.zeros(np.shape(ratio), bool)
    if arrays.get("low") is not None:
        outside = outside | (ratio < arrays["low"])
    if arrays.get("high") is not None:
        outside = outside | (ratio > arrays["high"])
    return {**found, "d_logp": np.where(outside, 0.0, found["d_logp"])}
