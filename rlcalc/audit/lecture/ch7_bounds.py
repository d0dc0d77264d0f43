"""Chapter 7: whether clipping holds the ratio where it is said to stay; ε in use, the whole objective."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit import evidence as ev
from rlcalc.audit.alter import Choice
from rlcalc.audit.cases import Counterexample, Vector, vector
from rlcalc.audit.lecture.ch7_clip import SCENARIOS, clipped, in_six_cases, places, slope, term
from rlcalc.audit.lecture.ch7_loop import ADVANTAGE, first_theta, run
from rlcalc.audit.lecture.ch8 import SOURCE, both_ends, typical, values
from rlcalc.audit.proofs import answer, positives, unit
from rlcalc.audit.registry import Statement, claim

STEP = "1/10"
UP, DOWN = "ratio/audit-one-step-leaves-the-interval", "ratio/audit-bad-action-falls-through"


def bound(side: str) -> Any:
    """1 − ε or 1 + ε for ε = 1/5."""
    return vector(f"ppo_clip/lecture-7.4-{side}-bound").answer("clipped")


def after_one_step(case: Vector, theta: Any) -> ev.Exact:
    """That the ratio of a case is what a first step to θ_L = −θ_R leads to."""
    ratio = answer("ratio", new=f"1/(1+exp({-2 * theta}))", old=case.given["old"])
    return ev.Exact("the ratio is the loop's after one step", case.answer(), "=", ratio)


def leaves(golden: str, relation: str, favours: str = "") -> list[Counterexample]:
    """The loop's first step with α = 1/10 takes a ratio out of the interval."""
    case, is_good = vector(golden), golden == UP
    theta = first_theta(STEP) if is_good else -first_theta(STEP)
    premises = [after_one_step(case, theta)]
    if favours:
        advantage = sympy.Integer(ADVANTAGE if is_good else -ADVANTAGE)
        premises.append(ev.Exact("the advantage", advantage, favours, 0))
    return case.refutes(
        f"the bandit with advantages ±5, half of each action: one step with α = {STEP}, "
        f"ratio of {'L' if is_good else 'R'}",
        ev.Exact(f"r {relation} bound", case.answer(), relation, bound("upper" if is_good else "lower")),
        premises=tuple(premises),
    )


def held(sign: str, s: Statement) -> list[ev.Evidence]:
    """Past the bound the term no longer changes: nothing drives the ratio on, nothing drives it back."""
    side, way = ("above", s.width) if sign == ">" else ("below", -s.width)
    place = next(one for one in places() if one[:2] == (sign, side))
    return [
        ev.Identity(f"A {sign} 0, r {side} the interval: ∂L/∂r", slope(place), s.flat, "0 < ε < 1"),
        ev.Identity(
            "where the objective stays at its bound", term(place), (1 + way * place.eps) * place.a, "past it"
        ),
    ]


@claim("L7.2-clip-effect-pos", favours=">", relation="<=", width=Choice(1, -1), flat=0)
def effect_pos(s: Statement, show: ev.Findings) -> None:
    show.against += leaves(UP, s.relation, s.favours)
    show.repair += held(">", s)


@claim("L7.2-clip-effect-neg", favours="<", relation=">=", width=Choice(1, -1), flat=0)
def effect_neg(s: Statement, show: ev.Findings) -> None:
    show.against += leaves(DOWN, s.relation, s.favours)
    show.repair += held("<", s)


@claim("L7.2-clip-constrains", relation="<=", width=Choice(1, -1), flat=0)
def constrains(s: Statement, show: ev.Findings) -> None:
    """A flat objective is no fence: five small epochs leave the interval, and there the gradient ends."""
    *_, before, last = run("1/50", 5)
    numbers = [*before.good, *last.good, *last.bad, *last.slope]
    _, below, above, _, _, outside, low, high = map(sympy.Rational, numbers)
    show.against += leaves(UP, s.relation)
    show.repair += held(">", s)
    show.repair += held("<", s)
    show.repair.exact("α = 1/50: after four epochs the good action is inside", below, "<", bound("upper"))
    show.repair.exact("after the fifth above it", above, ">", bound("upper"))
    show.repair.exact("and the bad one below 1 − ε", outside, "<", bound("lower"))
    show.repair.exact("where the gradient is 0, so that nothing leads back", low, "=", 0)
    show.repair.exact("exactly", high, "=", 0)


@claim("L7.3-clipping-constraint", relation="<=")
def constraint(s: Statement, show: ev.Findings) -> None:
    """Two of the lecture's own three scenarios lie outside."""
    case = vector(SCENARIOS[0])
    show.against += case.refutes(
        "the first scenario of section 7.4 starts from r = 1.5",
        ev.Exact(f"r {s.relation} 1 + ε", case.given["ratio"], s.relation, bound("upper")),
    )
    show.against += leaves(UP, s.relation)
    at_least, at_most = "clip(r) and 1 − ε", "clip(r) and 1 + ε"
    in_six_cases(show.repair, at_least, lambda at: ev.ordered("", 1 - at.eps, s.relation, clipped(at)))
    in_six_cases(show.repair, at_most, lambda at: ev.ordered("", clipped(at), s.relation, 1 + at.eps))


