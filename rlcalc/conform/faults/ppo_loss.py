"""Faults of the combined loss."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form

Outputs = dict[str, Any]


def entropy_sign(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "c2": -arrays["c2"]}))


def critic_sign(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "c1": -arrays["c1"]}))


def critic_halved_again(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "c1": arrays["c1"] / 2}))


def critic_unweighted(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    return dict(form(**{**arrays, "c1": np.ones_like(arrays["c1"])}))


def coefficients_swapped(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "c1": arrays["c2"], "c2": arrays["c1"]}))


def bonus_weighted_twice(form: Form, **arrays: Any) -> Outputs:
    """c1 · (critic − c2 · entropy)."""
    return dict(form(**{**arrays, "c2": arrays["c1"] * arrays["c2"]}))
