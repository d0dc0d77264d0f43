"""What conventions that whiten share."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.convention import Constant

EPS = Constant("eps", 1e-13, 0.5, zero=True)


def whitened(found: Any, eps: float, ddof: int) -> Any:
    """Mean 0 and deviation 1 over all entries of the last axis."""
    spread = np.std(found, axis=-1, ddof=ddof, keepdims=True) + found.dtype.type(eps)
    return (found - np.mean(found, axis=-1, keepdims=True)) / spread


def magnified(found: Any, eps: float) -> Any:
    """How much the division by a small deviation magnifies."""
    return 1 / (np.std(found, axis=-1, keepdims=True) + max(eps, 1e-300))


def all_whitened(advantages: Any, eps: float, ddof: int) -> Any:
    """Over all rows of a batch, as libraries do; of a single number nothing is said."""
    if advantages.size < 2:
        return np.full_like(advantages, np.nan)
    return whitened(advantages.reshape(-1), eps, ddof).reshape(advantages.shape)
