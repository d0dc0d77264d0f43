"""Pieces of large arrays that stay in cache."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

from rlcalc._lazy import np
from rlcalc.recurrence import time_major

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]

# Elements per slab. Six arrays of this many float32 or float64 numbers stay in a
# core's share of the outer caches.
SLAB = 1 << 17


def by_slabs(function: Callable[..., Any], *arrays: Any) -> Array:
    """function(*arrays), a few rows at a time, so that temporaries before and after a scan stay in cache.

    Args:
        function: takes [R, T] arrays, any R, and returns one of [R, T]; must treat rows independently.
        arrays: [..., T]; what is the same for all rows (numbers, [T], ``None``) is handed on as it is.

    Returns:
        [..., T]. With few rows, for time-major memory and where leading axes differ, that is simply
        function(*arrays), on the arrays as they are.
    """
    first, many = arrays[0], [np.ndim(x) > 1 for x in arrays]
    *lead, steps = first.shape
    count, height = prod(lead), max(1, SLAB // max(steps, 1))
    alike = all(x.shape[:-1] == first.shape[:-1] for x, of_rows in zip(arrays, many, strict=True) if of_rows)
    if count <= height or not alike or time_major.lies(first):
        found: Array = function(*arrays)
        return found
    flat = [x.reshape(count, -1) if of_rows else x for x, of_rows in zip(arrays, many, strict=True)]
    out: Any = None
    for top in range(0, count, height):
        rows = slice(top, top + height)
        piece = function(*(x[rows] if of_rows else x for x, of_rows in zip(flat, many, strict=True)))
        if out is None:  # only now is the dtype known
            out = np.empty((count, steps), piece.dtype)
        out[rows] = piece
    whole: Array = out.reshape(first.shape)
    return whole


def cut(count: int, steps: int, size: int) -> Iterator[tuple[slice, slice]]:
    """Cut [count, steps] into (rows, span of time) of about `size` elements, the latest span first."""
    height = max(1, size // steps)
    for top in range(0, count, height):
        for stop in range(steps, 0, -size):
            yield slice(top, top + height), slice(max(0, stop - size), stop)
