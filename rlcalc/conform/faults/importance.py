"""Faults of importance sampling."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form

Outputs = dict[str, Any]


def _estimate(value: Any, weights: Any = None) -> Outputs:
    """A function that returns one number is read as the expectation."""
    return {"expectation": value, "estimate": value, "weights": weights}


def _weights(p: Any, q: Any) -> Any:
    import numpy as np

    p, q = np.broadcast_arrays(p, q)
    return np.where(q > 0, p, np.zeros_like(p)) / np.where(q > 0, q, np.ones_like(q))


def weights_inverted(form: Form, p: Any, q: Any, f: Any, samples: Any) -> Outputs:
    weights = _weights(q, p)
    return _estimate((q * weights * f).sum(axis=-1), weights)


def weights_forgotten(form: Form, p: Any, q: Any, f: Any, samples: Any) -> Outputs:
    return _estimate((q * f).sum(axis=-1))


def weights_squared(form: Form, p: Any, q: Any, f: Any, samples: Any) -> Outputs:
    """Σ q·w²·f, which is Σ p·w·f as well: the weights applied to outcomes of p."""
    weights = _weights(p, q)
    return _estimate((q * weights * weights * f).sum(axis=-1))


def outcomes_not_weighted(form: Form, p: Any, q: Any, f: Any, samples: Any) -> Outputs:
    weights = _weights(p, q)
    return _estimate((weights * f).mean(axis=-1), weights)
