"""What faults of softmax over a vocabulary have in common."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.convention import Constant

# what people add to a probability before its logarithm
ADDED = Constant("eps", 1e-12, 1e-2)


def log_softmax(logits: Any, axis: int = -1) -> Any:
    shifted = logits - logits.max(axis, keepdims=True, initial=-np.inf)
    return shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))


def log_softmax_of_rows(logits: Any) -> Any:
    """Over the axis before the vocabulary."""
    return log_softmax(logits, -2)


def logs_with_eps(logits: Any, eps: float) -> Any:
    return np.log(np.exp(log_softmax(logits)) + eps)
