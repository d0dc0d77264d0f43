"""All that a claim function found out, and evidence built of other: a relation, a sum, two sequences."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit.evidence.pieces import (
    Cases,
    Evidence,
    Exact,
    Exhaustive,
    Fact,
    Identity,
    Induction,
    Sign,
    Simulation,
)
from rlcalc.audit.formula.tie import Said


def ordered(what: str, left: Any, relation: str, right: Any, over: str = "") -> Evidence:
    """``left relation right`` for every value of the symbols, which are positive unless it is an equation."""
    if relation == "=":
        return Identity(what, left, right, over)
    if relation == "!=":
        return Sign(what, (left - right) ** 2, over)
    gap = right - left if relation in ("<", "<=") else left - right
    return Sign(what, gap, over, strict=relation in ("<", ">"))


def sum_by_induction(
    what: str,
    summand: Callable[[Any], Any],
    closed: Callable[[Any], Any],
    *,
    over: str,
) -> Induction:
    """Σ_{k=1}^{n} summand(k) = closed(n) for every n ≥ 1.

    The base is the sum of one term; the step adds the next one to the
    hypothesis. No sum is ever written out.
    """
    n, first = sympy.Symbol("n", integer=True, positive=True), sympy.Integer(1)
    return Induction(
        what,
        base=(Identity("n = 1", summand(first), closed(first)),),
        step=(Identity("n → n + 1", closed(n) + summand(n + 1), closed(n + 1)),),
        over=over,
    )


def equal_by_increments(
    what: str,
    base: tuple[Any, Any],
    increments: tuple[Any, Any],
    *,
    over: str,
    start: int = 1,
    name: str = "n",
) -> Induction:
    """Two sequences are equal: they agree at the start and grow by the same amount.

    Args:
        base: both at ``start``.
        increments: (next − this) of both, at a general ``n``.
    """
    return Induction(
        what,
        base=(Identity(f"{name} = {start}", *base),),
        step=(Identity(f"both grow alike from {name} to {name} + 1", *increments),),
        over=over,
        variable=name,
    )


def sampled(
    what: str, samples: Any, relation: str, target: float, *, seed: int, matters: float
) -> Simulation:
    """The mean of independent samples, an array, with its 99.9 % interval against a target."""
    n, mean = len(samples), float(samples.mean())
    half = 3.29 * float(samples.std(ddof=1)) / math.sqrt(n)
    return Simulation(what, seed, n, mean, mean - half, mean + half, 0.999, relation, target, matters)


def _adds(kind: Callable[..., Evidence]) -> Callable[..., None]:
    def add(pieces: Pieces, *args: Any, **named: Any) -> None:
        pieces.append(kind(*args, **named))

    return add


class Pieces(list[Evidence]):
    """The evidence in one role; ``show.repair.identity(…)`` adds an ``Identity(…)`` to it."""

    identity = _adds(Identity)
    induction = _adds(Induction)
    cases = _adds(Cases)
    sign = _adds(Sign)
    exact = _adds(Exact)
    exhaustive = _adds(Exhaustive)
    fact = _adds(Fact)
    sampled = _adds(sampled)
    ordered = _adds(ordered)
    sum_by_induction = _adds(sum_by_induction)
    equal_by_increments = _adds(equal_by_increments)


class Findings:
    """All that a claim function found out; see ``rlcalc.audit.registry``.

    Attributes:
        literal: evidence for the statement as it stands. All of it must hold.
        against: counterexamples to it (in taxonomy also facts that contradict it).
        repair: evidence for what is true instead; its text stands in ``specs/claims``.
        unchanged: that the printed numbers stay under another reading.
        unknowable: why nothing can be computed; then nothing else is given.
        holes: what fills the holes of the claim's template besides the parts of the statement.
        says: the claim's formula, chain by chain, as its evidence has it.
    """

    def __init__(
        self,
        literal: Iterable[Evidence] = (),
        against: Iterable[Evidence] = (),
        repair: Iterable[Evidence] = (),
        unchanged: Iterable[Evidence] = (),
        unknowable: str = "",
    ) -> None:
        self.literal, self.against = Pieces(literal), Pieces(against)
        self.repair, self.unchanged = Pieces(repair), Pieces(unchanged)
        self.unknowable = unknowable
        self.holes: dict[str, Any] = {}
        self.says: list[Said] = []

    def fill(self, **holes: Any) -> None:
        """What stands in holes of the claim's template; parts of the statement do so by themselves."""
        self.holes.update(holes)

    def roles(self) -> list[tuple[str, Evidence]]:
        """Every piece with the part that it plays."""
        parts = {
            "literal": self.literal,
            "against": self.against,
            "repair": self.repair,
            "unchanged": self.unchanged,
        }
        return [(role, piece) for role, pieces in parts.items() for piece in pieces]

    def all(self) -> list[Evidence]:
        return [piece for _, piece in self.roles()]
