"""Faults of the n-step return."""

from __future__ import annotations

import math
from typing import Any

from rlcalc.conform.faults import Form
from rlcalc.conform.faults._sequence import (
    Outputs,
    bootstrap_after_terminal,
    computes_in_float32,
    discounts,
    discounts_in_float32,
    flags_ignored,
    recursion_crosses_ends,
    with_returns,
)

__all__ = [
    "bootstrap_after_terminal",
    "computes_in_float32",
    "discounts_in_float32",
    "flags_ignored",
    "recursion_crosses_ends",
]


def _parts(form: Form, arrays: dict[str, Any]) -> tuple[Any, Any]:
    """The share of the rewards, and the value that each window is closed on, before it is discounted."""
    silent = {**arrays, "rewards": arrays["rewards"] * 0, "alpha": None}
    rewards = form(**arrays)["returns"] - form(**silent)["returns"]
    return rewards, form(**{**silent, "gamma": arrays["gamma"] * 0 + 1})["returns"]


def gamma_not_to_the_n(form: Form, **arrays: Any) -> Outputs:
    rewards, value = _parts(form, arrays)
    return with_returns({}, arrays, rewards + discounts(arrays) * value)


def gamma_to_the_n_in_short_windows(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    if np.ndim(arrays["gamma"]):
        return dict(form(**arrays))
    rewards, value = _parts(form, arrays)
    longest = arrays["rewards"].shape[-1] if math.isinf(arrays["n"]) else arrays["n"]
    return with_returns({}, arrays, rewards + arrays["gamma"] ** longest * value)


def one_step_too_many(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "n": arrays["n"] + 1}))


def bootstrap_one_state_early(form: Form, **arrays: Any) -> Outputs:
    """V(S_{t+n−1}): the last state that an action was taken in."""
    import numpy as np

    values = arrays["values"]
    if values is None:
        return dict(form(**arrays))
    after = values[..., :-1].copy()
    if arrays.get("terminal"):
        after[..., -1] = np.zeros_like(after[..., -1])
    return dict(form(**{**arrays, "next_values": after}))
