"""Counterexamples, which are golden cases, and all that a claim function found out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

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
    Status,
    worst,
)
from rlcalc.audit.formula.tie import Said
from rlcalc.audit.values import listed


@dataclass(frozen=True)
class Replay:
    """A calculator command and an answer of it.

    Attributes:
        command: as typed, from ``rlcalc`` on.
        want: the exact answer, in the grammar of the calculator; a list for a vector.
        output: name of the output; the first one when empty; ``error`` when the
            calculator refuses, and ``want`` is its code.
    """

    command: str
    want: Any
    output: str = ""


class GoldenCase(Protocol):
    """What a counterexample needs of a golden case: ``rlcalc.audit.cases.Vector``."""

    @property
    def id(self) -> str: ...

    def symbols(self) -> dict[str, Any]:
        """The inputs under the names that people give them."""

    def replays(self) -> list[Replay]:
        """Commands with their answers."""

    def is_confirmed(self) -> bool:
        """Whether the calculator answers as the case says."""


@dataclass(frozen=True)
class Smallest:
    """That nothing smaller fails, which was searched: ``cases.smallest``.

    Attributes:
        domain: among what, in words.
        tried: how many were looked at before and with the one found.
    """

    domain: str
    tried: int


@dataclass(frozen=True)
class Counterexample(Evidence):
    """Exact numbers at which everything the statement asks for is met and what it says is false.

    It ``holds`` when the premises hold, ``claimed`` fails and the calculator
    gives the golden case's answers. Inputs, commands and answers are those of
    the case, and stand there alone.

    Attributes:
        claimed: the statement at these numbers.
        golden: the golden case, as ``cases.vector`` gives it.
        premises: what the statement presupposes.
        violates: that the condition of the repair is not met here (needed for ``conditional``).
        also: further golden cases that show it.
        smallest: the search that found it.
    """

    general: ClassVar[bool] = True
    kind: ClassVar[str] = "counterexample"

    claimed: Evidence
    golden: GoldenCase | None = None
    premises: tuple[Evidence, ...] = ()
    violates: Evidence | None = None
    also: tuple[GoldenCase, ...] = ()
    smallest: Smallest | None = None

    @property
    def cases(self) -> tuple[GoldenCase, ...]:
        return (self.golden, *self.also) if self.golden else ()

    @property
    def replays(self) -> tuple[Replay, ...]:
        return tuple(one for case in self.cases for one in case.replays())

    def decide(self) -> Status:
        met = worst([part.status for part in self.premises])
        if met != "holds":
            return met
        if not all(case.is_confirmed() for case in self.cases):
            return "fails"
        return {"holds": "fails", "fails": "holds", "open": "open"}[self.claimed.status]  # type: ignore[return-value]

    def leaves(self) -> list[Evidence]:
        outside = [self.violates] if self.violates is not None else []
        return [self.claimed, *self.premises, *outside]

    def lines(self) -> list[str]:
        inputs = self.golden.symbols() if self.golden else {}
        given = ", ".join(f"{name} = {listed(value)}" for name, value in inputs.items())
        found = [f"given {given}"] if given else []
        false = ", which is false" if self.claimed.status == "fails" else ""
        found += [f"claimed: {self.claimed.what}: {line}{false}" for line in self.claimed.lines()[:1]]
        if self.violates is not None:
            found.append(f"outside the condition: {self.violates.what}: {self.violates.lines()[0]}")
        found += dict.fromkeys(f"$ {one.command}" for one in self.replays)
        if self.smallest:
            found.append(f"the smallest of {self.smallest.domain} ({self.smallest.tried} tried)")
        if self.golden:
            found.append(f"golden case {self.golden.id}")
        return found

    def latex(self) -> str:
        return self.claimed.latex()


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
    counterexample = _adds(Counterexample)
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
