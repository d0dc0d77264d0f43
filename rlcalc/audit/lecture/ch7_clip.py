"""Chapter 7, sections 7.2 to 7.4: the clipped objective, case by case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from rlcalc._lazy import sympy
from rlcalc.audit import evidence as ev
from rlcalc.audit.alter import Choice
from rlcalc.audit.cases import vector
from rlcalc.audit.proofs import positives, unit
from rlcalc.audit.registry import Statement, claim
from rlcalc.audit.zero import sign_status, zero_status


class Place(NamedTuple):
    """Sign of A, place of r, and r, A, ε as expressions that cover that case wholly."""

    sign: str
    side: str
    r: Any
    a: Any
    eps: Any


SCENARIOS = [f"ppo_clip/lecture-7.4-s{number}" for number in (1, 2, 3)]
SIX_CASES = "A > 0 and A < 0, each with r below, inside and above the interval (0 < ε < 1, no kink)"


def places() -> Iterator[Place]:
    """The six of them (A ≠ 0, no kink)."""
    eps, size = unit("e"), positives("a")
    where = {
        "below": (1 - eps) * unit("s"),
        "inside": 1 - eps + 2 * eps * unit("s"),
        "above": 1 + eps + positives("u"),
    }
    for sign, advantage in ((">", size), ("<", -size)):
        for side, ratio in where.items():
            yield Place(sign, side, ratio, advantage, eps)


def in_six_cases(show: ev.Pieces, what: str, case: Callable[[Place], ev.Evidence]) -> None:
    """The same piece of evidence for each case."""
    show.cases(what, tuple(case(place) for place in places()), SIX_CASES)


def smaller(one: Any, other: Any) -> Any:
    """The smaller of two expressions whose order is the same everywhere.

    Raises:
        ValueError: the order could not be settled.
    """
    if sign_status(other - one, strict=False) == "holds":
        return one
    if sign_status(one - other, strict=False) == "holds":
        return other
    raise ValueError(f"the order of {one} and {other} is not settled")


def larger(one: Any, other: Any) -> Any:
    return -smaller(-one, -other)


CHOOSE = {"min": smaller, "max": larger}


def clip(x: Any, low: Any, high: Any, outer: str = "max") -> Any:
    """As the lecture defines it; or with maximum and minimum exchanged."""
    inner = "min" if outer == "max" else "max"
    return CHOOSE[outer](low, CHOOSE[inner](x, high))


def clipped(place: Place) -> Any:
    """The ratio inside the interval."""
    return clip(place.r, 1 - place.eps, 1 + place.eps)


def term(place: Place, choose: str = "min") -> Any:
    """The objective of one sample."""
    return CHOOSE[choose](place.r * place.a, clipped(place) * place.a)


def slope(place: Place) -> Any:
    """∂L/∂r, from the branch that counts there."""
    _, side, ratio, a, eps = place
    r = sympy.Symbol("r")
    held = {"below": 1 - eps, "inside": r, "above": 1 + eps}[side] * a
    counts = next(one for one in (r * a, held) if zero_status(one.subs(r, ratio) - term(place)) == "holds")
    return counts.diff(r)


@claim("L7.2-lclip", choose=Choice("min", "max"), outside=True)
def definition(s: Statement, show: ev.Findings) -> None:
    """In each of six cases it is A·min(r, 1 + ε) for A > 0 and A·max(r, 1 − ε) for A < 0."""

    def value(place: Place) -> ev.Evidence:
        sign, side, r, a, eps = place
        held = clip(r, 1 - eps, 1 + eps)
        found = CHOOSE[s.choose](r * a, held * a) if s.outside else CHOOSE[s.choose](r, held) * a
        wanted = a * (smaller(r, 1 + eps) if sign == ">" else larger(r, 1 - eps))
        return ev.Identity(f"A {sign} 0, r {side}", found, wanted)

    show.fill(each="A_t" if s.outside else 1, once=1 if s.outside else "A_t")
    in_six_cases(show.literal, "it is A·min(r, 1 + ε) for A > 0, A·max(r, 1 − ε) for A < 0", value)


@claim("L7.4-range", below=-1, above=1, low="0.8", high="1.2")
def interval(s: Statement, show: ev.Findings) -> None:
    """The bounds by their formula, at the ε of two cases, and what the calculator clips to there."""
    eps = positives("epsilon")
    show.fill(lower=1 + s.below * eps, upper=1 + s.above * eps)
    for name, side, stated in (("lower", s.below, s.low), ("upper", s.above, s.high)):
        case = vector(f"ppo_clip/lecture-7.4-{name}-bound")
        show.literal.exact(f"the {name} bound by its formula", 1 + side * case.number("eps"), "=", stated)
        show.literal.exact("a ratio beyond it is clipped to", case.answer("clipped"), "=", stated)


@claim("L7.4-s2-worse", relation="<=", choose=Choice("min", "max"))
def worse(s: Statement, show: ev.Findings) -> None:
    """Never above either of the two, in all six cases; strictly below one where clipping acts."""
    case = vector(SCENARIOS[1])

    def against(other: Callable[[Place], Any]) -> Callable[[Place], ev.Evidence]:
        return lambda at: ev.ordered("", term(at, s.choose), s.relation, other(at))

    in_six_cases(show.literal, "L against r A", against(lambda at: at.r * at.a))
    in_six_cases(show.literal, "L against clip(r) A", against(lambda at: clipped(at) * at.a))
    show.literal.exact(
        "in the scenario: clipped below unclipped",
        case.answer("clipped"),
        s.relation,
        case.answer("unclipped"),
    )


@claim("L7.3-clip-gradient", good=">", bad="<", flat=0)
def derivative(s: Statement, show: ev.Findings) -> None:
    """By differentiating the branch that counts; at r = 1 + ε the two sides disagree."""

    def stated(place: Place) -> ev.Evidence:
        sign, side, _, a, _ = place
        # how r lies to the bound that is named for this sign of A
        lies = (">" if side == "above" else "<") if sign == ">" else ("<" if side == "below" else ">")
        is_flat = lies in (s.good if sign == ">" else s.bad)
        return ev.Identity(f"A {sign} 0, r {side}", slope(place), s.flat if is_flat else a)

    kink = vector("ppo_clip/kink-above-good")
    left, right = kink.answer("d_ratio_left"), kink.answer("d_ratio_right")
    show.against += kink.refutes(
        "at r = 1 + ε a rising term becomes a flat one",
        ev.Exact("left derivative = right derivative", left, "=", right),
        violates=ev.Exact(
            "r is at the kink 1 + ε", kink.given["ratio"], "=", kink.answer("clipped", adv="1")
        ),
    )
    in_six_cases(show.repair, "the derivative of the branch that counts", stated)


@claim("L7.3-clip-def", outer=Choice("max", "min"))
def clip_definition(s: Statement, show: ev.Findings) -> None:
    """For a ≤ b it is the nearest point of the interval; the order of min and max matters only for a > b."""
    low, width = positives("a w")
    high, inside = low + width, low + width * unit("s")
    nearest = (
        ("x below a", low * unit("s"), low),
        ("x between", inside, inside),
        ("x above b", high + positives("u"), high),
    )
    over = "a < b, x below, between and above"
    eps = unit("e")
    show.fill(inner="min" if s.outer == "max" else "max")
    show.literal.cases(
        "the nearest point of the interval",
        tuple(ev.Identity(what, clip(x, low, high, s.outer), point) for what, x, point in nearest),
        over,
    )
    show.literal.cases(
        "min(b, max(x, a)), as libraries have it, is the same",
        tuple(
            ev.Identity(what, clip(x, low, high, s.outer), smaller(high, larger(x, low)))
            for what, x, _ in nearest
        ),
        over,
    )
    show.literal.sign("PPO's bounds are in order", (1 + eps) - (1 - eps), "0 < ε < 1")


@claim("L7.3-eps-domain", bounded=False, low=0, high=1)
def eps_domain(s: Statement, show: ev.Findings) -> None:
    """Both bounds have to lie on their own side of 1, and the lower one where ratios are."""
    eps, over = s.low + (s.high - s.low) * unit("e"), f"{s.low} < ε < {s.high}"
    domain = [
        ev.Sign("1 − ε > 0", 1 - eps, over),
        ev.Sign("the start r = 1 lies above 1 − ε and below 1 + ε", eps, over),
    ]
    show.fill(domain=[s.low, s.high] if s.bounded else r"\mathbb{R}")
    if s.bounded:
        show.literal += domain
        return
    case = vector("ppo_clip/lower-bound-never-acts")
    show.against += case.refutes(
        "with ε = 1 the lower bound is 0, and no ratio lies below it: bad actions are never held",
        ev.Exact("1 − ε > 0, so that some ratio lies below it", 1 - case.number("eps"), ">", 0),
        violates=ev.Exact("ε is not below 1", case.given["eps"], ">=", s.high),
    )
    show.repair += domain


@claim("L7.4-missing-cases", relation="=")
def missing(s: Statement, show: ev.Findings) -> None:
    """Two of the four ways to be outside are not shown, and there the clip does not act."""
    absent = [vector(f"ppo_clip/{name}") for name in ("good-action-less-likely", "bad-action-more-likely")]
    shown = [vector(id) for id in SCENARIOS[:2]]
    for case in absent:
        show.against += case.refutes(
            f"outside the interval at r = {case.given['ratio']} with A = {case.given['adv']}",
            ev.Exact(f"L {s.relation} clip(r) A", case.answer(), s.relation, case.answer("clipped")),
        )
        show.repair.exact(case.case.about, case.answer(), "=", case.answer("unclipped"))
    for case in shown:
        show.repair.exact(case.case.about, case.answer(), s.relation, case.answer("clipped"))
