"""What faults of formulas with a mask have in common."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.forms import Arrays


def mask_of(arrays: Arrays, name: str) -> Any:
    """The mask as booleans in the shape of another input; all of it where none is given."""
    like = np.asarray(arrays[name])
    mask = arrays.get("mask")
    flags = np.ones(like.shape, bool) if mask is None else np.asarray(mask, bool)
    return np.broadcast_to(flags, np.broadcast_shapes(flags.shape, like.shape))


def valid(arrays: Arrays, name: str) -> Any:
    """An input with 0 where it is masked."""
    mask = mask_of(arrays, name)
    return np.where(mask, arrays[name], np.zeros_like(arrays[name]))


def positive(count: Any) -> Any:
    """A count to divide by: 1 in the place of 0."""
    return np.where(count > 0, count, np.ones_like(count))
