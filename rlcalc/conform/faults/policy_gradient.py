"""Faults of the policy gradient; one of its arguments is called ``form`` too, hence the slashes."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form
from rlcalc.conform.faults._sequence import Outputs, mapped


def gamma_t_left_out(form: Form, /, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "form": "no-gamma-t"}))


def sign_flipped(form: Form, /, **arrays: Any) -> Outputs:
    return mapped(form(**arrays), "gradient", lambda gradient: -gradient)


def rewards_not_discounted(form: Form, /, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "gamma": arrays["gamma"] * 0 + 1}))
