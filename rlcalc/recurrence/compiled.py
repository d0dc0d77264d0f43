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
    b, a, one = _converted(b, working), _converted(a, working), working.type(1)
    last = np.ascontiguousarray(last.reshape(-1), working)
    return _looped(last, b, None, None, None, None, a, one, one)


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
    if after is None:
        after = values[..., 1:]
    given = rewards, values[..., :-1], after, terminated, truncated, discounts
    if any(x is not None and x.shape != rewards.shape for x in given):
        return None
    last = np.zeros(rewards[..., 0].size, rewards.dtype)
    return _looped(last, *given, *map(rewards.dtype.type, (gamma, lam)))


def _looped(last: Any, like: Any, *given: Any) -> Any:
    """x of every step, laid out as ``like`` is, which is the first array [..., T] of the loop."""
    major, steps = time_major.lies(like), like.shape[-1]
    loop = _loops().by_steps if major else _loops().by_rows
    out = np.empty((last.size, steps), last.dtype, "F" if major else "C")
    loop(last, out, *(x.reshape(-1, steps) if np.ndim(x) else x for x in (like, *given)))
    return out.reshape(like.shape)


def _converted(x: Any, dtype: np.dtype[Any]) -> Any:
    """x in a dtype; what is repeated along an axis is converted once, and stays repeated."""
    if x.dtype == dtype:
        return x
    once = x[tuple(slice(1) if step == 0 else slice(None) for step in x.strides)]
    return np.broadcast_to(once.astype(dtype), x.shape)
