"""Faults of the weights for tokens that another engine sampled."""

from __future__ import annotations

from rlcalc.conform.catalogue import Arrays, argument_fault


@argument_fault("bounds-inverted", "clipping", reported_in=["volcengine/verl PR #6377"])
def bounds_inverted(arrays: Arrays) -> Arrays:
    """Drops by the reciprocal of the ratio, with the bounds of the ratio.

    Shown when: The action mask, with bounds that are not each other's reciprocals.
    Cause: The statistic is an estimate of KL, −log w, and the bounds are the logarithms of those of w.
    Fix: Compare log w, or exchange the bounds and their signs.
    Diff:
        - keep = (-log_ratio >= log(low)) & (-log_ratio <= log(high))
        + keep = (log_ratio >= log(low)) & (log_ratio <= log(high))
    """
    if arrays.get("action") != "mask":
        return {}
    low, high = arrays.get("low"), arrays.get("high")
    return {
        "low": None if high is None else 1 / high,
        "high": None if low is None or low == 0 else 1 / low,
    }
