"""The recurrence as plain loops, compiled by numba on first use and kept on disk by it.

Imported by `compiled` alone, and only where numba is installed (the extra ``fast``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

# A product and the sum after it are rounded once, in half the time.
compiled = njit(cache=True, error_model="numpy", fastmath={"contract"})


@compiled
def rows_first(b: Any, a: Any, last: Any, out: Any) -> None:
    """x_t = b_t + a_t·x_{t+1} into out; b, a, out are [R, T], last is [R]. One row after the other."""
    rows, steps = b.shape
    for row in range(rows):
        x = last[row]
        for t in range(steps - 1, -1, -1):
            factor = a[row, t]
            # a cut hides NaN and ∞, which 0 times them would not
            x = b[row, t] + factor * x if factor != 0 else b[row, t]
            out[row, t] = x


@compiled
def time_first(b: Any, a: Any, last: Any, out: Any) -> None:
    """As `rows_first`, for memory in which a step of all rows lies together: b, a, out are [T, R]."""
    steps, rows = b.shape
    after = last
    for t in range(steps - 1, -1, -1):
        for row in range(rows):
            factor = a[t, row]
            out[t, row] = b[t, row] + factor * after[row] if factor != 0 else b[t, row]
        after = out[t]


@compiled
def advantages_rows_first(
    rewards: Any,
    values: Any,
    after: Any,
    terminated: Any,
    truncated: Any,
    discounts: Any,
    gamma: Any,
    lam: Any,
    out: Any,
) -> None:
    """A_t = δ_t + γλ A_{t+1} into out. One row after the other.

    rewards and out are [R, T], values [R, T+1]; what follows is [R, T] or `None`, of which nothing is left
    in what is compiled; gamma, where there are no discounts, and lam are numbers.
    """
    rows, steps = rewards.shape
    for row in range(rows):
        x = rewards.dtype.type(0)
        for t in range(steps - 1, -1, -1):
            discount = gamma if discounts is None else discounts[row, t]
            factor = discount * lam
            following = values[row, t + 1] if after is None else after[row, t]
            if terminated is not None and terminated[row, t]:
                x = rewards[row, t] - values[row, t]
            else:
                b = rewards[row, t] + discount * following - values[row, t]
                cut = factor == 0 or (truncated is not None and truncated[row, t])
                x = b if cut else b + factor * x  # a cut hides nan and infinity, too
            out[row, t] = x


@compiled
def advantages_time_first(
    rewards: Any,
    values: Any,
    after: Any,
    terminated: Any,
    truncated: Any,
    discounts: Any,
    gamma: Any,
    lam: Any,
    out: Any,
) -> None:
    """As `advantages_rows_first`, for memory in which a step of all rows lies together: [T, R], [T+1, R]."""
    steps, rows = rewards.shape
    later = np.zeros(rows, rewards.dtype)
    for t in range(steps - 1, -1, -1):
        for row in range(rows):
            discount = gamma if discounts is None else discounts[t, row]
            factor = discount * lam
            following = values[t + 1, row] if after is None else after[t, row]
            if terminated is not None and terminated[t, row]:
                out[t, row] = rewards[t, row] - values[t, row]
            else:
                b = rewards[t, row] + discount * following - values[t, row]
                cut = factor == 0 or (truncated is not None and truncated[t, row])
                out[t, row] = b if cut else b + factor * later[row]
        later = out[t]
