"""One update of a value estimate towards a target.

    V_new = V + α (target − V),   0 < α < 2,

with any target, or with TD(0)'s, R + γ V(S'), of one step.

Repeated with one target the distance to it is multiplied by 1−α each time,
which shrinks exactly for 0 < α < 2; above 1 it changes sign as well. The
numeric forms interpolate from the nearer end, so that α = 1 gives the target
itself and target = V gives V itself, without a rounding error.

Source: Sutton and Barto, 2nd edition, equations 2.4, 6.1 and 6.2.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Term


def exact_form(d: Derivation, i: Inputs) -> None:
    value, target, alpha = d.given("V", i.value), _target(d, i), d.given("α", i.alpha)
    error = d.step("δ", target - value)
    d.output("value", d.step(Name("V", "new"), value + alpha * error))
    d.output("error", error)


def _target(d: Derivation, i: Inputs) -> Term:
    if i.target is not None:
        return d.given("target", i.target)
    reward, gamma = d.given("R", i.reward), d.given("γ", i.gamma)
    return d.step("target", reward + gamma * d.given(Name("V", arg=Name("S'")), i.next_value))


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """V + α(target − V) from the nearer end, entry by entry: all [...]."""
    target = a.reward + a.gamma * a.next_value if a.target is None else a.target
    error = target - a.value
    near_target = target - (1 - a.alpha) * error
    return {"value": xp.where(a.alpha < 0.5, a.value + a.alpha * error, near_target), "error": error}
