"""Faults of a REINFORCE step."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form
from rlcalc.conform.faults._sequence import Outputs


def _with_theta(found: Outputs, moved: Any) -> Outputs:
    """Outputs with other preferences, and with the policy that follows from them."""
    import numpy as np

    powers = np.exp(moved - moved.max(axis=-1, keepdims=True))
    return {**found, "theta": moved, "policy": powers / powers.sum(axis=-1, keepdims=True)}


def descent(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "alpha": -arrays["alpha"]}))


def baseline_added(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "baseline": -arrays["baseline"]}))


def baseline_left_out(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "baseline": arrays["baseline"] * 0}))


def return_left_out(form: Form, **arrays: Any) -> Outputs:
    """θ + α·score."""
    zero = arrays["baseline"] * 0
    return dict(form(**{**arrays, "baseline": zero, "return_": arrays["return_"] * 0 + 1}))


def chosen_preference_only(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    found = dict(form(**arrays))
    chosen = np.arange(found["theta"].shape[-1]) == arrays["action"][..., None]
    return _with_theta(found, np.where(chosen, found["theta"], arrays["theta"]))
