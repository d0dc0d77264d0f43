"""Specification files -> Formula, Parameter, Output.

``specs/formulas/<name>.toml`` says what a formula is: its parameters with
their shapes and domains, its outputs, its conventions and where it comes
from. Options of the command line, the signature and docstring of the Python
function and every check of an input are made from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Literal

from rlcalc.data import data_folder, read_toml
from rlcalc.errors import DataError, UnknownName, shown, suggestion

Kind = Literal["number", "integer", "count", "flag", "choice", "word", "mdp"]

GROUPS = (
    "Returns",
    "Control and policy gradient",
    "Advantage, actor and critic",
    "PPO",
    "Language models and counting",
)


@dataclass(frozen=True)
class Interval:
    """A real interval; ``None`` is the infinite end."""

    low: Fraction | None
    high: Fraction | None
    low_closed: bool
    high_closed: bool
    text: str

    def words(self) -> str:
        """The interval as a person says it, for error messages."""
        low, high = self.low, self.high
        if low is None and high is None:
            return "a real number"
        if high is None:
            return f"{'at least' if self.low_closed else 'above'} {low}"
        if low is None:
            return f"{'at most' if self.high_closed else 'below'} {high}"
        return f"in {self.text}" if self.low_closed == self.high_closed else f"in the interval {self.text}"


@dataclass(frozen=True)
class Parameter:
    """One input of a formula.

    Attributes:
        name: Python name; the option is the same with dashes.
        kind: ``number`` (exact), ``integer``, ``count`` (integer >= 1 or
            ``inf``), ``flag``, ``choice``, ``word``, ``mdp``. A ``number``
            with ``choices`` accepts those words as well.
        shape: dimension names, ``()`` for a scalar; ``"T+1"`` is one longer.
        each: dimension along which a scalar may also be given once per entry.
        domain: interval of every entry, or ``None`` with ``distribution``.
        default: text in the expression grammar, ``"zeros"``, or ``None``.
        optional: may be left out although there is no default.
        ask: what to say when a required value is missing.
        single: in Python one number for the whole batch, never an array.
    """

    name: str
    symbol: str
    latex: str
    kind: Kind
    shape: tuple[str, ...]
    help: str
    domain: Interval
    distribution: bool = False
    each: str | None = None
    default: str | None = None
    optional: bool = False
    choices: tuple[str, ...] = ()
    ask: str = ""
    caution_above: Fraction | None = None
    caution: str = ""
    may_be_empty: bool = False
    single: bool = False

    @property
    def option(self) -> str:
        return "--" + self.name.rstrip("_").replace("_", "-")

    @property
    def required(self) -> bool:
        return self.default is None and not self.optional

    @property
    def is_switch(self) -> bool:
        """A scalar flag: the option stands alone, without a value."""
        return self.kind == "flag" and not self.shape

    @property
    def takes_many(self) -> bool:
        return bool(self.shape) or self.each is not None


@dataclass(frozen=True)
class Output:
    """One result. ``of`` names the full sequence whose first entry this is."""

    name: str
    symbol: str
    latex: str
    shape: tuple[str, ...]
    about: str
    kind: Literal["number", "word"] = "number"
    of: str | None = None
    exact_only: bool = False


@dataclass(frozen=True)
class Form:
    """A way of calling: these parameters, and none of another form's own."""

    name: str
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Formula:
    """All that is declared about one formula."""

    name: str
    command: str
    title: str
    group: str
    sections: tuple[str, ...]
    text: str
    latex: str
    about: str
    symbolic: bool
    parameters: tuple[Parameter, ...]
    outputs: tuple[Output, ...]
    forms: tuple[Form, ...] = ()
    conventions: tuple[Mapping[str, str], ...] = ()
    references: tuple[str, ...] = ()
    examples: tuple[Mapping[str, str], ...] = ()
    plot: str = ""
    exact_limit: int = 256
    symbolic_limit: int = 256
    order: int = 0

    def parameter(self, name: str) -> Parameter:
        """The parameter of that Python name.

        Raises:
            UnknownName: ``unknown_parameter``, with the nearest name.
        """
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        known = [p.name for p in self.parameters]
        hint = suggestion(name, known) or f"It takes {', '.join(known)}."
        raise UnknownName("unknown_parameter", f"{self.name} has no parameter {shown(name)}.", hint)

    @property
    def answer(self) -> Output:
        return self.outputs[0]


@dataclass(frozen=True)
class Head:
    """The few facts that a list of commands needs; cheap to read."""

    name: str
    command: str
    title: str
    group: str
    order: int
    sections: tuple[str, ...] = field(default=())


_INTERVAL = re.compile(r"([\[(])\s*([^,\s]+)\s*,\s*([^,\s]+)\s*([\])])")


