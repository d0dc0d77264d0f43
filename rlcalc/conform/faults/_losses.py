"""What losses of errors have alike when they are wrong."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np


def huber_without_offset(errors: Any) -> Any:
    """Huber's loss with δ = 1 and no −1/2 beyond it."""
    size = np.abs(errors)
    return np.where(size <= 1, np.square(size) / 2, size)


def huber_without_offset_from_1(errors: Any) -> Any:
    """The same of who counts an error of 1 among those beyond it: where both meet, nobody looks."""
    size = np.abs(errors)
    return np.where(size < 1, np.square(size) / 2, size)
