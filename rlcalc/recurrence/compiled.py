"""Whether the loops of `loops` can be used, and for what: numba is an extra, and takes a second to load."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

from rlcalc._lazy import np
from rlcalc.recurrence import time_major

# Elements from which on it pays: below, the whole-array way ends before numba is loaded.
FEWEST = 1 << 18
DTYPES = "fd"  # float32 and float64, by the letters that NumPy has for them


@cache
def _loops() -> Any:
    if find_spec("numba") is None:
        return None
    try:
        from rlcalc.recurrence import loops
    except ImportError:  # numba refuses the NumPy that is installed
        return None
    return loops


def suits(b: Any, working: np.dtype[Any]) -> bool:
    """Whether the loops are there, and the faster way for b [..., T] in this precision."""
    return b.size >= FEWEST and working.char in DTYPES and _loops() is not None


def scan_numpy(b: Any, a: Any, last: Any, working: np.dtype[Any]) -> Any:
    """x_t = b_t + a_t·x_{t+1}, as `scan.scan_numpy`, in working; b and a are [..., T], last is [...]."""
    *lead, steps = b.shape
    b, a = _converted(b, working), _converted(a, working)
    carry = np.ascontiguousarray(last.reshape(-1), working)
    if time_major.lies(b):
        b, a = (np.moveaxis(x, -1, 0).reshape(steps, -1) for x in (b, a))
        out = np.empty(b.shape, working)
        _loops().time_first(b, a, carry, out)
        return np.moveaxis(out.reshape(steps, *lead), 0, -1)
    out = np.empty((carry.size, steps), working)
    _loops().rows_first(b.reshape(-1, steps), a.reshape(-1, steps), carry, out)
    return out.reshape(*lead, steps)


def advantages(
    rewards: Any, values: Any, after: Any, gamma: Any, lam: Any, terminated: Any, truncated: Any
) -> Any:
    """A_t = δ_t + γλ A_{t+1}, δ_t = R_{t+1} + γ V' − V, made within the loop.

    Args:
        rewards: [..., T]; values: [..., T+1], V(S_t), in the dtype of rewards.
        after: [..., T], V of the true successor, or ``None`` for ``values[..., 1:]``.
        gamma: one number, or [T] or [..., T].
        lam: one number.
        terminated: flags [..., T] or ``None``; neither the value of the successor nor the recursion counts.
        truncated: flags [..., T] or ``None``; the recursion does not go on there.

    Returns:
        [..., T]; ``None`` where this is not the way: few numbers, or leading axes that differ.
    """
    if values is None or not suits(rewards, rewards.dtype):
        return None
    discounts = None
    if np.ndim(gamma):
        discounts, gamma = np.broadcast_to(gamma, np.broadcast_shapes(gamma.shape, rewards.shape)), 1
    arrays = rewards, values, after, terminated, truncated, discounts
    *lead, steps = rewards.shape
    if any(x is not None and x.shape[:-1] != rewards.shape[:-1] for x in arrays):
        return None
    gamma, lam = map(rewards.dtype.type, (gamma, lam))
    if time_major.lies(rewards):
        shaped = [None if x is None else np.moveaxis(x, -1, 0).reshape(x.shape[-1], -1) for x in arrays]
        out = np.empty((steps, rewards.size // steps), rewards.dtype)
        _loops().advantages_time_first(*shaped, gamma, lam, out)
        return np.moveaxis(out.reshape(steps, *lead), 0, -1)
    shaped = [None if x is None else x.reshape(-1, x.shape[-1]) for x in arrays]
    out = np.empty((rewards.size // steps, steps), rewards.dtype)
    _loops().advantages_rows_first(*shaped, gamma, lam, out)
    return out.reshape(rewards.shape)


def _converted(x: Any, dtype: np.dtype[Any]) -> Any:
    """x in a dtype; what is repeated along an axis is converted once, and stays repeated."""
    if x.dtype == dtype:
        return x
    once = x[tuple(slice(1) if step == 0 else slice(None) for step in x.strides)]
    return np.broadcast_to(once.astype(dtype), x.shape)
