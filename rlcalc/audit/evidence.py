"""What can be found out about a statement.

Every piece of evidence computes its own status: it ``holds``, it ``fails``,
or it is ``open`` because the proof did not close. Nothing is ever assumed to
hold. The classes are plain data otherwise, so that they can be printed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Literal, Protocol

from rlcalc.audit.formula.tie import Said
from rlcalc.audit.values import is_literal, listed, number, plain, tex
from rlcalc.audit.zero import as_expression, sign_status, zero_status

Status = Literal["holds", "fails", "open"]


@dataclass(frozen=True)
class Evidence(ABC):
    """Base of all evidence.

    Attributes:
        what: what it shows, as a sentence or a noun phrase.
    """

    # whether it can settle a statement about infinitely many cases
    general: ClassVar[bool] = False
    # read off a table, which it can only repeat
    recorded: ClassVar[bool] = False
    statistical: ClassVar[bool] = False
    kind: ClassVar[str] = ""

    what: str

    @cached_property
    def status(self) -> Status:
        return self.decide()

    @abstractmethod
    def decide(self) -> Status:
        """Do the work; its result is kept as ``status``."""

    @property
    def is_idle(self) -> bool:
        """Whether it says the same twice, so that no work shows anything.

        It then counts only if some alteration of the statement makes it fail.
        """
        return False

    def leaves(self) -> list[Evidence]:
        """The pieces that it is made of, each of which must be able to fail."""
        return [self]

    def lines(self) -> list[str]:
        """Details for a reader, one line each."""
        return []

    def latex(self) -> str:
        """The decisive formula, or nothing."""
        return ""


@dataclass(frozen=True)
class Identity(Evidence):
    """``left = right`` for every value of the symbols in it.

    Attributes:
        left, right: SymPy expressions; undefined functions stand for arbitrary sequences.
        over: the range that the proof covers, in words.
    """

    general: ClassVar[bool] = True
    kind: ClassVar[str] = "identity"

    left: Any
    right: Any
    over: str = ""

    def decide(self) -> Status:
        return zero_status(as_expression(self.left) - as_expression(self.right))

    @property
    def is_idle(self) -> bool:
        return bool(as_expression(self.left) == as_expression(self.right))

    def lines(self) -> list[str]:
        shown = f"{plain(self.left)} = {plain(self.right)}"
        done = "both sides are the same, written out" if self.is_idle else "the difference simplifies to 0"
        verb = {"holds": done, "fails": "does not hold", "open": "was not settled"}[self.status]
        return [f"{shown}: {verb}", *([f"for {self.over}"] if self.over else [])]

    def latex(self) -> str:
        # SymPy may have made both sides the same already, which shows a reader nothing
        return "" if self.left == self.right else f"{tex(self.left)} = {tex(self.right)}"


@dataclass(frozen=True)
class Induction(Evidence):
    """A checked base and a checked step.

    Attributes:
        base: the statement at the first number.
        step: what is left to show once the hypothesis has been used: an identity, or a sign.
        over: the range that the proof covers.
    """

    general: ClassVar[bool] = True
    kind: ClassVar[str] = "induction"

    base: tuple[Evidence, ...]
    step: tuple[Evidence, ...]
    over: str
    variable: str = "n"

    def decide(self) -> Status:
        if not self.base or not self.step:
            return "open"
        return _worst([part.status for part in (*self.base, *self.step)])

    @property
    def is_idle(self) -> bool:
        return all(part.is_idle for part in (*self.base, *self.step))

    def lines(self) -> list[str]:
        found = [f"by induction on {self.variable}, for {self.over}"]
        for word, parts in (("base", self.base), ("step", self.step)):
            found += [f"{word}: {part.what}: {part.lines()[0]}" for part in parts]
        return found


@dataclass(frozen=True)
class Cases(Evidence):
    """The same for each of the cases that make up a domain.

    Attributes:
        parts: one piece for each case.
        over: the domain, as its cases.
    """

    general: ClassVar[bool] = True
    kind: ClassVar[str] = "cases"

    parts: tuple[Evidence, ...]
    over: str

    def decide(self) -> Status:
        return _worst([part.status for part in self.parts]) if self.parts else "open"

    @property
    def is_idle(self) -> bool:
        return all(part.is_idle for part in self.parts)

    def lines(self) -> list[str]:
        return [
            f"for {self.over}",
            *(": ".join(filter(None, (one.what, one.lines()[0]))) for one in self.parts),
        ]


@dataclass(frozen=True)
class Sign(Evidence):
    """An expression is positive (or, not ``strict``, at least 0) over its whole domain.

    All its symbols carry the assumption ``positive``; a number between 0 and
    1 is written 1/(1+p) (``proofs.unit``).
    """

    general: ClassVar[bool] = True
    kind: ClassVar[str] = "sign"

    expression: Any
    over: str = ""
    strict: bool = True

    def decide(self) -> Status:
        return sign_status(as_expression(self.expression), self.strict)

    def lines(self) -> list[str]:
        sign = ">" if self.strict else "≥"
        return [f"{plain(self.expression)} {sign} 0", *([f"for {self.over}"] if self.over else [])]

    def latex(self) -> str:
        return f"{tex(self.expression)} {'>' if self.strict else chr(92) + 'ge'} 0"


@dataclass(frozen=True)
class Exact(Evidence):
    """A relation between two exact numbers."""

    kind: ClassVar[str] = "exact"

    left: Any
    relation: str
    right: Any

    def decide(self) -> Status:
        from rlcalc.exact import compare

        sign = compare(number(self.left), number(self.right))
        if sign is None:
            return "open"
        truth = {
            "=": sign == 0,
            "!=": sign != 0,
            "<": sign < 0,
            "<=": sign <= 0,
            ">": sign > 0,
            ">=": sign >= 0,
        }[self.relation]
        return "holds" if truth else "fails"

    @property
    def is_idle(self) -> bool:
        return is_literal(self.left) and is_literal(self.right)

    def lines(self) -> list[str]:
        return [f"{plain(number(self.left))} {self.relation} {plain(number(self.right))}"]

    def latex(self) -> str:
        """The relation between the two that holds, which need not be the one that was claimed."""
        opposite = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
        relation = opposite[self.relation] if self.status == "fails" else self.relation
        sign = {"!=": r"\ne", "<=": r"\le", ">=": r"\ge"}.get(relation, relation)
        return f"{tex(number(self.left))} {sign} {tex(number(self.right))}"


@dataclass(frozen=True)
class Exhaustive(Evidence):
    """Every element of a finite domain was looked at.

    Attributes:
        cases: how many there are.
        failed: those for which the statement does not hold.
        domain: the whole domain, in words; the proof covers nothing else.
        source: the table whose rows these are; nothing where they are computed.
    """

    general: ClassVar[bool] = True
    kind: ClassVar[str] = "exhaustive"

    cases: int
    failed: tuple[str, ...]
    domain: str
    source: str = ""

    @property
    def recorded(self) -> bool:  # type: ignore[override]
        return bool(self.source)

    def decide(self) -> Status:
        if self.cases < 1:
            return "open"
        return "fails" if self.failed else "holds"

    def lines(self) -> list[str]:
        found = [self.domain if self.cases == 1 else f"all {self.cases} of {self.domain}"]
        return found + ([f"fails for {', '.join(self.failed[:5])}"] if self.failed else [])


@dataclass(frozen=True)
class Fact(Evidence):
    """Something read off data: attributes of algorithms, tables of the lecture, what cites what.

    It settles statements about structure, and no theorem.

    Attributes:
        found: what the data say.
        relation: ``=``, ``!=``, ``in``, ``not in``, ``has``, ``subset``, or an order.
        expected: what the statement says.
        source: the table that it was read off; nothing where it was computed.
    """

    kind: ClassVar[str] = "fact"

    found: Any
    relation: str
    expected: Any
    source: str = ""

    @property
    def recorded(self) -> bool:  # type: ignore[override]
        return bool(self.source)

    def decide(self) -> Status:
        found, expected = _frozen(self.found), _frozen(self.expected)
        match self.relation:
            case "=":
                truth = found == expected
            case "!=":
                truth = found != expected
            case "in":
                truth = found in expected
            case "not in":
                truth = found not in expected
            case "has":
                truth = expected in found
            case "subset":
                truth = set(found) <= set(expected)
            case "<" | "<=" | ">" | ">=":
                return Exact("", found, self.relation, expected).status
            case _:
                raise ValueError(f"facts have no relation {self.relation!r}")
        return "holds" if truth else "fails"

    def lines(self) -> list[str]:
        said_once = self.relation == "=" and self.status == "holds"
        shown = listed(self.found) + ("" if said_once else f" {self.relation} {listed(self.expected)}")
        return [shown, *([self.source] if self.source else [])]


@dataclass(frozen=True)
class Simulation(Evidence):
    """An estimate with its interval, against a target.

    Attributes:
        relation: ``covers`` (the interval contains the target), ``below``,
            ``above`` (it lies wholly on that side of it).
        matters: the smallest difference worth noticing. An interval wider
            than that could not fail, and leaves the question open.
    """

    general: ClassVar[bool] = True
    statistical: ClassVar[bool] = True
    kind: ClassVar[str] = "simulation"

    seed: int
    n: int
    estimate: float
    low: float
    high: float
    confidence: float
    relation: str
    target: float
    matters: float

    def decide(self) -> Status:
        if not self.low <= self.estimate <= self.high or (self.high - self.low) / 2 >= self.matters:
            return "open"
        truth = {
            "covers": self.low <= self.target <= self.high,
            "below": self.high < self.target,
            "above": self.low > self.target,
        }[self.relation]
        return "holds" if truth else "fails"

    def lines(self) -> list[str]:
        return [
            f"{self.estimate:.6g}, {self.confidence:.1%} interval [{self.low:.6g}, {self.high:.6g}] "
            f"{self.relation} {self.target:.6g}",
            f"{self.n} samples, seed {self.seed}; a difference of {self.matters:.3g} would have shown",
        ]


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
        given, replay: only in chapters that do not take them from the case yet.
    """

    general: ClassVar[bool] = True
    kind: ClassVar[str] = "counterexample"

    claimed: Evidence
    golden: GoldenCase | str = ""
    premises: tuple[Evidence, ...] = ()
    violates: Evidence | None = None
    also: tuple[GoldenCase, ...] = ()
    smallest: Smallest | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    replay: tuple[Replay, ...] = ()
    search: str = ""

    @property
    def replays(self) -> tuple[Replay, ...]:
        return self.replay or tuple(one for case in self.cases for one in case.replays())

    @property
    def cases(self) -> tuple[GoldenCase, ...]:
        own = () if isinstance(self.golden, str) else (self.golden,)
        return (*own, *self.also)

    @property
    def golden_id(self) -> str:
        return self.golden if isinstance(self.golden, str) else self.golden.id

    def decide(self) -> Status:
        met = _worst([part.status for part in self.premises])
        if met != "holds":
            return met
        if not all(case.is_confirmed() for case in self.cases):
            return "fails"
        return {"holds": "fails", "fails": "holds", "open": "open"}[self.claimed.status]  # type: ignore[return-value]

    def leaves(self) -> list[Evidence]:
        outside = [self.violates] if self.violates is not None else []
        return [self.claimed, *self.premises, *outside]

    def lines(self) -> list[str]:
        inputs = self.given or (self.cases[0].symbols() if self.cases else {})
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
            found.append(f"golden case {self.golden_id}")
        return found

    def latex(self) -> str:
        return self.claimed.latex()


