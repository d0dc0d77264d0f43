"""What can be found out about a statement.

Every piece of evidence computes its own status: it ``holds``, it ``fails``,
or it is ``open`` because the proof did not close. Nothing is ever assumed to
hold. The classes are plain data otherwise, so that they can be printed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from rlcalc.audit.values import is_literal, listed, plain, tex
from rlcalc.audit.zero import Status, as_expression, sign_status, zero_status


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
        return worst([part.status for part in (*self.base, *self.step)])

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
        return worst([part.status for part in self.parts]) if self.parts else "open"

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

        sign = compare(as_expression(self.left), as_expression(self.right))
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
        left, right = plain(as_expression(self.left)), plain(as_expression(self.right))
        return [left if self.relation == "=" and left == right else f"{left} {self.relation} {right}"]

    def latex(self) -> str:
        """The relation between the two that holds, which need not be the one that was claimed."""
        opposite = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
        relation = opposite[self.relation] if self.status == "fails" else self.relation
        sign = {"!=": r"\ne", "<=": r"\le", ">=": r"\ge"}.get(relation, relation)
        left, right = tex(self.left), tex(self.right)
        return "" if left == right else f"{left} {sign} {right}"


@dataclass(frozen=True)
class Exhaustive(Evidence):
    """Every element of a finite domain was looked at.

    Attributes:
        seen: each of them by name, and whether the statement holds for it.
        domain: the whole domain, in words; the proof covers nothing else.
        source: the table whose rows these are; nothing where they are computed.
    """

    general: ClassVar[bool] = True
    kind: ClassVar[str] = "exhaustive"

    seen: Sequence[tuple[str, bool]]
    domain: str
    source: str = ""

    @property
    def recorded(self) -> bool:  # type: ignore[override]
        return bool(self.source)

    def decide(self) -> Status:
        if not self.seen:
            return "open"
        return "holds" if all(holds for _, holds in self.seen) else "fails"

    def lines(self) -> list[str]:
        failed = [name for name, holds in self.seen if not holds]
        found = [self.domain if len(self.seen) == 1 else f"all {len(self.seen)} of {self.domain}"]
        return found + ([f"fails for {', '.join(failed[:5])}"] if failed else [])


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


def _frozen(value: Any) -> Any:
    """Lists as tuples, whichever a table and a statement happen to use."""
    return tuple(_frozen(part) for part in value) if isinstance(value, list | tuple) else value


def worst(statuses: list[Status]) -> Status:
    """A fault outweighs an open question, which outweighs success."""
    return "fails" if "fails" in statuses else "open" if "open" in statuses else "holds"
