"""Claim functions, the statements they take and the corruptions they must notice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from rlcalc.audit.evidence import Findings
from rlcalc.audit.verdict import Scope


class Statement:
    """The parts of a statement: ``s.relation``, ``s.exponent``, whatever its function declares."""

    def __init__(self, parts: dict[str, Any]) -> None:
        self._parts = parts

    def __getattr__(self, name: str) -> Any:
        try:
            return self._parts[name]
        except KeyError:
            raise AttributeError(f"the statement has no part {name!r}") from None

    def corrupted(self, changes: dict[str, Any]) -> Statement:
        unknown = set(changes) - set(self._parts)
        if unknown:
            raise KeyError(f"the statement has no part {sorted(unknown)}")
        return Statement({**self._parts, **changes})


class Corruption:
    """One way to spoil a statement: ``Corruption("sign flipped", sign=-1)``."""

    def __init__(self, about: str, /, **changes: Any) -> None:
        self.about = about
        self.changes = changes


ClaimFunction = Callable[[Statement], Findings]


@dataclass(frozen=True)
class Check:
    """A claim function as it was declared."""

    id: str
    function: ClaimFunction
    statement: Statement
    corruptions: tuple[Corruption, ...]
    scope: Scope | None


CHECKS: dict[str, Check] = {}


def claim(
    id: str, *, corruptions: Sequence[Corruption] = (), scope: Scope | None = None, **parts: Any
) -> Callable[[ClaimFunction], ClaimFunction]:
    """Declare the function that checks a claim.

    Args:
        id: as in ``specs/claims``.
        corruptions: alternative parts, each of which must change the verdict.
        scope: how far the statement reaches; by its kind when left out.
        parts: the statement as the lecture has it.
    """

    statement = Statement(parts)
    for corruption in corruptions:
        statement.corrupted(corruption.changes)  # a misspelt part is noticed here

    def declare(function: ClaimFunction) -> ClaimFunction:
        if id in CHECKS and CHECKS[id].function.__module__ != function.__module__:
            raise ValueError(f"two functions check {id}")
        CHECKS[id] = Check(id, function, statement, tuple(corruptions), scope)
        return function

    return declare


def load_checks(chapter: str) -> dict[str, Check]:
    """Import the modules of one chapter of the lecture and return its checks."""
    import rlcalc.audit.lecture

    stem = f"ch{chapter}"
    for module in iter_modules(rlcalc.audit.lecture.__path__):
        if module.name == stem or module.name.startswith(stem + "_"):
            import_module(f"rlcalc.audit.lecture.{module.name}")
    return {id: check for id, check in CHECKS.items() if id[1:2] == chapter}
