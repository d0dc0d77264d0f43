"""PPO's clipped objective.

    L(r) = min( r·A, clip(r, 1−ε, 1+ε)·A ),   clip(x, a, b) = max(a, min(x, b)).

It equals r·A everywhere except where the ratio has already moved further than
ε in the direction that the advantage rewards (A > 0 and r > 1+ε, or A < 0 and
r < 1−ε); there it is constant, so the derivative by r is A or 0.

Source: Schulman et al., arXiv:1707.06347, equation 7.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.exact import compare
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Term, apply, term

_SLOPE = r"\frac{\partial L}{\partial r}"


def exact_form(d: Derivation, i: Inputs) -> None:
    r, adv, eps = d.given("r", i.ratio), d.given("A", i.adv), d.given("ε", i.eps)
    unclipped = d.step("unclipped", r * adv)
    inner = d.step("clip", apply("clip", r, 1 - eps, 1 + eps))
    clipped = d.step("clipped", inner * adv)
    objective = d.step("L", apply("min", unclipped, clipped), _why(i, unclipped.value, clipped.value))
    d.output("objective", objective)
    d.output("unclipped", unclipped)
    d.output("clipped", clipped)
    order = compare(unclipped.value, clipped.value)
    if order is not None:
        d.output("active", {-1: "unclipped", 0: "both", 1: "clipped"}[order])
    _derivatives(d, i)


def _why(i: Inputs, unclipped: Any, clipped: Any) -> str:
    """Which side is the smaller, in words; empty while symbols hide it."""
    order = compare(unclipped, clipped)
    if order is None:
        return ""
    if order == 0:
        inside = compare(i.adv, 0) != 0
        return "both sides are equal: the ratio is inside the interval" if inside else "the advantage is 0"
    if order < 0:
        return "unclipped is smaller: the ratio moved against the advantage, nothing holds it back"
    return (
        "clipped is smaller: the ratio moved further than ε with the advantage, so its derivative by r is 0"
    )


def _derivatives(d: Derivation, i: Inputs) -> None:
    """One-sided derivatives, and the one autograd returns: A where r still moves L, else 0."""
    sign = compare(i.adv, 0)
    # without an advantage L is 0, wherever the ratio stands
    low, high = (0, 0) if sign == 0 else (compare(i.ratio, 1 - i.eps), compare(i.ratio, 1 + i.eps))
    if sign is None and low == 1 and high == -1:
        sign = 1  # well inside the interval L is r·A for either sign
    if low is None or high is None or sign is None:
        d.note("The derivative needs numbers: with symbols it is not decided which side is active.")
        return
    adv = d.given("A", i.adv)
    moves_left = not ((sign > 0 and high > 0) or (sign < 0 and low <= 0))
    moves_right = not ((sign > 0 and high >= 0) or (sign < 0 and low < 0))
    kink = moves_left != moves_right
    why = "a kink: autograd returns A, since clamp passes its boundary" if kink else ""
    d.output("d_ratio", _slope(d, "", moves_left or moves_right, adv, why))
    for side, moves in (("left", moves_left), ("right", moves_right)):
        d.output(f"d_ratio_{side}", _slope(d, side, moves, adv, shown=kink))


def _slope(d: Derivation, side: str, moves: bool, adv: Term, why: str = "", *, shown: bool = True) -> Term:
    name = Name("∂L/∂r", side, tex=_SLOPE)
    if moves:
        return d.step(name, adv, why or "L is r·A here", shown=shown)
    return d.step(name, term(0), "L is the clipped side here, which does not change with r", shown=shown)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """min(r·A, clip(r, 1−ε, 1+ε)·A) and its derivative by r, entry by entry: ratio, adv, eps [...]."""
    unclipped = a.ratio * a.adv
    inner = xp.clip(a.ratio, 1 - a.eps, 1 + a.eps)
    clipped = inner * a.adv
    flat = ((a.adv > 0) & (a.ratio > 1 + a.eps)) | ((a.adv < 0) & (a.ratio < 1 - a.eps))
    return {
        "objective": xp.minimum(unclipped, clipped),
        "unclipped": unclipped,
        "clipped": clipped,
        "d_ratio": xp.where(flat, xp.zeros_like(unclipped), a.adv),
    }
