"""Chapter 8, section 8.5: the order of what bounds a step of TRPO, and of what moves PPO."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit import evidence as ev
from rlcalc.audit.alter import Choice
from rlcalc.audit.lecture.ch7_clip import places, slope
from rlcalc.audit.proofs import answer, positives, unit
from rlcalc.audit.registry import Statement, claim
from rlcalc.audit.tables import algorithms
from rlcalc.audit.zero import zero_status

MOST = 3
TWO = "two softmax actions, any policy; the preference of the first moves by t"


def lowest(function: Any, t: Any) -> Any:
    """The order of the first derivative at t = 0 that is not 0 whatever the policy.

    Raises:
        ValueError: none of the first ones, or one that is not settled.
    """
    for order in range(1, MOST + 1):
        status = zero_status(sympy.simplify(function.diff(t, order).subs(t, 0)))
        if status == "fails":
            return sympy.Integer(order)
        if status == "open":
            break
    raise ValueError(f"no order of {function} is settled")


@claim("L8.5-second-order", trpo=2, ppo=1, hard=Choice("kl", "clip"), soft=Choice("clip", "kl"))
def second_order(s: Statement, show: ev.Findings) -> None:
    """At the old policy the divergence has no slope, only its curvature bounds a step."""
    t, adv, p = sympy.Symbol("t", real=True), positives("a"), unit("x")
    moved = p * sympy.exp(t) / (p * sympy.exp(t) + 1 - p)
    divergence = answer("kl", p=["p", "1-p"], q=["q", "1-q"])
    old, new = sorted(divergence.free_symbols, key=str)
    bound = divergence.subs({old: p, new: moved})
    # inside the interval, where every step from the old policy begins
    place = next(one for one in places() if one[:2] == (">", "inside"))
    objective = slope(place).subs(place.a, adv) * moved / p
    orders = lowest(bound, t), lowest(objective, t)
    trpo, ppo = algorithms()["TRPO"], algorithms()["PPO"]
    show.literal.exact("order of the first derivative in TRPO's bound that is not 0", orders[0], "=", s.trpo)
    show.literal.identity(
        "it is the Fisher information, the matrix that its step is solved with",
        bound.diff(t, orders[0]).subs(t, 0),
        p * (1 - p),
        TWO,
    )
    show.literal.exact("order of the first in PPO's objective", orders[1], "=", s.ppo)
    show.literal.identity(
        "it is the advantage times the score, the gradient that every optimiser takes",
        objective.diff(t, orders[1]).subs(t, 0),
        adv * (1 - p),
        TWO,
    )
    show.literal.fact("what bounds a step of TRPO", trpo.limit, "=", s.hard, trpo.source)
    show.literal.fact("what bounds a step of PPO", ppo.limit, "=", s.soft, ppo.source)
