"""Faults of the probability ratio."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form

Outputs = dict[str, Any]


def ratio_inverted(form: Form, **arrays: Any) -> Outputs:
    swapped = {"new": "old", "old": "new", "new_log": "old_log", "old_log": "new_log"}
    return dict(form(**{name: arrays[other] for name, other in swapped.items()}))


def exponential_missing(form: Form, **arrays: Any) -> Outputs:
    found = dict(form(**arrays))
    return {**found, "ratio": found["log_ratio"]}


def logs_divided(form: Form, **arrays: Any) -> Outputs:
    """Probabilities, where they are given, are divided as they should be."""
    if arrays["new_log"] is None:
        return dict(form(**arrays))
    return {"ratio": arrays["new_log"] / arrays["old_log"]}


def exponentials_divided(form: Form, **arrays: Any) -> Outputs:
    """Underflow of the old one gives 0/0."""
    import numpy as np

    if arrays["new_log"] is None:
        return dict(form(**arrays))
    return {"ratio": np.exp(arrays["new_log"]) / np.exp(arrays["old_log"])}


def divisor_padded(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    new, old = arrays["new"], arrays["old"]
    if new is None:
        new, old = np.exp(arrays["new_log"]), np.exp(arrays["old_log"])
    return {"ratio": new / (old + new.dtype.type(1e-10))}