@dataclass(frozen=True)
class Repair:
    """What is true instead, with its evidence.

    A ``condition`` under which the statement holds; a ``reading`` of it that
    holds, while every printed number stays; a ``correction``.
    """

    kind: Literal["condition", "reading", "correction"]
    statement: str
    evidence: tuple[Evidence, ...] = ()
    unchanged: tuple[Evidence, ...] = ()
    latex: str = ""


def condition(statement: str, evidence: list[Evidence], *, latex: str = "") -> Repair:
    """The statement holds when this is so."""
    return Repair("condition", statement, tuple(evidence), latex=latex)


def reading(
    statement: str, evidence: list[Evidence], *, unchanged: list[Evidence], latex: str = ""
) -> Repair:
    """The statement read as this holds, and ``unchanged`` shows that every printed number stays."""
    return Repair("reading", statement, tuple(evidence), tuple(unchanged), latex)


def correction(statement: str, evidence: list[Evidence], *, latex: str = "") -> Repair:
    """This is true instead."""
    return Repair("correction", statement, tuple(evidence), latex=latex)


@dataclass(frozen=True)
class Findings:
    """All that a claim function found out; see ``rlcalc.audit.registry``.

    Attributes:
        literal: evidence for the statement as it stands. All of it must hold.
        against: counterexamples to it (in taxonomy also facts that contradict it).
        repair: evidence for what is true instead; its text stands in ``specs/claims``.
        unchanged: that the printed numbers stay under another reading.
        unknowable: why nothing can be computed; then nothing else is given.
        says: the claim's formula, chain by chain, built from the parts that the evidence is built from.
        reads: what names of the formula stand for, where ``says`` has something else in their place.
    """

    literal: list[Evidence] = field(default_factory=list)
    against: list[Evidence] = field(default_factory=list)
    repair: Repair | list[Evidence] | None = None
    unchanged: list[Evidence] = field(default_factory=list)
    unknowable: str = ""
    says: list[Said] = field(default_factory=list)
    reads: Mapping[str, Any] = field(default_factory=dict)

    def repaired(self, text: Repair | None) -> Findings:
        """The same with the evidence of the repair under its text; evidence without a text is no repair."""
        if not isinstance(self.repair, list):
            return self
        whole = text and replace(text, evidence=tuple(self.repair), unchanged=tuple(self.unchanged))
        return replace(self, repair=whole, unchanged=[])

    def all(self) -> list[Evidence]:
        return [piece for _, piece in self.roles()]

    def roles(self) -> list[tuple[str, Evidence]]:
        """Every piece with the part that it plays."""
        found = [("literal", one) for one in self.literal] + [("against", one) for one in self.against]
        if isinstance(self.repair, Repair):
            found += [(self.repair.kind, one) for one in self.repair.evidence]
            return found + [("unchanged", one) for one in self.repair.unchanged]
        found += [("repair", one) for one in self.repair or []]
        return found + [("unchanged", one) for one in self.unchanged]


def _frozen(value: Any) -> Any:
    """Lists as tuples, whichever a table and a statement happen to use."""
    return tuple(_frozen(part) for part in value) if isinstance(value, list | tuple) else value


def _worst(statuses: list[Status]) -> Status:
    """A fault outweighs an open question, which outweighs success."""
    return "fails" if "fails" in statuses else "open" if "open" in statuses else "holds"
