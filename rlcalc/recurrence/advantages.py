"""GAE of arrays in few passes over its inputs: A_t = δ_t + γ_t λ A_{t+1}, δ_t = R_{t+1} + γ_t V' − V.

It is the recurrence x_t = b_t + a_t·x_{t+1} with b and a made a few rows at a time, so that they never leave
the cache; where numba is installed (the extra ``fast``) they are made within the compiled loop.
"""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.recurrence import compiled
from rlcalc.recurrence.scan import by_slabs, scan_numpy


def advantages(
    rewards: Any, values: Any, after: Any, gamma: Any, lam: Any, terminated: Any, truncated: Any
) -> Any:
    """A_t for t = 0..T-1.

    Args:
        rewards: [..., T], float32 or float64, the dtype of all other numbers as well.
        values: [..., T+1], V(S_t).
        after: [..., T], V of the true successor, or ``None`` for ``values[..., 1:]``; not looked at after a
            terminated step.
        gamma: one number or [..., T].
        lam: one number.
        terminated: flags [..., T] or ``None``; neither the value of the successor nor the recursion counts.
        truncated: flags [..., T] or ``None``; the recursion does not go on there.

    Returns:
        [..., T]; all arguments broadcast against each other.
    """
    given = [x for x in (values, after, terminated, truncated) if x is not None]
    alike = all(x.shape[:-1] == rewards.shape[:-1] for x in given)
    if alike and gamma.ndim == 0 and compiled.suits(rewards, rewards.dtype):
        return compiled.advantages(rewards, values, after, terminated, truncated, gamma, lam)
    many = [] if gamma.ndim == 0 else [gamma]
    flags = [x for x in (terminated, truncated) if x is not None]
    given = [rewards, values[..., :-1], values[..., 1:] if after is None else after, *flags, *many]
    shape = np.broadcast_shapes(*(x.shape for x in given))

    def slab(rewards: Any, values: Any, after: Any, *rest: Any) -> Any:
        factor = rest[-1] if many else gamma
        b = after * factor
        if terminated is not None:
            b[rest[0]] = 0  # selected, not multiplied: a successor that does not exist may be nan
        b += rewards
        b -= values
        a = np.empty_like(b)
        a[...] = factor * lam
        for ended in rest[: len(flags)]:
            a[ended] = 0
        return scan_numpy(b, a)

    with np.errstate(all="ignore"):
        return by_slabs(slab, *(np.broadcast_to(x, shape) for x in given))
