"""The catalogue of known faults: what a wrong implementation does, as a small change of the right one.

A fault is data in ``specs/faults/<formula>.toml`` and a function of the same
name (with underscores) in the module ``rlcalc.conform.faults.<formula>``::

    def lam_missing(form, **arrays):
        return form(**{**arrays, "lam": arrays["lam"] * 0 + 1})

``form`` is the right NumPy form, or another fault when two are tried
together; ``arrays`` are its keyword arguments (absent ones are ``None``,
flags boolean, numbers NumPy arrays of one dtype). It returns the outputs by
name, or the answer alone. It may raise where the faulty code raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from itertools import permutations
from pathlib import Path
from typing import Any

from rlcalc.data import data_folder, read_toml
from rlcalc.errors import DataError, UnknownName, shown, suggestion

SCHEMA = "rlcalc-faults-1"
STAGES = ("inputs", "whole", "outputs")

Form = Callable[..., Mapping[str, Any]]
Change = Callable[..., Any]


@dataclass(frozen=True)
class Source:
    """Where a fault was seen in public; never more than a repository and a number."""

    repository: str
    reference: str = ""

    def __str__(self) -> str:
        return f"{self.repository} {self.reference}".rstrip()


@dataclass(frozen=True)
class Fault:
    """One known way to be wrong.

    Attributes:
        stage: ``inputs`` (the right form of changed inputs), ``outputs`` (changed
            outputs of the right form), ``whole`` (a computation of its own,
            which cannot stand around another fault).
        does: what it computes instead.
        exposed: which inputs show it.
        cause: how people come to write it.
        mend: what to change.
        sources: public ones, where known.
        change: the function.
        rounds: it is right but for rounding, to float32 somewhere. How often and in which order it rounds
            is nobody's to know, so that it is told by which vectors it fails, not by its last digits.
    """

    name: str
    formula: str
    stage: str
    does: str
    exposed: str
    cause: str
    mend: str
    sources: tuple[Source, ...]
    change: Change
    rounds: bool = False

    def around(self, form: Form) -> Form:
        """The form with this fault in it."""
        return partial(self.change, form)


@dataclass(frozen=True)
class Convention:
    """A declared reading under which other answers are right: not a fault.

    ``change`` works like that of a fault and gives the answers of the
    convention; ``call`` changes the arguments that the target is called with
    (a library that takes no value of the last state). One that ``reduces``
    gives one number for a whole batch, so it is seen on batches alone, stands
    around all others, and never together with another of its sort. ``order``
    is the place in its file; the first of several stands around the others.
    """

    name: str
    formula: str
    about: str
    users: str
    change: Change
    call: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    reduces: bool = False
    order: int = 0

    def around(self, form: Form) -> Form:
        return partial(self.change, form)


@dataclass(frozen=True)
class Catalogue:
    """What is declared about one formula."""

    formula: str
    faults: tuple[Fault, ...]
    conventions: tuple[Convention, ...]

    def is_fault(self, name: str) -> bool:
        return any(fault.name == name for fault in self.faults)

    def chosen(self, names: Sequence[str]) -> tuple[Convention, ...]:
        """Conventions by name.

        Raises:
            UnknownName: ``unknown_convention``.
        """
        known = {convention.name: convention for convention in self.conventions}
        for name in names:
            if name not in known:
                hint = suggestion(name, list(known)) or (
                    f"There are {', '.join(known)}." if known else "It has no declared conventions."
                )
                raise UnknownName(
                    "unknown_convention", f"{self.formula} has no convention {shown(name)}.", hint
                )
        return tuple(known[name] for name in names)


def together(conventions: Sequence[Convention]) -> bool:
    """Whether conventions can hold at once: a batch is reduced one way only."""
    return sum(convention.reduces for convention in conventions) < 2


def formulas_with_faults() -> list[str]:
    return sorted(path.stem for path in (data_folder("specs") / "faults").glob("*.toml"))


@cache
def catalogue(formula: str) -> Catalogue:
    """Faults and conventions of a formula; none where no file declares any.

    Raises:
        DataError: ``bad_faults`` where data and code do not belong together.
    """
    path = data_folder("specs") / "faults" / f"{formula}.toml"
    return read_catalogue(path, formula) if path.is_file() else Catalogue(formula, (), ())


def read_catalogue(path: Path, formula: str) -> Catalogue:
    """Read one file and find the functions that belong to it.

    Names are looked up in our own module of that formula and nowhere else:
    a file of data cannot name code.
    """
    from rlcalc.conform import conventions

    top = read_toml(path)
    if top.get("schema") != SCHEMA or top.get("formula") != formula:
        raise DataError("bad_faults", f"{path.name} is no {SCHEMA} file of {formula}.")
    faults = top.get("fault", [])
    module = import_module(f"rlcalc.conform.faults.{formula}") if faults else None
    try:
        found = tuple(_fault(formula, entry, module) for entry in faults)
        ways = tuple(
            _convention(formula, entry, conventions, order)
            for order, entry in enumerate(top.get("convention", []))
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError("bad_faults", f"{path.name}: {error}.") from error
    entries: tuple[Fault | Convention, ...] = (*found, *ways)
    names = [entry.name for entry in entries]
    if len(set(names)) < len(names):
        raise DataError("bad_faults", f"{path.name}: a name stands there twice.")
    return Catalogue(formula, found, ways)


def _fault(formula: str, entry: Mapping[str, Any], module: Any) -> Fault:
    if entry["stage"] not in STAGES:
        raise DataError("bad_faults", f"{entry['name']}: stage is one of {', '.join(STAGES)}.")
    return Fault(
        name=entry["name"],
        formula=formula,
        stage=entry["stage"],
        does=entry["does"],
        exposed=entry["exposed"],
        cause=entry["cause"],
        mend=entry["mend"],
        sources=tuple(Source(s["repository"], s.get("reference", "")) for s in entry.get("source", [])),
        change=getattr(module, entry["name"].replace("-", "_")),
        rounds=entry.get("rounds", False),
    )


def _convention(formula: str, entry: Mapping[str, Any], module: Any, order: int) -> Convention:
    word = entry["name"].replace("-", "_").replace(".", "_")
    return Convention(
        name=entry["name"],
        formula=formula,
        about=entry["about"],
        users=entry.get("users", ""),
        change=getattr(module, word),
        call=module.CALLS.get(entry["name"]),
        reduces=entry["name"] in module.REDUCTIONS,
        order=order,
    )


def pairs(faults: tuple[Fault, ...]) -> Iterator[tuple[Fault, Fault]]:
    """Pairs (outer, inner) that can stand together.

    The outer one hands on to the inner one, so it must change inputs or
    outputs of another form. Two faults of different stages give the same in
    either order, so one order is tried; of one stage, both. What only rounds
    stands outside, and once: the other fault is what it rounds.
    """
    rank = {stage: number for number, stage in enumerate(("whole", "inputs", "outputs"))}
    for outer, inner in permutations(faults, 2):
        if outer.rounds or inner.rounds:
            if outer.rounds and not inner.rounds:
                yield outer, inner
        elif outer.stage != "whole" and rank[outer.stage] >= rank[inner.stage]:
            yield outer, inner
