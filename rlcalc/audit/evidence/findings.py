"""All that a claim function found out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rlcalc.audit.evidence.built import equal_by_increments, ordered, sum_by_induction
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
    simulation = _adds(Simulation)
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
        reads: what names of the formula stand for, where ``says`` has something else in their place.
    """

    def __init__(
        self,
        literal: Iterable[Evidence] = (),
        against: Iterable[Evidence] = (),
        repair: Iterable[Evidence] = (),
        unchanged: Iterable[Evidence] = (),
        unknowable: str = "",
        says: Iterable[Said] = (),
        reads: Mapping[str, Any] | None = None,
    ) -> None:
        self.literal, self.against = Pieces(literal), Pieces(against)
        self.repair, self.unchanged = Pieces(repair), Pieces(unchanged)
        self.unknowable, self.says, self.reads = unknowable, list(says), reads or {}
        self.holes: dict[str, Any] = {}

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
