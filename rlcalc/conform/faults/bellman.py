"""Faults of the Bellman optimality equation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rlcalc.conform.faults import Form
from rlcalc.conform.faults._sequence import Outputs


def mean_over_actions(form: Form, **arrays: Any) -> Outputs:
    """The values of the uniform policy."""
    from rlcalc.formulas import load_forms

    return dict(load_forms("policy_eval").numpy_form(policy="uniform", **arrays))


def reward_discounted(form: Form, **arrays: Any) -> Outputs:
    mdp = arrays["mdp"]
    return dict(form(**{**arrays, "mdp": replace(mdp, r=mdp.r * arrays["gamma"])}))


def one_sweep_only(form: Form, **arrays: Any) -> Outputs:
    """R + γ·P·0."""
    return dict(form(**{**arrays, "gamma": arrays["gamma"] * 0}))