@claim("L7.1-limits-updates", relation="<=", start=1)
def limits(s: Statement, show: ev.Findings) -> None:
    """At r = 1 the clip does not act, so the first step has whatever length the step size gives it."""
    case = vector("ratio/audit-first-step-unrestrained")
    eps, share = unit("e"), unit("s")
    # exp(−5α) takes every value between 0 and 1; here one below (1 − ε)/(1 + ε)
    decay = (1 - eps) / (1 + eps) * share
    show.against += case.refutes(
        "the bandit with advantages ±5, half of each action, ε = 1/5: one step with α = 1",
        ev.Exact(f"r − 1 {s.relation} ε after the step", case.answer() - 1, s.relation, bound("upper") - 1),
        premises=(after_one_step(case, first_theta("1")),),
    )
    show.repair.sign("the start lies strictly below 1 + ε", 1 + eps - s.start, "0 < ε < 1")
    show.repair.sign("and strictly above 1 − ε", s.start - (1 - eps), "0 < ε < 1")
    show.repair.sign(
        "in the bandit some step size passes 1 + ε at once: 2/(1 + exp(−5α)) − (1 + ε) > 0",
        2 / (1 + decay) - (1 + eps),
        "every ε in (0, 1), every α with exp(−5α) < (1 − ε)/(1 + ε)",
    )


@claim("L7.2-eps-0.2", about="0.2", low="0.1", high="0.2")
def eps_in_use(s: Statement, show: ev.Findings) -> None:
    """0.2 is the commonest published value, both ends are published, and the statements agree."""
    found = values("eps")
    about, low, high = (Fraction(part) for part in (s.about, s.low, s.high))
    most = Counter(found).most_common(1)[0][0]
    show.literal.fact("ε that most published settings have", most, "=", about, SOURCE)
    show.literal.append(typical("eps", s.low, s.high))
    show.literal += both_ends("eps", s.low, s.high)
    show.literal.fact("the one value against the range of the other section", about, "<=", high, SOURCE)
    show.literal.fact("at its upper end or inside", about, ">=", low, SOURCE)


@claim(
    "L7.3-combined",
    called=Choice("loss", "objective"),
    clip=Choice(1, -1),
    critic=Choice(-1, 1),
    entropy=Choice(1, -1),
)
def combined(s: Statement, show: ev.Findings) -> None:
    """A loss is made small; made small, this would worsen all three parts."""
    gain, error, spread, c1, c2 = positives("a b h c_1 c_2")
    total = s.clip * gain + s.critic * c1 * error + s.entropy * c2 * spread

    def better(way: int) -> list[ev.Evidence]:
        words = "larger" if way > 0 else "smaller"
        return [
            ev.Sign(f"a larger L^CLIP makes it {words}", way * total.diff(gain), "c_1, c_2 > 0"),
            ev.Sign(f"a better critic makes it {words}", -way * total.diff(error), "c_1 > 0"),
            ev.Sign(f"more entropy makes it {words}", way * total.diff(spread), "c_2 > 0"),
        ]

    if s.called == "objective":
        show.literal += better(1)
        return
    case = vector("ppo_loss/scenario-and-critic")
    show.literal += better(-1)
    show.repair += better(1)
    show.unchanged.exact(
        "loss = −objective for L^CLIP = 6, L^critic = 34, c_1 = 1/2",
        case.answer("loss"),
        "=",
        -case.answer("objective"),
    )


@claim("L7.3-entropy", slope=Choice(-1, 1), bonus=1)
def entropy(s: Statement, show: ev.Findings) -> None:
    """The bonus lifts the rarer action, and makes softmax(Q/c_2) the best policy of one state."""
    weights, c = positives("x_1 x_2 x_3"), positives("c")  # x_i = exp(θ_i), so that ∂/∂θ_i is x_i ∂/∂x_i
    chances = [x / sum(weights) for x in weights]
    total = -sum(p * sympy.log(p) for p in chances)
    # one state with Q_i = c log y_i, and the objective Σ π Q + bonus·c·H at y = x
    goals = positives("y_1 y_2 y_3")
    value = sum(p * c * sympy.log(y) for p, y in zip(chances, goals, strict=True)) + s.bonus * c * total
    there = dict(zip(goals, weights, strict=True))
    rare = 1 / (2 + positives("u"))  # of two actions
    for at, (x, p) in enumerate(zip(weights, chances, strict=True), start=1):
        show.literal.identity(
            f"∂H/∂θ_{at}",
            sympy.expand_log(x * total.diff(x)),
            sympy.expand_log(s.slope * p * (sympy.log(p) + total)),
            "three actions, all preferences",
        )
    show.literal.sign(
        "two actions: the bonus grows with the rarer action",
        s.bonus * sympy.log(sympy.simplify((1 - rare) / rare)),
        "0 < p < 1/2",
    )
    for x in weights:
        show.literal.identity(
            f"π ∝ exp(Q/c): ∂(Σ π Q + c H)/∂θ = 0 for {x}",
            sympy.expand_log(sympy.expand((x * value.diff(x)).subs(there))),
            0,
            "one state, three actions, all Q, c > 0: every action keeps a positive probability",
        )
