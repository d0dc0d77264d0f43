"""Faults of one update of a value."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form
from rlcalc.conform.faults._sequence import Outputs


def away_from_target(form: Form, **arrays: Any) -> Outputs:
    return {**form(**{**arrays, "alpha": -arrays["alpha"]})}


def step_size_of_the_old_value(form: Form, **arrays: Any) -> Outputs:
    """α·V + (1−α)·target."""
    return dict(form(**{**arrays, "alpha": 1 - arrays["alpha"]}))


def old_value_not_subtracted(form: Form, **arrays: Any) -> Outputs:
    """V + α·target."""
    found = dict(form(**arrays))
    return {**found, "value": found["value"] + arrays["alpha"] * arrays["value"]}
