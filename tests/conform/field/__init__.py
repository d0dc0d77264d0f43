"""Functions in the manner of those in public repositories, with what each of them really is."""

from __future__ import annotations

import importlib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
# formula, where it is typed; right or faulty; conventions, or the fault
TRUTH = re.compile(r"(?:(\w+), )?(right|faulty)(?:: (.*))?")
STRANGERS = ("stranger_right", "stranger_faulty", "later_functions")


@dataclass(frozen=True)
class Case:
    """One function and the truth about it."""

    file: str
    name: str
    truth: str

    @property
    def formula(self) -> str:
        """As it is typed; empty where the name of the function says it."""
        return self._told[0]

    @property
    def right(self) -> bool:
        return self._told[1] == "right"

    @property
    def names(self) -> frozenset[str]:
        """Conventions of a right function; the fault of another, where it has a name."""
        return frozenset(filter(None, self._told[2].split(", ")))

    @property
    def _told(self) -> tuple[str, ...]:
        found = TRUTH.fullmatch(self.truth)
        assert found, self
        return found.groups("")

    @property
    def function(self) -> Any:
        module = importlib.import_module(f"{__name__}.{self.file}")
        return reduce(getattr, self.name.split("."), module)

    @property
    def method(self) -> bool:
        return self.file == "methods"

    @property
    def hold_out(self) -> bool:
        return self.file in STRANGERS


@dataclass(frozen=True)
class Judged:
    """What was said about a case."""

    case: Case
    verdict: str
    conventions: frozenset[str]
    faults: frozenset[str]
    why: str = ""

    @property
    def says_right(self) -> bool:
        return self.verdict in ("conforms", "conforms-under-convention")

    @property
    def rightly(self) -> bool:
        """The verdict is the truth; of a right function also the conventions are."""
        if not self.case.right:
            return bool(self.verdict) and not self.says_right
        return self.says_right and self.conventions == self.case.names

    @property
    def accused(self) -> bool:
        """A right function was said to be wrong; one that could not be judged was not."""
        return self.case.right and bool(self.verdict) and not self.says_right

    @property
    def missed(self) -> bool:
        return not self.case.right and self.says_right

    @property
    def named(self) -> bool:
        return bool(self.case.names) and self.case.names <= self.faults


def cases() -> Iterator[Case]:
    """All of them, in the order of their files."""
    truth = tomllib.loads((FOLDER / "truth.toml").read_text(encoding="utf-8"))
    for file, table in truth.items():
        yield from (Case(file, name, said) for name, said in table.items())


def judged(case: Case, random: int = 20) -> Judged:
    """Run one case as it stands, without an adapter."""
    from rlcalc.conform.binding.words.likely import guessed_formula
    from rlcalc.conform.runner import run
    from rlcalc.conform.target.base import from_function
    from rlcalc.errors import RlcalcError

    target = from_function(case.function, case.name)
    formula = case.formula or guessed_formula(case.name, target.facts)
    try:
        found = run(target, formula, random=random)
    except RlcalcError as error:
        return Judged(case, "", frozenset(), frozenset(), str(error))
    matches = found.diagnosis.matches if found.diagnosis is not None else ()
    return Judged(
        case,
        found.verdict,
        frozenset(way.name for way in found.conventions),
        frozenset(fault.name for match in matches for fault in match.faults),
        "; ".join(j.why for j in found.failures[:1]),
    )
