"""Chapter 7: the clipped objective, its definition, its derivative and its scenarios."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rlcalc.audit.cases import printed
from rlcalc.audit.evidence import (
    Counterexample,
    Evidence,
    Exact,
    Fact,
    Findings,
    Identity,
    Replay,
    Sign,
    condition,
    reading,
)
from rlcalc.audit.proofs import answer, positives, unit
from rlcalc.audit.registry import Corruption, Statement, claim
from rlcalc.audit.zero import sign_status

SIDES = ("below", "inside", "above")
# where a term stops depending on the ratio
HELD = frozenset({("+", "above"), ("-", "below")})


def places() -> Iterator[tuple[str, str, Any, Any, Any]]:
    """Sign of A, place of r, and r, A, ε as expressions that cover that case wholly (A ≠ 0, no kink)."""
    eps, size = unit("e"), positives("a")
    where = {
        "below": (1 - eps) * unit("s"),
        "inside": 1 - eps + 2 * eps * unit("s"),
        "above": 1 + eps + positives("u"),
    }
    for sign, advantage in (("+", size), ("-", -size)):
        for side, ratio in where.items():
            yield sign, side, ratio, advantage, eps


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


def _first(one: Any, _: Any) -> Any:
    return one


def clip(x: Any, low: Any, high: Any) -> Any:
    """As the lecture defines it."""
    return larger(low, smaller(x, high))


def branch(side: str, eps: Any, r: Any) -> Any:
    """The clipped ratio as a function of r, on one side."""
    return {"below": 1 - eps, "inside": r, "above": 1 + eps}[side]


def objective(side: str, ratio: Any, advantage: Any, eps: Any) -> tuple[Any, Any]:
    """The term as a function of r where r is ``ratio``, and r."""
    import sympy

    r = sympy.Symbol("r")
    sides = (r * advantage, branch(side, eps, r) * advantage)
    chosen = smaller(*(part.subs(r, ratio) for part in sides))
    return next(part for part in sides if sympy.simplify(part.subs(r, ratio) - chosen) == 0), r


@claim(
    "L7.2-lclip",
    choose="min",
    outside=True,
    corruptions=[
        Corruption("the larger of the two", choose="max"),
        Corruption("the smaller of r and clip(r), then times A", outside=False),
        Corruption("no clipping", choose="unclipped"),
    ],
)
def definition(s: Statement) -> Findings:
    """In each of six cases it is A·min(r, 1 + ε) for A > 0 and A·max(r, 1 − ε) for A < 0."""
    found: list[Evidence] = []
    for sign, side, r, a, eps in places():
        held = clip(r, 1 - eps, 1 + eps)
        choose = {"min": smaller, "max": larger, "unclipped": _first}[s.choose]
        value = choose(r * a, held * a) if s.outside else choose(r, held) * a
        wanted = a * (smaller(r, 1 + eps) if sign == "+" else larger(r, 1 - eps))
        found.append(Identity(f"A {'>' if sign == '+' else '<'} 0, r {side}", value, wanted, "0 < ε < 1"))
    return Findings(literal=found)


@claim(
    "L7.4-s2-worse",
    choose="min",
    corruptions=[Corruption("the better of the two", choose="max")],
)
def worse(s: Statement) -> Findings:
    """Never above either of the two, in all six cases; strictly below one where clipping acts."""
    found: list[Evidence] = []
    for sign, side, r, a, eps in places():
        two = (r * a, clip(r, 1 - eps, 1 + eps) * a)
        value = {"min": smaller, "max": larger}[s.choose](*two)
        for name, other in zip(("rA", "clip(r)A"), two, strict=True):
            found.append(Sign(f"{name} − L ≥ 0 for A {sign}, r {side}", other - value, "0 < ε < 1", False))
    scenario = {"ratio": "0.6", "adv": "-3", "eps": "0.2"}
    exact = (answer("ppo_clip", name, **scenario) for name in ("clipped", "unclipped"))
    found.append(Exact("in the scenario: clipped below unclipped", next(exact), "<", next(exact)))
    return Findings(literal=found)


@claim(
    "L7.3-clip-gradient",
    held=HELD,
    kinks=False,
    corruptions=[
        Corruption("0 everywhere outside the interval", held=HELD | {("+", "below"), ("-", "above")}),
        Corruption("signs of A exchanged", held=frozenset({("-", "above"), ("+", "below")})),
        Corruption("never 0", held=frozenset()),
        Corruption("condition dropped: at the kinks as well", kinks=True),
    ],
)
def derivative(s: Statement) -> Findings:
    """By differentiating the branch that counts; at r = 1 + ε the two sides disagree."""
    found: list[Evidence] = []
    for sign, side, ratio, a, eps in places():
        term, r = objective(side, ratio, a, eps)
        stated = 0 if (sign, side) in s.held else a
        found.append(Identity(f"∂L/∂r for A {sign}, r {side}", term.diff(r), stated, "0 < ε < 1"))
    kink = {"ratio": "6/5", "adv": "5", "eps": "1/5"}
    left, right = (answer("ppo_clip", f"d_ratio_{side}", **kink) for side in ("left", "right"))
    if s.kinks:
        found.append(Identity("the one-sided derivatives at r = 1 + ε agree", left, right))
    return Findings(
        against=[
            Counterexample(
                "at r = 1 + ε a rising term becomes a flat one",
                given={"r": "6/5", "A": 5, "ε": "1/5"},
                claimed=Exact("left derivative = right derivative", left, "=", right),
                violates=Exact("r is at the kink 1 + ε", "6/5", "=", "6/5"),
                replay=(
                    Replay("rlcalc ppo-clip --ratio 6/5 --adv 5 --eps 1/5", "5", "d_ratio_left"),
                    Replay("rlcalc ppo-clip --ratio 6/5 --adv 5 --eps 1/5", "0", "d_ratio_right"),
                ),
                golden="ppo_clip/kink-above-good",
                search="points: for A > 0 it is the only one, for A < 0 there is r = 1 − ε",
            )
        ],
        repair=condition(
            "It holds off the kinks (r = 1 + ε for A > 0, r = 1 − ε for A < 0). There no derivative "
            "exists; any value between 0 and A is a supergradient of the concave kink. PyTorch's autograd "
            "returns A, JAX's 3A/4.",
            found,
        ),
    )


@claim(
    "L7.3-clip-def",
    first="high",
    ordered=True,
    corruptions=[
        Corruption("min and max exchanged", first="swapped"),
        Corruption("bounds in either order, as libraries have it", ordered=False),
    ],
)
def clip_definition(s: Statement) -> Findings:
    """For a ≤ b it is the nearest point of the interval; the order of min and max matters only for a > b."""
    low, width, above = positives("a w u")
    share = unit("s")
    high = low + width
    found: list[Evidence] = []
    for what, x, nearest in (
        ("x below a", low * share, low),
        ("x between", low + width * share, low + width * share),
        ("x above b", high + above, high),
    ):
        value = clip(x, low, high) if s.first == "high" else smaller(low, larger(x, high))
        found.append(Identity(f"{what}: the nearest point of the interval", value, nearest, "a < b, all x"))
        library = smaller(high, larger(x, low))
        found.append(Identity(f"{what}: min(b, max(x, a)) is the same", clip(x, low, high), library, "a < b"))
    eps = unit("e")
    found.append(Sign("PPO's bounds are in order: (1 + ε) − (1 − ε) > 0", (1 + eps) - (1 - eps), "0 < ε < 1"))
    if not s.ordered:
        # a = 1, b = 0, x = 0
        mine, theirs = max(1, min(0, 0)), min(max(0, 1), 0)
        found.append(Exact("a = 1 above b = 0: both orders agree", mine, "=", theirs))
    return Findings(literal=found)


@claim(
    "L7.3-eps-domain",
    low=0,
    high=1,
    corruptions=[
        Corruption("bounded by 2", high=2),
        Corruption("negative ε allowed", low=-1),
    ],
)
def eps_domain(s: Statement) -> Findings:
    """Both bounds have to lie on their own side of 1, and the lower one where ratios are."""

    eps = s.low + (s.high - s.low) * unit("e")
    return Findings(
        against=[
            Counterexample(
                "with ε = 1 the lower bound is 0, and no ratio lies below it: bad actions are never held",
                given={"r": "1/10", "A": -5, "ε": 1},
                claimed=Exact("1 − ε > 0, so that some ratio lies below it", 1 - 1, ">", 0),
                violates=Exact("ε < 1 fails", 1, ">=", 1),
                replay=(Replay("rlcalc ppo-clip --ratio 1/10 --adv -5 --eps 1", "-1/2"),),
                golden="ppo_clip/lower-bound-never-acts",
                search="positive ε: every smaller one leaves room below 1 − ε",
            )
        ],
        repair=condition(
            "0 < ε < 1: below 1 the lower bound is positive and can be reached, above 0 the start r = 1 lies "
            "inside.",
            [
                Sign("1 − ε > 0", 1 - eps, f"{s.low} < ε < {s.high}"),
                Sign("the start r = 1 lies above 1 − ε and below 1 + ε", eps, f"{s.low} < ε < {s.high}"),
            ],
            latex=r"0 < \epsilon < 1",
        ),
    )


def scenarios() -> list[Evidence]:
    """The numbers that section 7.4 prints, which no more exact wording changes."""
    return [*printed(*(f"ppo_clip/lecture-7.4-s{number}" for number in (1, 2, 3)))]


@claim(
    "L7.4-missing-cases",
    shown=frozenset({("+", "above"), ("-", "below")}),
    corruptions=[
        Corruption("the two cases left out are shown too", shown=HELD | {("+", "below"), ("-", "above")})
    ],
)
def missing(s: Statement) -> Findings:
    """Two of the four ways to be outside are not shown, and there the clip does not act."""
    outside = {("+", "below"): ("3/5", "5"), ("-", "above"): ("3/2", "-3")}
    every = {(sign, side) for sign in "+-" for side in ("below", "above")}
    absent = sorted(every - s.shown)
    covered = Fact("ways to leave the interval that no scenario shows", len(absent), "=", 0, "section 7.4")
    if not absent:
        return Findings(literal=[covered])
    golden = {("+", "below"): "good-action-less-likely", ("-", "above"): "bad-action-more-likely"}
    against: list[Evidence] = []
    right: list[Evidence] = []
    for case in absent:
        ratio, adv = outside[case]
        value, held, plain = (
            answer("ppo_clip", name, ratio=ratio, adv=adv) for name in ("objective", "clipped", "unclipped")
        )
        against.append(
            Counterexample(
                f"outside the interval at r = {ratio} with A = {adv}, and the unclipped value counts",
                given={"r": ratio, "A": adv, "ε": "1/5"},
                claimed=Exact("L = clip(r) A", value, "=", held),
                replay=(Replay(f"rlcalc ppo-clip --ratio {ratio} --adv {adv}", str(value)),),
                golden=f"ppo_clip/{golden[case]}",
            )
        )
        right.append(Exact(f"r = {ratio}, A = {adv}: L = r A", value, "=", plain))
    return Findings(
        literal=[covered],
        against=against,
        repair=reading(
            "Outside the interval the clipped value counts where the advantage favours that side. Two cases "
            "are left out: a good action that became less likely, (0.6, 5), and a bad one that "
            "became more likely, (1.5, −3). There the plain product counts, 3 and −4.5, and its gradient "
            "leads back.",
            right,
            unchanged=scenarios(),
        ),
    )