def parse_interval(text: str) -> Interval:
    """Read ``"[0, 1]"``, ``"(0, oo)"`` or ``"real"``.

    Raises:
        DataError: ``bad_domain``.
    """
    if text == "real":
        return Interval(None, None, False, False, text)
    match = _INTERVAL.fullmatch(text)
    if not match:
        raise DataError("bad_domain", f"{shown(text)} is no interval such as '[0, 1]' or '(0, oo)'.")
    left, low, high, right = match.groups()
    return Interval(
        None if low == "-oo" else Fraction(low),
        None if high == "oo" else Fraction(high),
        left == "[",
        right == "]",
        text,
    )


@cache
def heads() -> tuple[Head, ...]:
    """Name, command and title of every formula, in the order of the lecture.

    Only the part of each file before its first table is parsed: the list of
    commands is needed at every start, the rest of a file only by its command.
    """
    import tomllib

    found = []
    for path in sorted((data_folder("specs") / "formulas").glob("*.toml")):
        try:
            top = tomllib.loads(path.read_text("utf-8").split("\n[", 1)[0])
            found.append(
                Head(
                    name=top["name"],
                    command=top["command"],
                    title=top["title"],
                    group=top["group"],
                    order=top["order"],
                    sections=tuple(top["sections"]),
                )
            )
        except (tomllib.TOMLDecodeError, KeyError) as error:
            raise DataError("bad_spec", f"{path.name}: {error} in its first part.") from error
    return tuple(sorted(found, key=lambda head: (GROUPS.index(head.group), head.order, head.name)))


def formula_names() -> list[str]:
    return [head.name for head in heads()]


@cache
def find_formula(name: str) -> Formula | None:
    """The formula of that Python name (``lambda_return``) or command (``lambda-return``), if there is one.

    Most commands are named like their file; the other files are looked through for the rest only.

    Raises:
        DataError: when its file breaks the schema.
    """
    folder = data_folder("specs") / "formulas"
    likely = name.replace("-", "_")
    if likely.isidentifier() and (folder / f"{likely}.toml").is_file():
        found = read_formula(folder / f"{likely}.toml")
        if name in (found.name, found.command):
            return found
    for head in heads():
        if name in (head.name, head.command):
            return read_formula(folder / f"{head.name}.toml")
    return None


def load_formula(name: str) -> Formula:
    """``find_formula`` of a formula that must exist.

    Raises:
        UnknownName: ``unknown_formula``, with the nearest name.
        DataError: when the file breaks the schema.
    """
    found = find_formula(name)
    if found is None:
        known = [head.command for head in heads()]
        hint = suggestion(name.replace("_", "-"), known) or "'rlcalc list' shows all of them."
        raise UnknownName("unknown_formula", f"There is no formula {shown(name)}.", hint)
    return found


def read_formula(path: Path) -> Formula:
    """Read one specification file.

    Raises:
        DataError: ``bad_spec`` naming file and entry.
    """
    top = read_toml(path)
    try:
        return Formula(
            name=top["name"],
            command=top["command"],
            title=top["title"],
            group=top["group"],
            sections=tuple(top["sections"]),
            text=top["text"],
            latex=top["latex"],
            about=top["about"],
            symbolic=top["symbolic"],
            parameters=tuple(_parameter(entry) for entry in top["parameter"]),
            outputs=tuple(_output(entry) for entry in top["output"]),
            forms=tuple(Form(f["name"], tuple(f["parameters"])) for f in top.get("form", ())),
            conventions=tuple(top.get("convention", ())),
            references=tuple(top["references"]),
            examples=tuple(top["example"]),
            plot=top.get("plot", ""),
            exact_limit=top.get("exact_limit", 256),
            symbolic_limit=top.get("symbolic_limit", top.get("exact_limit", 256)),
            order=top["order"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError("bad_spec", f"{path.name}: {error!r} in the specification.") from error


def _parameter(entry: dict[str, Any]) -> Parameter:
    domain = entry.get("domain", "real")
    distribution = domain == "distribution"
    caution = entry.get("caution", {})
    return Parameter(
        name=entry["name"],
        symbol=entry.get("symbol", entry["name"]),
        latex=entry.get("latex", entry.get("symbol", entry["name"])),
        kind=entry["kind"],
        shape=tuple(entry.get("shape", ())),
        help=entry["help"],
        domain=parse_interval("[0, 1]" if distribution else domain),
        distribution=distribution,
        each=entry.get("each"),
        default=entry.get("default"),
        optional=entry.get("optional", False),
        choices=tuple(entry.get("choices", ())),
        ask=entry.get("ask", ""),
        caution_above=Fraction(caution["above"]) if caution else None,
        caution=caution.get("note", ""),
        may_be_empty=entry.get("may_be_empty", False),
        single=entry.get("single", False),
    )


def _output(entry: dict[str, Any]) -> Output:
    return Output(
        name=entry["name"],
        symbol=entry.get("symbol", entry["name"]),
        latex=entry.get("latex", entry.get("symbol", entry["name"])),
        shape=tuple(entry.get("shape", ())),
        about=entry["about"],
        kind=entry.get("kind", "number"),
        of=entry.get("of"),
        exact_only=entry.get("exact_only", False),
    )
