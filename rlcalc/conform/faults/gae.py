"""Faults of generalised advantage estimation."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form
from rlcalc.conform.faults._sequence import (
    Outputs,
    bootstrap_after_terminal,
    bootstraps,
    computes_in_float32,
    convolved,
    cut,
    discounts,
    early,
    fades,
    flags,
    flags_ignored,
    last_step,
    late,
    narrow,
    next_value_of_reset_state,
    next_values,
    raises_at_gamma_lam_zero,
    recursion_crosses_ends,
    recursion_crosses_truncation,
)

__all__ = [
    "bootstrap_after_terminal",
    "computes_in_float32",
    "flags_ignored",
    "next_value_of_reset_state",
    "raises_at_gamma_lam_zero",
    "recursion_crosses_ends",
    "recursion_crosses_truncation",
]


def _with_advantages(arrays: dict[str, Any], advantages: Any) -> Outputs:
    return {"advantages": advantages, "returns": advantages + arrays["values"][..., :-1]}


def _recursion(arrays: dict[str, Any], delta: Any, decay: Any) -> Outputs:
    from rlcalc.recurrence.scan import scan_numpy

    advantages = scan_numpy(delta, decay * ~cut(arrays))
    return _with_advantages(arrays, advantages.astype(arrays["rewards"].dtype))


def lam_missing_in_recursion(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "lam": arrays["lam"] * 0 + 1}))


def lam_twice(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "lam": arrays["lam"] * arrays["lam"]}))


def gamma_twice(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "gamma": arrays["gamma"] * arrays["gamma"]}))


def recursion_never_carried(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "lam": arrays["lam"] * 0}))


def gamma_missing_in_recursion(form: Form, **arrays: Any) -> Outputs:
    delta = arrays["rewards"] + arrays["gamma"] * bootstraps(arrays) - arrays["values"][..., :-1]
    return _recursion(arrays, delta, arrays["lam"])


def gamma_missing_in_bootstrap(form: Form, **arrays: Any) -> Outputs:
    delta = arrays["rewards"] + bootstraps(arrays) - arrays["values"][..., :-1]
    return _recursion(arrays, delta, arrays["gamma"] * arrays["lam"])


def last_advantage_zero(form: Form, **arrays: Any) -> Outputs:
    """The recursion starts one step before the end: to it, the last step had no TD error."""
    import numpy as np

    at_end = last_step(arrays)
    rewards = np.where(at_end, arrays["values"][..., :-1], arrays["rewards"])
    over = flags(arrays, "terminated") | at_end
    return dict(form(**{**arrays, "rewards": rewards, "terminated": over}))


def bootstrap_after_last_terminal(form: Form, **arrays: Any) -> Outputs:
    over = flags(arrays, "terminated") & ~last_step(arrays)
    return dict(form(**{**arrays, "terminated": over}))


def bootstrap_counted_twice(form: Form, **arrays: Any) -> Outputs:
    """The recursion starts from V behind the last step, where nothing is to come."""
    import numpy as np

    again = discounts(arrays) * arrays["lam"] * next_values(arrays)
    rewards = arrays["rewards"] + np.where(last_step(arrays) & ~cut(arrays), again, 0)
    return dict(form(**{**arrays, "rewards": rewards.astype(arrays["rewards"].dtype)}))


def truncated_advantage_zero(form: Form, **arrays: Any) -> Outputs:
    """No TD error at a truncated step: its reward is what the critic expected, and nothing follows."""
    import numpy as np

    cut_off = flags(arrays, "truncated")
    rewards = np.where(cut_off, arrays["values"][..., :-1], arrays["rewards"])
    over = flags(arrays, "terminated") | cut_off
    return dict(form(**{**arrays, "rewards": rewards, "terminated": over}))


def truncation_bootstraps_own_value(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    after = np.where(flags(arrays, "truncated"), arrays["values"][..., :-1], next_values(arrays))
    return dict(form(**{**arrays, "next_values": after}))


def truncation_ends_with_discounts_per_step(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    if not np.ndim(arrays["gamma"]) or arrays.get("truncated") is None:
        return dict(form(**arrays))
    return dict(form(**{**arrays, "terminated": cut(arrays), "truncated": None}))


def done_mask_one_late(form: Form, **arrays: Any) -> Outputs:
    """The flag of a step is read as that of the step before it."""
    changed = {name: late(flags(arrays, name)) for name in ("terminated", "truncated")}
    return dict(form(**{**arrays, **changed}))


def done_mask_one_early(form: Form, **arrays: Any) -> Outputs:
    changed = {name: early(flags(arrays, name)) for name in ("terminated", "truncated")}
    return dict(form(**{**arrays, **changed}))


def reward_one_late(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "rewards": late(arrays["rewards"])}))


def rows_one_early(form: Form, **arrays: Any) -> Outputs:
    """Reward and flags of the row behind; the last row has none and stays at 0."""
    import numpy as np

    at_end = last_step(arrays)
    changed = {
        # without a TD error, and nothing is carried over from it
        "rewards": np.where(at_end, arrays["values"][..., :-1], early(arrays["rewards"])),
        "terminated": early(flags(arrays, "terminated")) | at_end,
        "truncated": early(flags(arrays, "truncated")),
    }
    return dict(form(**{**arrays, **changed}))


def advantage_from_next_return(form: Form, **arrays: Any) -> Outputs:
    """R + γ·(λ-return of the next step) − V, where the next step is of the same episode."""
    import numpy as np

    found = dict(form(**arrays))
    old, returns = arrays["values"][..., :-1], found["returns"]
    onward = arrays["rewards"] + arrays["gamma"] * early(returns) - old
    ends = cut(arrays) | last_step(arrays)
    return {**found, "advantages": np.where(ends, found["advantages"], onward)}


def small_weights_dropped(form: Form, **arrays: Any) -> Outputs:
    """A convolution with the powers of γλ down to a threshold, and with no power at all at γλ = 0."""
    decay = arrays["gamma"] * arrays["lam"]
    if not fades(decay):
        return dict(form(**arrays))
    delta = arrays["rewards"] + arrays["gamma"] * bootstraps(arrays) - arrays["values"][..., :-1]
    return _with_advantages(arrays, convolved(delta, decay, ~cut(arrays)))


def discounts_in_float32(form: Form, **arrays: Any) -> Outputs:
    """γ, and the product γλ, are float32 numbers when they meet the data."""
    import numpy as np

    gamma, lam = narrow(arrays["gamma"]), arrays["lam"]
    if np.ndim(gamma):
        lam = narrow(lam)
    elif gamma > 0:
        lam = narrow(arrays["gamma"] * lam) / gamma
    return dict(form(**{**arrays, "gamma": gamma, "lam": lam}))


def bootstrap_discount_in_float32(form: Form, **arrays: Any) -> Outputs:
    """γ is a float32 number in the TD error, and γλ is none."""
    more = (narrow(arrays["gamma"]) - arrays["gamma"]) * bootstraps(arrays)
    return dict(form(**{**arrays, "rewards": arrays["rewards"] + more}))


def returns_are_monte_carlo(form: Form, **arrays: Any) -> Outputs:
    whole = form(**{**arrays, "lam": arrays["lam"] * 0 + 1})
    return {**form(**arrays), "returns": whole["returns"]}


def returns_are_values(form: Form, **arrays: Any) -> Outputs:
    """Advantages of a buffer that is still empty are added to the values."""
    import numpy as np

    found = dict(form(**arrays))
    return {**found, "returns": np.broadcast_to(arrays["values"][..., :-1], found["advantages"].shape)}
