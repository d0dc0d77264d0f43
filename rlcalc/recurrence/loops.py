"""The recurrence as plain loops, compiled by numba on first use and kept on disk by it.

Each loop goes over arrays [R, T], either row by row or, for memory in which a step of all rows lies together,
step by step. Indices have no sign, since numba looks at each that has one: it could count from the end.

Imported by `compiled` alone, and only where numba is installed (the extra ``fast``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

# A product and the sum after it are rounded once, in half the time.
compiled = njit(cache=True, error_model="numpy", fastmath={"contract"})


@compiled
def _step(
    x: Any,
    row: Any,
    t: Any,
    rewards: Any,
    values: Any,
    after: Any,
    terminated: Any,
    truncated: Any,
    discounts: Any,
    gamma: Any,
    lam: Any,
) -> Any:
    """A_t = R_{t+1} + γ V' − V + γλ A_{t+1}, or without values x_t = R_{t+1} + γλ x_{t+1}.

    Any array [R, T] but the rewards may be ``None``, of which nothing is left in what is compiled; gamma,
    where there are no discounts, and lam are numbers. A cut hides nan and infinity, which 0·x would not.
    """
    discount = gamma if discounts is None else discounts[row, t]
    factor = discount * lam
    b = rewards[row, t]
    if values is not None:
        if terminated is not None and terminated[row, t]:
            return b - values[row, t]
        b = b + discount * after[row, t] - values[row, t]
    cut = factor == 0 or (truncated is not None and truncated[row, t])
    return b if cut else b + factor * x


@compiled
def by_rows(last: Any, out: Any, *given: Any) -> None:
    """From x [R] after the last step on, x of every step into out [R, T]: one row after the other."""
    rows, steps = out.shape
    whole = rows - rows % 4
    for row in range(0, whole, 4):  # a step waits for the one before it, so that four go side by side
        i, j, k, m = np.uintp(row), np.uintp(row + 1), np.uintp(row + 2), np.uintp(row + 3)
        x, y, z, w = last[i], last[j], last[k], last[m]
        for done in range(steps):
            t = np.uintp(steps - 1 - done)
            x, y = _step(x, i, t, *given), _step(y, j, t, *given)
            z, w = _step(z, k, t, *given), _step(w, m, t, *given)
            out[i, t], out[j, t], out[k, t], out[m, t] = x, y, z, w
    for row in range(whole, rows):
        i, x = np.uintp(row), last[row]
        for done in range(steps):
            t = np.uintp(steps - 1 - done)
            x = _step(x, i, t, *given)
            out[i, t] = x


@compiled
def by_steps(last: Any, out: Any, *given: Any) -> None:
    """As `by_rows`, one step after the other."""
    rows, steps = out.shape
    later = last
    for done in range(steps):
        t = np.uintp(steps - 1 - done)
        for row in range(rows):
            i = np.uintp(row)
            out[i, t] = _step(later[i], i, t, *given)
        later = out[:, t]
