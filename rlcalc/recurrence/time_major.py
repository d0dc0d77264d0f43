"""The recurrence where time is the outermost axis in memory: a plain loop over whole rows.

[..., T] arrays are often views of [T, ...] memory, as simulators fill it. A step of the loop then is one
multiply-add of contiguous rows, and beats the composed maps of `recurrence`, which first have to transpose;
provided that a row is long enough to pay for T calls. The result lies time-major as well.

A non-finite value always reaches the row of t = 0, whatever is multiplied onto it on the way there, so one
look at that row tells whether cuts have something to hide; then the loop runs again, with care.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from rlcalc._lazy import np, torch
from rlcalc.backends import is_tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Rows from which on the loop was at least as fast.
ROWS = 512


def lies(x: Any) -> bool:
    """Whether an array or tensor [..., T] is time-major, with rows that are long enough."""
    rows, strides = prod(x.shape[:-1]), _strides(x)
    return rows >= ROWS and _is_dense(x.shape[:-1], strides[:-1]) and abs(strides[-1]) >= rows


def suits(b: Any, a: Any) -> bool:
    """Whether the loop is the faster way for b and a, both [..., T] of one shape.

    Each step of a may also be one number for all of the row.
    """
    if not lies(b):
        return False
    lead, steps = a.shape[:-1], _strides(a)[:-1]
    return _is_dense(lead, steps) or not any(s for n, s in zip(lead, steps, strict=True) if n > 1)


def _strides(x: Any) -> list[float]:
    """In elements; a fraction where a view of records has them."""
    return [*x.stride()] if is_tensor(x) else [s / x.itemsize for s in x.strides]


def _is_dense(shape: Sequence[int], strides: Sequence[float]) -> bool:
    expected = 1
    for n, stride in zip(reversed(shape), reversed(strides), strict=True):
        if n > 1 and stride != expected:
            return False
        expected *= n
    return True


def scan_numpy(b: Any, a: Any, last: Any, dtype: np.dtype[Any], working: np.dtype[Any]) -> Any:
    """x_t = b_t + a_t·x_{t+1}, as `recurrence.scan_numpy`; b and a are [..., T], last is [...]."""
    *lead, steps = b.shape
    b, a = (np.moveaxis(x, -1, 0).reshape(steps, -1) for x in (b, a))
    out = np.empty(b.shape, dtype)
    last = last.reshape(-1).astype(working)

    def loop(careful: bool) -> Any:
        x = last.copy()
        own = dtype != working
        for b_t, a_t, out_t in zip(b[::-1], a[::-1], out[::-1], strict=True):
            row = x if own else out_t
            np.multiply(a_t, x, out=row)
            if careful:
                np.copyto(row, 0, where=a_t == 0)
            row += b_t
            if own:
                out_t[:] = row
            x = row
        return x

    if not np.isfinite(loop(careful=False)).all():
        loop(careful=True)
    return np.moveaxis(out.reshape(steps, *lead), 0, -1)


def by_spans(function: Callable[..., Any], size: int, *arrays: Any) -> Any:
    """function(*arrays, last), a few steps at a time, the latest first: what it makes stays in cache.

    Args:
        function: takes arrays over time and x [...] after their last step; returns x of every step.
        size: elements of a span, about.
        arrays: [..., T] or, of states, [..., T+1]; numbers and ``None`` are handed on as they are.
    """
    steps = arrays[0].shape[-1]
    lead = np.broadcast_shapes(*(x.shape[:-1] for x in arrays if np.ndim(x)))
    out = np.moveaxis(np.empty((steps, *lead), arrays[0].dtype), 0, -1)
    width = max(1, size // prod(lead))
    last: Any = 0.0
    for stop in range(steps, 0, -width):
        start = max(0, stop - width)
        parts = [x[..., start : stop + x.shape[-1] - steps] if np.ndim(x) else x for x in arrays]
        out[..., start:stop] = function(*parts, last)
        last = out[..., start]
    return out


def like(x: torch.Tensor, *parts: torch.Tensor) -> torch.Tensor:
    """The parts joined over time, time-major where x is: what a derivative hands on stays on the fast way."""
    if not lies(x):
        return parts[0] if len(parts) == 1 else torch.cat(parts, -1)
    moved = [part.movedim(-1, 0) for part in parts]
    joined = moved[0].contiguous() if len(parts) == 1 else torch.cat(moved)
    return joined.movedim(0, -1)
