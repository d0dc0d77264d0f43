"""Golden cases as counterexamples and worked numbers: inputs, commands and answers stand there alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, ClassVar, TypeVar

from rlcalc.audit.evidence import Evidence, Fact
from rlcalc.audit.evidence.pieces import worst
from rlcalc.audit.proofs import answer, entries
from rlcalc.audit.values import given, listed
from rlcalc.audit.zero import Status, as_expression
from rlcalc.errors import InputError, UnknownName, shown
from rlcalc.golden.files import Case, shipped
from rlcalc.golden.replay import command_line
from rlcalc.golden.values import certified
from rlcalc.nested import flatten, map_nested
from rlcalc.specs import load_formula

Candidate = TypeVar("Candidate")


@cache
def _cases(formula: str) -> dict[str, Case]:
    return {case.id: case for case in shipped(formula).cases}


@dataclass(frozen=True)
class Vector:
    """One golden case.

    Attributes:
        case: as the file has it.
        variant: which of its variants; 0 is its own, the others are those of ``otherwise``.
    """

    case: Case
    variant: int = 0

    @property
    def id(self) -> str:
        return self.case.id

    @cached_property
    def given(self) -> Mapping[str, Any]:
        """The inputs by name, as text."""
        return {name: given(value) for name, value in self.case.variants[self.variant].given.items()}

    def number(self, name: str) -> Any:
        """An input as an exact number, or as the list of them that it is."""
        return map_nested(as_expression, self.given[name])

    def otherwise(self, variant: int = 1) -> Vector:
        """The same case under another reading."""
        return Vector(self.case, variant)

    def answer(self, output: str = "", /, **changes: Any) -> Any:
        """What the exact form answers, with some inputs changed: the first output, or the one named."""
        return answer(self.case.formula, output, **{**self.given, **changes})

    def symbols(self) -> dict[str, Any]:
        """The inputs under the names that people give them."""
        symbols = {one.name: one.symbol or one.name for one in load_formula(self.case.formula).parameters}
        return {symbols[name]: value for name, value in self.given.items() if not isinstance(value, dict)}

    def replays(self) -> list[tuple[str, str, Any]]:
        """Command, output and exact answer, for each answer of the case: a list for a vector; ``error`` and
        the code, where the calculator refuses. None where a process is too large to type."""
        formula = load_formula(self.case.formula)
        found: list[tuple[str, str, Any]] = []
        for one in self.case.variants:
            command = command_line(formula, one.given, "sympy").replace(" --backends sympy", "")
            if not command:
                continue
            if self.case.error:
                found.append((command, "error", self.case.error))
            found += [(command, name, want.exact) for name, want in one.want.items()]
        return found

    def refutes(self, what: str, claimed: Evidence, **more: Any) -> list[Counterexample]:
        """The evidence against a statement that this case is: ``Counterexample(what, claimed, self, …)``."""
        return [Counterexample(what, claimed, self, **more)]

    def is_confirmed(self) -> bool:
        """Whether the calculator answers, or refuses, as the case says."""
        return _confirmed(self.case.formula, self.case.id)


@dataclass(frozen=True)
class Counterexample(Evidence):
    """Exact numbers at which everything the statement asks for is met and what it says is false.

    It ``holds`` when the premises hold, ``claimed`` fails and the calculator
    gives the golden case's answers. Inputs, commands and answers are those of
    the case, and stand there alone.

    Attributes:
        claimed: the statement at these numbers.
        golden: the golden case.
        premises: what the statement presupposes.
        violates: that the condition of the repair is not met here (needed for ``conditional``).
        also: further golden cases that show it.
        smallest: of what domain it is the smallest, where that was searched: ``smallest``.
    """

    general: ClassVar[bool] = True
    kind: ClassVar[str] = "counterexample"

    claimed: Evidence
    golden: Vector
    premises: tuple[Evidence, ...] = ()
    violates: Evidence | None = None
    also: tuple[Vector, ...] = ()
    smallest: str = ""

    @property
    def replays(self) -> tuple[tuple[str, str, Any], ...]:
        return tuple(one for case in (self.golden, *self.also) for one in case.replays())

    def decide(self) -> Status:
        met = worst([part.status for part in self.premises])
        if met != "holds":
            return met
        if not all(case.is_confirmed() for case in (self.golden, *self.also)):
            return "fails"
        return {"holds": "fails", "fails": "holds", "open": "open"}[self.claimed.status]  # type: ignore[return-value]

    def leaves(self) -> list[Evidence]:
        outside = [self.violates] if self.violates is not None else []
        return [self.claimed, *self.premises, *outside]

    def lines(self) -> list[str]:
        given = ", ".join(f"{name} = {listed(value)}" for name, value in self.golden.symbols().items())
        found = [f"given {given}"] if given else []
        false = ", which is false" if self.claimed.status == "fails" else ""
        found += [f"claimed: {self.claimed.what}: {line}{false}" for line in self.claimed.lines()[:1]]
        if self.violates is not None:
            found.append(f"outside the condition: {self.violates.what}: {self.violates.lines()[0]}")
        found += dict.fromkeys(f"$ {command}" for command, _, _ in self.replays)
        if self.smallest:
            found.append(f"the smallest of {self.smallest}")
        return [*found, f"golden case {self.golden.id}"]

    def latex(self) -> str:
        return self.claimed.latex()


@cache
def _confirmed(formula: str, id: str) -> bool:
    case = _cases(formula)[id]
    try:
        if case.error:
            Vector(case).answer()
            return False
        return all(
            want.equals(Vector(case, number).answer(name))
            for number, wants in enumerate(certified(case, load_formula(formula)))
            for name, want in wants.items()
        )
    except InputError as error:
        return error.code == case.error


def vector(id: str) -> Vector:
    """A golden case by its id.

    Raises:
        UnknownName: ``unknown_case``.
    """
    formula = id.partition("/")[0]
    cases = _cases(formula)
    if id not in cases:
        raise UnknownName("unknown_case", f"There is no golden case {shown(id)}.")
    return Vector(cases[id])


def printed(*ids: str) -> list[Evidence]:
    """What the sources of golden cases print, entry by entry, against what the calculator answers.

    Args:
        ids: cases, or ``case:output`` for one output of it.
    """
    found: list[Evidence] = []
    for id in ids:
        id, _, only = id.partition(":")
        case = vector(id)
        for name, want in case.case.variants[0].want.items():
            if want.printed is not None and only in ("", name):
                what = f"{case.case.about.rstrip('.')}: {name.replace('_', ' ')}"
                numbers = [given(one) for one in flatten(want.printed)]
                found += entries(what, list(flatten(case.answer(name))), numbers)
    return found


def nothing_printed(section: str) -> Fact:
    """That a section or chapter prints no number which a reading could change, counted in the golden files.

    They hold every worked number of the lecture, as it is printed.
    """
    count = sum(f"{one}.".startswith(f"{section}.") for one in _printed())
    return Fact(f"how many numbers section {section} prints", count, "=", 0, "the golden files")


@cache
def _printed() -> list[str]:
    """The section of every number that the lecture prints."""
    from rlcalc.data import data_folder

    return [
        case.source.get("section", "")
        for file in sorted(data_folder("golden").glob("*.toml"))
        for case in _cases(file.stem).values()
        if case.source.get("ref") == "lecture"
        for one in case.variants
        for want in one.want.values()
        if want.printed is not None
    ]


def smallest(
    candidates: Iterable[Candidate], fails: Callable[[Candidate], bool], domain: str
) -> tuple[Candidate, str]:
    """The first candidate, in the order of their size, at which a statement fails; and among how many.

    Raises:
        ValueError: none does.
    """
    for tried, one in enumerate(candidates, start=1):
        if fails(one):
            return one, f"{domain} ({tried} tried)"
    raise ValueError(f"the statement holds for all of {domain}")
