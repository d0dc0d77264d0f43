"""What conventions that whiten share."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.convention import Constant

EPS = Constant("eps", 1e-13, 0.5, zero=True)
ROOT_EPS = Constant("eps", 1e-13, 0.5)  # 0 is that of ``EPS``


def whitened(found: Any, eps: float, ddof: int) -> Any:
    """Mean 0 and deviation 1 over all entries of the last axis."""
    spread = np.std(found, axis=-1, ddof=ddof, keepdims=True) + found.dtype.type(eps)
    return (found - np.mean(found, axis=-1, keepdims=True)) / spread


def whitened_inside_root(found: Any, eps: float) -> Any:
    """The same with ε added to the variance (ddof 1), as rsqrt(variance + ε) has it."""
    spread = np.sqrt(np.var(found, axis=-1, ddof=1, keepdims=True) + found.dtype.type(eps))
    return (found - np.mean(found, axis=-1, keepdims=True)) / spread


def magnified(found: Any, eps: float) -> Any:
    """How much the division by a small deviation magnifies."""
    return 1 / (np.std(found, axis=-1, keepdims=True) + max(eps, 1e-300))


def all_whitened(advantages: Any, eps: float, ddof: int, *, inside: bool = False) -> Any:
    """Over all rows of a batch, as libraries do; of a single number nothing is said."""
    if advantages.size < 2:
        return np.full_like(advantages, np.nan)
    row = advantages.reshape(-1)
    return (whitened_inside_root(row, eps) if inside else whitened(row, eps, ddof)).reshape(advantages.shape)
