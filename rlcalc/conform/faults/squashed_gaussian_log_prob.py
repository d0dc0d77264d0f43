"""Faults of the log-probability of a squashed Gaussian policy."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault
from rlcalc.conform.faults import _gaussian as shared
from rlcalc.conform.faults._gaussian import summed

mean_over_dimensions = shared.mean_over_dimensions


def _log_slope(u: Any) -> Any:
    """log(1 − tanh² u)."""
    return 2 * (np.log(2).astype(u.dtype) - u - np.logaddexp(np.zeros_like(u), -2 * u))


def _log_half(arrays: dict[str, Any]) -> Any:
    """log s of every dimension."""
    low = arrays.get("low")
    half = arrays["scale"] if low is None else (arrays["high"] - low) / 2
    return np.broadcast_to(np.log(half), arrays["u"].shape)


def _changed(form: Form, arrays: dict[str, Any], more: Any) -> Outputs:
    found = form(**arrays)
    return {**summed("log_prob", "log_probs", found["log_probs"] + more), "action": found["action"]}


@fault("ignored")
def correction_missing(form: Form, /, **arrays: Any) -> Outputs:
    """Gives the density of what was drawn, without the slope of tanh.

    Shown when: An action away from the middle.
    Cause: The action is squashed after its log-probability was formed.
    Fix: Subtract log(1 − tanh² u) for every dimension.
    - log_prob = normal.log_prob(u).sum(-1)
    + log_prob = (normal.log_prob(u) - 2 * (math.log(2) - u - F.softplus(-2 * u))).sum(-1)
    """
    return _changed(form, arrays, _log_slope(arrays["u"]))


@fault("sign")
def correction_added(form: Form, /, **arrays: Any) -> Outputs:
    """Adds the logarithm of the slope of tanh.

    Shown when: An action away from the middle.
    Cause: The change of variables is applied the wrong way round.
    Fix: Subtract it: where tanh is flat, many numbers become one action.
    - log_prob = (normal.log_prob(u) + torch.log(1 - action**2)).sum(-1)
    + log_prob = (normal.log_prob(u) - 2 * (math.log(2) - u - F.softplus(-2 * u))).sum(-1)
    """
    return _changed(form, arrays, 2 * _log_slope(arrays["u"]))


@fault("swapped", "boyu-ai/Hands-on-RL issue #44")
def tanh_twice(form: Form, /, **arrays: Any) -> Outputs:
    """Squashes the action once more inside the correction: 1 − tanh²(tanh(u)).

    Shown when: An action away from the middle.
    Cause: The action is tanh(u) already when the line of the correction is reached.
    Fix: 1 − action², or the form in u that needs no logarithm of 0.
    - log_prob -= torch.log(1 - torch.tanh(action).pow(2))
    + log_prob -= 2 * (math.log(2) - u - F.softplus(-2 * u))
    """
    u = arrays["u"]
    return _changed(form, arrays, _log_slope(u) - _log_slope(np.tanh(u)))


@fault("ignored", "openai/spinningup issue #314")
def scale_missing(form: Form, /, **arrays: Any) -> Outputs:
    """Gives the density of tanh(u), not of the scaled action: log s is missing for every dimension.

    Shown when: A scale other than 1.
    Cause: The action is scaled to its limits after its log-probability was formed.
    Fix: Subtract log s for every dimension, or call the target entropy one of tanh(u).
    - log_prob = (normal.log_prob(u) - 2 * (math.log(2) - u - F.softplus(-2 * u))).sum(-1)
    + log_prob = (normal.log_prob(u) - 2 * (math.log(2) - u - F.softplus(-2 * u))).sum(-1)
    + log_prob -= torch.log(scale).sum(-1)
    """
    return _changed(form, arrays, _log_half(arrays))


@fault("swapped")
def whole_width_for_scale(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the width of the interval, high − low, for its half.

    Shown when: Bounds are given.
    Cause: An interval of width s is thought of, and tanh goes from −1 to 1.
    Fix: (high − low)/2.
    - scale = high - low
    + scale = (high - low) / 2
    """
    more = 0.0 if arrays.get("low") is None else -np.log(2).astype(arrays["u"].dtype)
    return _changed(form, arrays, more)


@argument_fault("swapped")
def density_at_the_action(arrays: Arrays) -> Arrays:
    """Evaluates the Gaussian at tanh(u), not at u.

    Shown when: An action away from the middle.
    Cause: Only the squashed action was kept, and the distribution is asked about it.
    Fix: Keep u, or find it again with atanh.
    - log_prob = normal.log_prob(torch.tanh(u))
    + log_prob = normal.log_prob(u)
    """
    # the slope stays that of u: what is drawn moves, and the mean with it
    return {"mean": arrays["mean"] + arrays["u"] - np.tanh(arrays["u"])}


@fault("precision")
def infinite_near_the_bounds(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the logarithm of a computed 1 − tanh²(u), which is 0 where tanh rounds to 1.

    Shown when: u beyond 19 in double precision, beyond 9 in single precision.
    Cause: The formula of the paper is written down as it stands.
    Fix: 2 (log 2 − u − log(1 + exp(−2u))), which is the same number.
    - log_prob -= torch.log(1 - action.pow(2))
    + log_prob -= 2 * (math.log(2) - u - F.softplus(-2 * u))
    """
    u = arrays["u"]
    with np.errstate(divide="ignore"):
        naive = np.log(1 - np.square(np.tanh(u)))
    return _changed(form, arrays, _log_slope(u) - naive)
