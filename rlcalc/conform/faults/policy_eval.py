"""Faults of policy evaluation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rlcalc.conform.faults import Form
from rlcalc.conform.faults._sequence import Outputs

SWEEPS = 1000


def policy_ignored(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "policy": "uniform"}))


def best_action_taken(form: Form, **arrays: Any) -> Outputs:
    """The values of an optimal policy; where γ = 1 leaves them open, those that sweeps from 0 find."""
    import numpy as np

    from rlcalc.errors import InputError
    from rlcalc.formulas import load_forms

    mdp, gamma = arrays["mdp"], arrays["gamma"]
    try:
        return dict(load_forms("bellman").numpy_form(mdp=mdp, gamma=gamma))
    except InputError:
        q_values = mdp.r
        for _ in range(SWEEPS):
            q_values = mdp.r + gamma * np.einsum("sat,t->sa", mdp.p, q_values.max(axis=-1))
        return {"values": q_values.max(axis=-1), "q_values": q_values}


def reward_discounted(form: Form, **arrays: Any) -> Outputs:
    mdp = arrays["mdp"]
    return dict(form(**{**arrays, "mdp": replace(mdp, r=mdp.r * arrays["gamma"])}))


def q_without_discount(form: Form, **arrays: Any) -> Outputs:
    """R + P·V beside the right values."""
    import numpy as np

    found = dict(form(**arrays))
    mdp = arrays["mdp"]
    return {**found, "q_values": mdp.r + np.einsum("sat,...t->...sa", mdp.p, found["values"])}
