"""Faults of importance sampling."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Form, Outputs, fault


def _estimate(value: Any, weights: Any = None) -> Outputs:
    """A function that returns one number is read as the expectation."""
    return {"expectation": value, "estimate": value, "weights": weights}


def _weights(p: Any, q: Any) -> Any:
    p, q = np.broadcast_arrays(p, q)
    return np.where(q > 0, p, np.zeros_like(p)) / np.where(q > 0, q, np.ones_like(q))


@fault("weighting")
def weights_inverted(form: Form, p: Any, q: Any, f: Any, samples: Any) -> Outputs:
    """Weights with q/p.

    Shown when: Distributions that differ, with an f that is not 0.
    Cause: It is not said which policy acted: old over new where new over old is meant.
    Fix: The distribution that is asked about stands above, the one that was sampled from below.
    - weights = q / p
    + weights = p / q
    """
    weights = _weights(q, p)
    return _estimate((q * weights * f).sum(axis=-1), weights)


@fault("weighting")
def weights_forgotten(form: Form, p: Any, q: Any, f: Any, samples: Any) -> Outputs:
    """Gives the expectation under q.

    Shown when: Distributions that differ, with an f that is not constant.
    Cause: Data of an older policy were averaged as if the current one had made them.
    Fix: Multiply every sample of q with its weight p/q.
    - estimate = (q * f).sum()
    + estimate = (q * (p / q) * f).sum()
    """
    return _estimate((q * f).sum(axis=-1))


@fault("weighting")
def weights_squared(form: Form, p: Any, q: Any, f: Any, samples: Any) -> Outputs:
    """Applies the weight twice: Σ q·w²·f, which is Σ p·w·f.

    Shown when: Distributions that differ, with an f that is not 0.
    Cause: The advantage already contains the ratio and the loss multiplies with it again, or outcomes of p
        are weighted.
    Fix: Apply the weight in one place, and to outcomes of q only.
    - estimate = (p * (p / q) * f).sum()
    + estimate = (q * (p / q) * f).sum()
    """
    weights = _weights(p, q)
    return _estimate((q * weights * weights * f).sum(axis=-1))


@fault("weighting")
def outcomes_not_weighted(form: Form, p: Any, q: Any, f: Any, samples: Any) -> Outputs:
    """Averages w·f over the list of all outcomes alike, instead of under q.

    Shown when: A q that is not uniform, with an f that is not 0.
    Cause: The estimate from drawn samples was applied to a list of all outcomes.
    Fix: Samples bring their frequencies along; a list of outcomes needs the factor q(x).
    - estimate = (p / q * f).mean()
    + estimate = (q * (p / q) * f).sum()
    """
    weights = _weights(p, q)
    return _estimate((weights * f).mean(axis=-1), weights)
