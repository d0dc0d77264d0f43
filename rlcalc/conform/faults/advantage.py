"""Faults of the advantage."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form

Outputs = dict[str, Any]


def difference_reversed(form: Form, **arrays: Any) -> Outputs:
    return {"advantage": -form(**arrays)["advantage"]}


def discount_missing(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    gamma = arrays["gamma"]
    return dict(form(**{**arrays, "gamma": None if gamma is None else np.ones_like(gamma)}))


def bootstraps_from_own_value(form: Form, **arrays: Any) -> Outputs:
    next_value = arrays["next_value"]
    return dict(form(**{**arrays, "next_value": None if next_value is None else arrays["value"]}))


def own_value_discounted_as_well(form: Form, **arrays: Any) -> Outputs:
    gamma = arrays["gamma"]
    return dict(form(**{**arrays, "value": arrays["value"] * (1 if gamma is None else gamma)}))


def value_not_subtracted(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "value": arrays["value"] * 0}))


def reward_discounted_as_well(form: Form, **arrays: Any) -> Outputs:
    reward = arrays["reward"]
    return dict(form(**{**arrays, "reward": None if reward is None else arrays["gamma"] * reward}))
