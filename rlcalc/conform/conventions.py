"""Declared conventions: readings under which other answers are right.

``specs/faults/<formula>.toml`` says which of these a formula has and who
uses them; a convention's name with underscores is its function here. It
takes the right form and the arrays, and gives what the convention gives.
``CALLS`` changes what the target is called with, where a convention is about
the arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rlcalc.conform.faults import Form

Outputs = dict[str, Any]


def _flags(arrays: dict[str, Any], name: str) -> Any:
    import numpy as np

    given = arrays.get(name)
    return np.zeros(arrays["rewards"].shape, bool) if given is None else given


def truncation_as_termination(form: Form, **arrays: Any) -> Outputs:
    """A time limit ends the episode for good: no bootstrap after it."""
    over = _flags(arrays, "terminated") | _flags(arrays, "truncated")
    return dict(form(**{**arrays, "terminated": over, "truncated": None}))


def no_bootstrap(form: Form, **arrays: Any) -> Outputs:
    """The sequence ends where the data end: nothing is bootstrapped from behind the last step."""
    over = _flags(arrays, "terminated").copy()
    over[..., -1] = True
    return dict(form(**{**arrays, "terminated": over}))


def without_last_value(form: Form, **arrays: Any) -> Outputs:
    """Values [T] instead of [T+1]: the target is never told the value of the last state."""
    return no_bootstrap(form, **arrays)


def loss(form: Form, **arrays: Any) -> Outputs:
    """The negative of the objective, to be minimised."""
    return {name: -value for name, value in form(**arrays).items() if value is not None}


def mean_over_batch(form: Form, **arrays: Any) -> Outputs:
    """One number: the mean over all samples."""
    import numpy as np

    return {name: np.mean(value) for name, value in form(**arrays).items() if value is not None}


def mean_reduction(form: Form, **arrays: Any) -> Outputs:
    """The mean over the samples, where the definition sums."""
    return dict(form(**{**arrays, "reduction": "mean"}))


def half_mean_reduction(form: Form, **arrays: Any) -> Outputs:
    """Half the mean of the squares."""
    return dict(form(**{**arrays, "reduction": "half-mean"}))


def ddof_1(form: Form, **arrays: Any) -> Outputs:
    """Divide by n − 1 in the variance, as torch.std does."""
    import numpy as np

    return dict(form(**{**arrays, "ddof": np.asarray(1)}))


def dual_clip_3(form: Form, **arrays: Any) -> Outputs:
    """Where the advantage is negative the objective is bounded below by 3·A."""
    import numpy as np

    found = dict(form(**arrays))
    adv, plain = arrays["adv"], found["objective"]
    return {"objective": np.where(adv < 0, np.maximum(plain, 3 * adv), plain)}


def _shorter_values(arguments: dict[str, Any]) -> dict[str, Any]:
    return {**arguments, "values": arguments["values"][..., :-1]} if "values" in arguments else arguments


CALLS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {"without-last-value": _shorter_values}
