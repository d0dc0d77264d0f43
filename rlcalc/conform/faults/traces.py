"""Faults of eligibility traces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlcalc.conform.faults import Form
from rlcalc.conform.faults._sequence import Outputs


def _with_traces(found: Mapping[str, Any], arrays: Mapping[str, Any], eligibility: Any) -> Outputs:
    """Outputs with other traces, and with the credit and the updates that follow from them."""
    changed = {**found, "eligibility": eligibility}
    errors = found.get("td_errors")
    if errors is not None:
        changed["credit"] = (errors[..., None] * eligibility).sum(axis=-2)
        if arrays["alpha"] is not None:
            before = 0 if arrays["values"] is None else arrays["values"]
            changed["updates"] = arrays["alpha"] * changed["credit"]
            changed["new_values"] = before + changed["updates"]
    return changed


def always_accumulating(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "replacing": None}))


def always_replacing(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "replacing": True}))


def decay_by_lam_alone(form: Form, **arrays: Any) -> Outputs:
    found = form(**arrays)
    eligibility = form(**{**arrays, "gamma": arrays["gamma"] * 0 + 1})["eligibility"]
    return _with_traces(found, arrays, eligibility)


def decay_by_gamma_alone(form: Form, **arrays: Any) -> Outputs:
    found = form(**arrays)
    eligibility = form(**{**arrays, "lam": arrays["lam"] * 0 + 1})["eligibility"]
    return _with_traces(found, arrays, eligibility)


def decay_after_visit(form: Form, **arrays: Any) -> Outputs:
    """The trace of the state just visited is decayed before it is used."""
    found = form(**arrays)
    return _with_traces(found, arrays, arrays["gamma"] * arrays["lam"] * found["eligibility"])


def used_before_visit(form: Form, **arrays: Any) -> Outputs:
    """Each TD error meets the traces of the step before it."""
    import numpy as np

    found = form(**arrays)
    eligibility = np.zeros_like(found["eligibility"])
    eligibility[..., 1:, :] = found["eligibility"][..., :-1, :]
    return _with_traces(found, arrays, eligibility)
