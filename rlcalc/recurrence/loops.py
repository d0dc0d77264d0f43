"""The recurrence as plain loops, compiled by numba on first use and kept on disk by it.

Imported by `compiled` alone, and only where numba is installed (the extra ``fast``).
"""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(cache=True, error_model="numpy")
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


@njit(cache=True, error_model="numpy")
def time_first(b: Any, a: Any, last: Any, out: Any) -> None:
    """As `rows_first`, for memory in which a step of all rows lies together: b, a, out are [T, R]."""
    steps, rows = b.shape
    after = last
    for t in range(steps - 1, -1, -1):
        for row in range(rows):
            factor = a[t, row]
            out[t, row] = b[t, row] + factor * after[row] if factor != 0 else b[t, row]
        after = out[t]
