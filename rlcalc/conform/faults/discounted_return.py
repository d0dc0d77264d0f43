"""Faults of the discounted return."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form
from rlcalc.conform.faults._sequence import (
    Outputs,
    bootstrap_after_terminal,
    computes_in_float32,
    convolved,
    cut,
    discounts,
    discounts_in_float32,
    fades,
    flags_ignored,
    last_step,
    late,
    raises_at_gamma_zero,
)

__all__ = [
    "bootstrap_after_terminal",
    "computes_in_float32",
    "discounts_in_float32",
    "flags_ignored",
    "raises_at_gamma_zero",
]


def first_reward_discounted(form: Form, **arrays: Any) -> Outputs:
    return {"returns": discounts(arrays) * form(**arrays)["returns"]}


def discounted_from_the_start(form: Form, **arrays: Any) -> Outputs:
    """γ^t·G_t: every reward is discounted to the first step of the sequence."""
    import numpy as np

    before = late(discounts(arrays))
    before[..., 0] = 1
    return {"returns": np.cumprod(before, axis=-1) * form(**arrays)["returns"]}


def bootstrap_not_discounted(form: Form, **arrays: Any) -> Outputs:
    """The value behind the last reward is added as it is."""
    silent = {**arrays, "rewards": arrays["rewards"] * 0}
    rewards = form(**arrays)["returns"] - form(**silent)["returns"]
    return {"returns": rewards + form(**{**silent, "gamma": arrays["gamma"] * 0 + 1})["returns"]}


def small_weights_dropped(form: Form, **arrays: Any) -> Outputs:
    """A convolution with the powers of γ down to a threshold."""
    import numpy as np

    gamma = arrays["gamma"]
    if not fades(gamma):
        return dict(form(**arrays))
    # at the ends of episodes the return is the reward with whatever is bootstrapped, and no more
    ends = cut(arrays) | last_step(arrays)
    closed = np.where(ends, form(**arrays)["returns"], arrays["rewards"])
    return {"returns": convolved(closed, gamma, ~ends)}
