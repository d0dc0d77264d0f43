"""Golden cases as counterexamples and worked numbers: inputs, commands and answers stand there alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, TypeVar

from rlcalc.audit.evidence import Counterexample, Evidence, Fact, Replay, Smallest
from rlcalc.audit.proofs import answer, entries
from rlcalc.audit.values import given
from rlcalc.audit.zero import as_expression, zero_status
from rlcalc.errors import InputError, UnknownName, shown
from rlcalc.golden.files import Case, shipped
from rlcalc.golden.replay import command_line
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

    def replays(self) -> list[Replay]:
        """A command for each answer of the case; none where a process is too large to type."""
        formula = load_formula(self.case.formula)
        found = []
        for one in self.case.variants:
            command = command_line(formula, one.given, "sympy").replace(" --backends sympy", "")
            if not command:
                continue
            if self.case.error:
                found.append(Replay(command, self.case.error, "error"))
            found += [Replay(command, want.exact, name) for name, want in one.want.items()]
        return found

    def refutes(self, what: str, claimed: Evidence, **more: Any) -> list[Evidence]:
        """The evidence against a statement that this case is: ``Counterexample(what, claimed, self, …)``."""
        return [Counterexample(what, claimed, self, **more)]

    def is_confirmed(self) -> bool:
        """Whether the calculator answers, or refuses, as the case says."""
        return _confirmed(self.case.formula, self.case.id)


@cache
def _confirmed(formula: str, id: str) -> bool:
    case = _cases(formula)[id]
    try:
        if case.error:
            Vector(case).answer()
            return False
        variants = [(Vector(case, number), one.want) for number, one in enumerate(case.variants)]
        return all(
            _agree(it.answer(name), want.exact) for it, wants in variants for name, want in wants.items()
        )
    except InputError as error:
        return error.code == case.error


def _agree(found: Any, want: Any) -> bool:
    return all(_is(one, other) for one, other in zip(flatten(found), flatten(want), strict=True))


def _is(found: Any, want: Any) -> bool:
    if isinstance(found, str) or (isinstance(want, str) and want.isalpha() and str(found) == want):
        return str(found) == str(want)
    return zero_status(as_expression(found) - as_expression(str(want))) == "holds"


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
) -> tuple[Candidate, Smallest]:
    """The first candidate, in the order of their size, at which a statement fails.

    Raises:
        ValueError: none does.
    """
    for tried, one in enumerate(candidates, start=1):
        if fails(one):
            return one, Smallest(domain, tried)
    raise ValueError(f"the statement holds for all of {domain}")
