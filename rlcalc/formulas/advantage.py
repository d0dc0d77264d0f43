"""Advantage: how much better an action turned out than the critic expected.

    A = G − V(S)                 from the whole return, or
    A = R + γ V(S') − V(S)       from one reward and the critic, the TD error.

Both estimate A(s, a) = Q(s, a) − V(s); the second is right on average only as
far as the critic is.

Source: Sutton and Barto, 2nd edition, section 13.4 and equation 13.12;
Schulman et al., arXiv:1506.02438, section 3.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.exact import compare
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name

READINGS = {1: "better", 0: "as expected", -1: "worse"}


def exact_form(d: Derivation, i: Inputs) -> None:
    value = d.given(Name("V", arg=Name("S")), i.value)
    if i.return_ is not None:
        definition = d.given("G", i.return_) - value
    else:
        gamma, later = d.given("γ", i.gamma), d.given(Name("V", arg=Name("S'")), i.next_value)
        definition = d.given("R", i.reward) + gamma * later - value
    side = compare(definition.value, 0)
    advantage = d.step("A", definition, _why(side))
    d.output("advantage", advantage)
    if side is not None:
        d.output("reading", READINGS[side])
    else:
        d.note("The reading needs numbers: with a symbol the sign of the advantage is open.")


def _why(side: int | None) -> str:
    if side is None:
        return ""
    if side == 0:
        return "as expected: the probability of the action stays"
    return f"{READINGS[side]} than expected: the action becomes {'more' if side > 0 else 'less'} likely"


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """G − V, or R + γV' − V, entry by entry: all [...]."""
    if a.return_ is not None:
        return {"advantage": a.return_ - a.value}
    return {"advantage": a.reward + a.gamma * a.next_value - a.value}
