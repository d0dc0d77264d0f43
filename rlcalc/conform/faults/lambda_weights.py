"""Faults of the weights of the λ-return."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form
from rlcalc.conform.faults._sequence import Outputs


def _changed(found: Outputs, weights: Any) -> Outputs:
    return {**found, "weights": weights, "sum": weights.sum(axis=-1)}


def remainder_missing(form: Form, **arrays: Any) -> Outputs:
    found = dict(form(**arrays))
    if found["weights"] is None:
        return found
    weights = found["weights"].copy()
    weights[..., -1] *= 1 - arrays["lam"]
    return _changed(found, weights)


def exponent_one_too_high(form: Form, **arrays: Any) -> Outputs:
    """(1−λ)λ^n and λ^N."""
    found = dict(form(**arrays))
    if found["weights"] is None:
        return found
    return _changed(found, found["weights"] * arrays["lam"][..., None])


def one_minus_lam_missing(form: Form, **arrays: Any) -> Outputs:
    """1, λ, λ², …"""
    import numpy as np

    found = dict(form(**arrays))
    if found["weights"] is None:
        return found
    lam = np.asarray(arrays["lam"])
    powers = lam[..., None] ** np.arange(found["weights"].shape[-1]).astype(lam.dtype)
    return _changed(found, powers)


def scaled_to_sum_one(form: Form, **arrays: Any) -> Outputs:
    """The geometric weights divided by their sum; 0/0 at λ = 1."""
    found = remainder_missing(form, **arrays)
    if found["weights"] is None:
        return found
    return _changed(found, found["weights"] / found["sum"][..., None])
