"""Whether two calls did the same, as a fault and a target that has it do."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.outcome import Outcome

# relative to the larger of the answer and the inputs; what another order of summation may cost.
# "rounded" is what float32 costs somewhere on the way, over the 64 steps of the longest vector
LARGEST = 1e6  # of inputs beside which answers may be lost
CLOSE = {"float64": 1e-8, "float32": 1e-4, "rounded": 4e-6}


def outcomes_equal(left: Outcome, right: Outcome, scale: float, tolerance: float = CLOSE["float64"]) -> bool:
    """Both refuse, or both answer alike in every output that both give."""
    if left.kind != right.kind:
        return False
    if left.kind != "answer":
        return True
    common = left.outputs.keys() & right.outputs.keys()
    return bool(common) and all(
        all_close(left.outputs[name], right.outputs[name], scale, tolerance) for name in common
    )


def all_close(left: Any, right: Any, scale: float, tolerance: float) -> bool:
    """Equal shapes and entries; nan equals nan, infinity itself."""
    if left.shape != right.shape:
        return False
    left, right = left.astype(np.float64), right.astype(np.float64)
    # inputs that are all 0 say nothing about what is small
    size = np.maximum(np.maximum(np.abs(left), np.abs(right)), min(scale, LARGEST) or 1.0)
    with np.errstate(all="ignore"):
        near = np.abs(left - right) <= tolerance * size
    odd = ~np.isfinite(left) | ~np.isfinite(right)
    alike = np.where(odd, (left == right) | (np.isnan(left) & np.isnan(right)), near)
    return bool(alike.all())
