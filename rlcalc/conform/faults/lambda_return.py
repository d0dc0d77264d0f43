"""Faults of the λ-return."""

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
    early,
    fades,
    flags,
    last_step,
    narrow,
    next_value_of_reset_state,
    next_values,
    raises_at_gamma_lam_zero,
    recursion_crosses_truncation,
    with_returns,
)

__all__ = [
    "bootstrap_after_terminal",
    "computes_in_float32",
    "next_value_of_reset_state",
    "raises_at_gamma_lam_zero",
    "recursion_crosses_truncation",
]


def wrong_state_before_last(form: Form, **arrays: Any) -> Outputs:
    """Step T − 2 bootstraps from the state that step T − 1 does."""
    after = next_values(arrays).copy()
    if after.shape[-1] > 1:
        after[..., -2] = after[..., -1]
    return dict(form(**{**arrays, "next_values": after}))


def remainder_missing(form: Form, **arrays: Any) -> Outputs:
    """The last return has (1−λ)λ^(N−1) for a weight: λ^N of the full return is not there."""
    from rlcalc.recurrence.scan import scan_numpy

    found = form(**arrays)
    full = form(**{**arrays, "lam": arrays["lam"] * 0 + 1})["returns"]
    ends = cut(arrays) | last_step(arrays)
    lam = arrays["lam"]
    powers = scan_numpy((lam * ends).astype(full.dtype), lam * ~ends)
    return with_returns(found, arrays, found["returns"] - powers * full)


def one_minus_lam_missing(form: Form, **arrays: Any) -> Outputs:
    """R + γ·(V' + λG) where the episode goes on."""
    from rlcalc.recurrence.scan import scan_numpy

    over = cut(arrays) | last_step(arrays)
    base = arrays["rewards"] + arrays["gamma"] * bootstraps(arrays)
    returns = scan_numpy(base, arrays["gamma"] * arrays["lam"] * ~over)
    return with_returns({}, arrays, returns.astype(arrays["rewards"].dtype))


def lam_and_rest_swapped(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "lam": 1 - arrays["lam"]}))


def value_before_termination_zero(form: Form, **arrays: Any) -> Outputs:
    """The state whose step terminates counts as terminal itself."""
    import numpy as np

    over = flags(arrays, "terminated")
    after = np.where(early(over), arrays["rewards"].dtype.type(0), next_values(arrays))
    return dict(form(**{**arrays, "next_values": after}))


def small_weights_dropped(form: Form, **arrays: Any) -> Outputs:
    """A convolution of R + γ·(1 − λ)·V' with the powers of γλ down to a threshold."""
    import numpy as np

    gamma, lam = arrays["gamma"], arrays["lam"]
    if not fades(gamma * lam):
        return dict(form(**arrays))
    ends = cut(arrays) | last_step(arrays)
    rest = np.where(ends, np.ones_like(lam), 1 - lam)
    base = arrays["rewards"] + gamma * rest * bootstraps(arrays)
    return with_returns({}, arrays, convolved(base, gamma * lam, ~ends))


def discounts_in_float32(form: Form, **arrays: Any) -> Outputs:
    """γ, γλ and 1 − λ are float32 numbers when they meet the data; the last two no longer fit together."""
    import numpy as np

    gamma, lam = narrow(arrays["gamma"]), narrow(arrays["lam"])
    changed = {**arrays, "gamma": gamma, "lam": lam}
    if not np.ndim(gamma) and gamma > 0:
        changed["lam"] = narrow(gamma * lam) / gamma
        more = gamma * (narrow(1 - lam) - (1 - changed["lam"])) * bootstraps(arrays)
        goes_on = ~(cut(arrays) | last_step(arrays))
        changed["rewards"] = arrays["rewards"] + np.where(goes_on, more, 0)
    return dict(form(**changed))
