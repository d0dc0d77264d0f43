"""Faults of REINFORCE with a clipped importance weight."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Outputs, argument_fault, output_fault


def _ratio(arrays: Arrays) -> Any:
    with np.errstate(all="ignore"):
        return np.exp(arrays["logp"] - arrays["old_logp"])


def _outside(arrays: Arrays) -> Any:
    """Whether a ratio is outside the bounds."""
    ratio = _ratio(arrays)
    outside = np.zeros(np.shape(ratio), bool)
    if arrays.get("low") is not None:
        outside = outside | (ratio < arrays["low"])
    if arrays.get("high") is not None:
        outside = outside | (ratio > arrays["high"])
    return outside


def _through_the_ratio(arrays: Arrays, slope: Any) -> Any:
    """A derivative that autograd takes through the exponential: where that is infinite, 0 · ∞."""
    return np.where(np.isinf(_ratio(arrays)), np.nan, slope).astype(slope.dtype)


@output_fault("clipping")
def clipped_tokens_dropped(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives no gradient to tokens outside the bounds: the values are right.

    Shown when: A ratio outside the bounds; only the gradient shows it.
    Cause: PPO teaches nothing there, and its mask of clipped tokens was kept.
    Fix: Detach the clipped ratio alone, and let every log π keep its gradient.
    - loss = -weight * advantages * torch.where(clipped, logp.detach(), logp)
    + loss = -weight * advantages * logp
    """
    slope = np.where(_outside(arrays), found["d_logp"].dtype.type(0), found["d_logp"])
    return {**found, "d_logp": _through_the_ratio(arrays, slope)}


@output_fault("logarithm", "allenai/open-instruct PR #1269")
def logarithm_missing(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives −w·A: the clipped ratio itself, which is constant outside the bounds.

    Shown when: A token whose probability is not 1/e; by the gradient, a ratio outside the bounds.
    Cause: One of the two products of PPO was kept, and its minimum was dropped.
    Fix: Detach the clipped ratio and multiply it by A·log π.
    - loss = -torch.clamp(ratio, low, high) * advantages
    + loss = -torch.clamp(ratio, low, high).detach() * advantages * logp
    """
    slope = np.where(_outside(arrays), found["d_logp"].dtype.type(0), found["d_logp"])
    return {**found, "losses": found["d_logp"], "d_logp": _through_the_ratio(arrays, slope)}


@output_fault("ignored")
def weight_not_detached(found: Outputs, arrays: Arrays) -> Outputs:
    """Lets the gradient go through the weight: within the bounds it is −w·A·(1 + log π).

    Shown when: A ratio within the bounds, and a token that is not certain; only the gradient shows it.
    Cause: The weight is part of the graph, since the ratio is.
    Fix: Detach the clipped ratio.
    - loss = -torch.clamp(ratio, low, high) * advantages * logp
    + loss = -torch.clamp(ratio, low, high).detach() * advantages * logp
    """
    slope = np.where(_outside(arrays), found["d_logp"], found["d_logp"] + found["losses"])
    return {**found, "d_logp": _through_the_ratio(arrays, slope)}


@argument_fault("clipping")
def bounds_read_as_widths(arrays: Arrays) -> Arrays:
    """Clips to 1 − low and 1 + high, where low and high are bounds of the ratio themselves.

    Shown when: A ratio that one reading clips and the other does not.
    Cause: PPO's ε is a width, and the option has its name.
    Fix: Say which it is: 0.2 as an upper bound makes every weight 0.2.
    - weight = torch.clamp(ratio, 1 - low, 1 + high)
    + weight = torch.clamp(ratio, low, high)
    """
    low, high = arrays.get("low"), arrays.get("high")
    return {
        "low": None if low is None else np.maximum(1 - low, 0),
        "high": None if high is None else 1 + high,
    }
