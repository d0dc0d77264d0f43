"""Faults of the weights of the λ-return."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Outputs, output_fault


def _changed(found: Outputs, change: Callable[[Any], Any]) -> Outputs:
    """Outputs with other weights and their sum; endlessly many are not listed, and stay as they are."""
    if found["weights"] is None:
        return found
    weights = change(found["weights"])
    return {**found, "weights": weights, "sum": weights.sum(axis=-1)}


def _without_remainder(arrays: Arrays, weights: Any) -> Any:
    """The geometric weights of the endless sum, as many as there are steps."""
    last = np.arange(weights.shape[-1]) == weights.shape[-1] - 1
    return np.where(last, weights * (1 - np.asarray(arrays["lam"])[..., None]), weights)


@output_fault("weighting")
def remainder_missing(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the last return (1−λ)λ^(N−1), so that the sum is 1 − λ^N; at λ = 1 all weights are 0.

    Shown when: λ above 0 and finitely many steps.
    Cause: The weights of the infinite sum, cut off after N.
    Fix: The last weight is λ^(N−1), what the others leave of 1.
    - weights = (1 - lam) * lam ** np.arange(N)
    + weights = np.append((1 - lam) * lam ** np.arange(N - 1), lam ** (N - 1))
    """
    return _changed(found, partial(_without_remainder, arrays))


@output_fault("indexing", "labmlai/annotated_deep_learning_paper_implementations issue #255")
def exponent_one_too_high(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives (1−λ)λ^n and, for the last, λ^N.

    Shown when: λ below 1 and finitely many steps.
    Cause: The returns are counted from n = 1, and the exponent was meant for counting from 0.
    Fix: The one-step return has the weight 1 − λ, with the exponent n − 1 = 0.
    - weights = np.append((1 - lam) * lam ** np.arange(1, N), lam ** N)
    + weights = np.append((1 - lam) * lam ** np.arange(N - 1), lam ** (N - 1))
    """
    return _changed(found, lambda weights: weights * arrays["lam"][..., None])


@output_fault("weighting")
def one_minus_lam_missing(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives 1, λ, λ², …

    Shown when: λ above 0 and two steps or more.
    Cause: The weights of TD errors in an advantage were taken for those of returns.
    Fix: Returns are averaged: (1−λ)λ^(n−1) and, for the last, λ^(N−1).
    - weights = lam ** np.arange(N)
    + weights = np.append((1 - lam) * lam ** np.arange(N - 1), lam ** (N - 1))
    """
    lam = np.asarray(arrays["lam"])[..., None]
    return _changed(found, lambda weights: lam ** np.arange(weights.shape[-1]).astype(lam.dtype))


@output_fault("weighting")
def scaled_to_sum_one(found: Outputs, arrays: Arrays) -> Outputs:
    """Divides the geometric weights by their sum 1 − λ^N, which spreads the remainder over all of them; 0/0
    at λ = 1.

    Shown when: λ above 0 and two steps or more.
    Cause: Someone saw that the weights did not sum to 1 and normalised them.
    Fix: The remainder belongs to the last return alone: it stands for all longer returns, which equal it.
      weights = (1 - lam) * lam ** np.arange(N)
    - weights /= weights.sum()
    + weights[-1] = lam ** (N - 1)
    """

    def scaled(weights: Any) -> Any:
        left = _without_remainder(arrays, weights)
        return left / left.sum(axis=-1, keepdims=True)

    return _changed(found, scaled)
