"""What can be found out about a statement.

Every piece of evidence computes its own status: it ``holds``, it ``fails``,
or it is ``open`` because the proof did not close. Nothing is ever assumed to
hold. The classes are plain data otherwise, so that they can be printed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal

from rlcalc.audit.values import listed, number, plain, tex
from rlcalc.audit.zero import as_expression, sign_status, zero_status

Status = Literal["holds", "fails", "open"]
Relation = Literal["=", "!=", "<", "<=", ">", ">="]
RELATIONS = ("=", "!=", "<", "<=", ">", ">=")


@dataclass(frozen=True)
class Evidence:
    """Base of all evidence.

    Attributes:
        what: what it shows, as a sentence or a noun phrase.
    """

    # whether it can settle a statement about infinitely many cases
    general: ClassVar[bool] = False
    statistical: ClassVar[bool] = False
    kind: ClassVar[str] = ""

    what: str

    @cached_property
    def status(self) -> Status:
        return self.decide()

    def decide(self) -> Status:
        raise NotImplementedError

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

    def lines(self) -> list[str]:
        shown = f"{plain(self.left)} = {plain(self.right)}"
        verb = {"holds": "closes to 0 = 0", "fails": "does not hold", "open": "was not closed"}[self.status]
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

    def lines(self) -> list[str]:
        found = [f"by induction on {self.variable}, for {self.over}"]
        for word, parts in (("base", self.base), ("step", self.step)):
            found += [f"{word}: {part.what}: {part.lines()[0]}" for part in parts]
        return found


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
    """

    general: ClassVar[bool] = True
    kind: ClassVar[str] = "exhaustive"

    cases: int
    failed: tuple[str, ...]
    domain: str

    def decide(self) -> Status:
        if self.cases < 1:
            return "open"
        return "fails" if self.failed else "holds"

    def lines(self) -> list[str]:
        found = [f"all {self.cases} of {self.domain}"]
        return found + ([f"fails for {', '.join(self.failed[:5])}"] if self.failed else [])


@dataclass(frozen=True)
class Fact(Evidence):
    """Something read off data: attributes of algorithms, tables of the lecture, what cites what.

    It settles statements about structure, and no theorem.

    Attributes:
        found: what the data say.
        relation: ``=``, ``!=``, ``in``, ``not in``, ``subset``.
        expected: what the statement says.
        source: where the data come from.
    """

    kind: ClassVar[str] = "fact"

    found: Any
    relation: str
    expected: Any
    source: str = ""

    def decide(self) -> Status:
        match self.relation:
            case "=":
                truth = self.found == self.expected
            case "!=":
                truth = self.found != self.expected
            case "in":
                truth = self.found in self.expected
            case "not in":
                truth = self.found not in self.expected
            case "subset":
                truth = set(self.found) <= set(self.expected)
            case _:
                raise ValueError(f"facts have no relation {self.relation!r}")
        return "holds" if truth else "fails"

    def lines(self) -> list[str]:
        shown = f"{listed(self.found)} {self.relation} {listed(self.expected)}"
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


@dataclass(frozen=True)
class Counterexample(Evidence):
    """Exact numbers at which everything the statement asks for is met and what it says is false.

    It ``holds`` when the premises hold and ``claimed`` fails.

    Attributes:
        given: the numbers, by name.
        claimed: the statement at these numbers.
        premises: what the statement presupposes.
        violates: that the condition of the repair is not met here (needed for ``conditional``).
        replay: commands that show it.
        golden: id of the golden case that holds it.
        search: among what it is the smallest.
    """

    general: ClassVar[bool] = True
    kind: ClassVar[str] = "counterexample"

    given: Mapping[str, Any]
    claimed: Evidence
    premises: tuple[Evidence, ...] = ()
    violates: Evidence | None = None
    replay: tuple[Replay, ...] = ()
    golden: str = ""
    search: str = ""

    def decide(self) -> Status:
        met = _worst([part.status for part in self.premises])
        if met != "holds":
            return met
        return {"holds": "fails", "fails": "holds", "open": "open"}[self.claimed.status]  # type: ignore[return-value]

    def lines(self) -> list[str]:
        given = ", ".join(f"{name} = {listed(value)}" for name, value in self.given.items())
        found = [f"given {given}"] if given else []
        false = ", which is false" if self.claimed.status == "fails" else ""
        found += [f"claimed: {self.claimed.what}: {line}{false}" for line in self.claimed.lines()[:1]]
        if self.violates is not None:
            found.append(f"outside the condition: {self.violates.lines()[0]}")
        found += dict.fromkeys(f"$ {one.command}" for one in self.replay)
        if self.search:
            found.append(f"smallest of {self.search}")
        if self.golden:
            found.append(f"golden case {self.golden}")
        return found

    def latex(self) -> str:
        return self.claimed.latex()


@dataclass(frozen=True)
class Repair:
    """What is true instead, with its evidence. Build it with the three functions below."""

    kind: Literal["condition", "reading", "correction"]
    statement: str
    evidence: tuple[Evidence, ...]
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
    """All that a claim function found out; see the package's docstring."""

    literal: list[Evidence] = field(default_factory=list)
    against: list[Evidence] = field(default_factory=list)
    repair: Repair | None = None
    unknowable: str = ""

    def all(self) -> list[Evidence]:
        repair = [*self.repair.evidence, *self.repair.unchanged] if self.repair else []
        return [*self.literal, *self.against, *repair]


def _worst(statuses: list[Status]) -> Status:
    """A fault outweighs an open question, which outweighs success."""
    return "fails" if "fails" in statuses else "open" if "open" in statuses else "holds"
