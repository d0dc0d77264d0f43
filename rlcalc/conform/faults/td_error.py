"""Faults of the TD error."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form
from rlcalc.conform.faults._sequence import (
    Outputs,
    bootstrap_after_terminal,
    computes_in_float32,
    discounts_in_float32,
    mapped,
    next_value_of_reset_state,
)

__all__ = [
    "bootstrap_after_terminal",
    "computes_in_float32",
    "discounts_in_float32",
    "next_value_of_reset_state",
]


def sign_flipped(form: Form, **arrays: Any) -> Outputs:
    return mapped(form(**arrays), "td_error", lambda error: -error)


def gamma_missing(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "gamma": arrays["gamma"] * 0 + 1}))


def gamma_on_difference(form: Form, **arrays: Any) -> Outputs:
    """R + γ·(V' − V)."""
    found = dict(form(**arrays))
    old = arrays["value"] if arrays.get("reward") is not None else arrays["values"][..., :-1]
    return {**found, "td_error": found["td_error"] + old - arrays["gamma"] * old}
