"""One update of a value estimate towards a target.

    V_new = V + α (target − V),   0 < α < 2.

Repeated with one target the distance to it is multiplied by 1−α each time,
which shrinks exactly for 0 < α < 2; above 1 it changes sign as well. The
numeric forms interpolate from the nearer end, so that α = 1 gives the target
itself and target = V gives V itself, without a rounding error.

Source: Sutton and Barto, 2nd edition, equations 2.4 and 6.2.
"""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np, torch
from rlcalc.inputs.bind import Inputs
from rlcalc.steps.derivation import Derivation
from rlcalc.steps.terms import Name


def exact_form(d: Derivation, i: Inputs) -> None:
    value, target, alpha = d.given("V", i.value), d.given("target", i.target), d.given("α", i.alpha)
    error = d.step("δ", target - value)
    d.output("value", d.step(Name("V", "new"), value + alpha * error))
    d.output("error", error)


def numpy_form(value: Any, target: Any, alpha: Any) -> dict[str, Any]:
    """V + α(target − V) from the nearer end, entry by entry: all [...]."""
    error = target - value
    near_target = target - (1 - alpha) * error
    return {"value": np.where(alpha < 0.5, value + alpha * error, near_target), "error": error}


def torch_form(value: Any, target: Any, alpha: Any) -> dict[str, Any]:
    """As ``numpy_form``, by torch.lerp."""
    return {"value": torch.lerp(value, target, alpha), "error": target - value}
