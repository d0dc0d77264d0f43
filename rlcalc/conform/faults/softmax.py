"""Faults of the softmax policy."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form
from rlcalc.conform.faults._sequence import Outputs


def largest_not_subtracted(form: Form, **arrays: Any) -> Outputs:
    """inf/inf for large preferences, 0/0 for very negative ones."""
    import numpy as np

    powers = np.exp(arrays["theta"])
    return {"policy": powers / powers.sum(axis=-1, keepdims=True)}


def largest_subtracted_above_only(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    theta = arrays["theta"]
    powers = np.exp(theta - theta.max(axis=-1, keepdims=True))
    return {"policy": powers / np.exp(theta).sum(axis=-1, keepdims=True)}


def sign_of_preferences(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "theta": -arrays["theta"]}))
