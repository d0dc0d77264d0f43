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
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

from rlcalc.data import data_folder, read_toml
from rlcalc.errors import UnknownName, shown, suggestion
from rlcalc.heads import COMMAND, NAME, Group, Stage, heads
from rlcalc.heads import GROUPS as GROUPS
from rlcalc.heads import formula_names as formula_names
from rlcalc.interval import Interval, parse_interval
from rlcalc.records import Place, exactly, matches, not_empty, positive, read_record

Kind = Literal["number", "integer", "count", "flag", "choice", "word", "mdp", "steps", "episodes", "table"]
# what is known of a formula beyond its shapes; generated cases are drawn by it
Trait = Literal["sequence", "linear", "exponential"]


_DIMENSION = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\+[0-9]{1,3})?")
_SIMPLE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Caution:
    """What is said of a value above a bound that is not forbidden."""

    above: Fraction = field(metadata={"read": Fraction})
    note: str


@dataclass(frozen=True)
class Parameter:
    """One input of a formula.

    Attributes:
        name: Python name; the option is the same with dashes.
        kind: ``number`` (exact), ``integer``, ``count`` (integer >= 1 or
            ``inf``), ``flag``, ``choice``, ``word``, ``mdp``; ``steps``, ``episodes`` of
            experience and a ``table`` of initial values by name. A ``number``
            with ``choices`` accepts those words as well.
        shape: dimension names, ``()`` for a scalar; ``"T+1"`` is one longer.
        each: dimension along which a scalar may also be given once per entry.
        domain: interval of every entry.
        distribution: the entries of the last axis are probabilities that sum to 1.
        default: text in the expression grammar, ``"zeros"``, or ``None``.
        usual: whose default it is, where other formulas have another one; said beside it.
        optional: may be left out although there is no default.
        ask: what to say when a required value is missing.
        single: in Python one number for the whole batch, never an array.
        masks: where this flag is 0 the numbers of its shape are absent, whatever stands there.
        samples: on the command line several values are so many samples, each evaluated on its own.
        actions: steps and tables are of states and actions, not of states alone.
        finite: a count that must be a number; others may be inf, for one that never ends.
        spaces: a text with spaces is several entries; else it is one word with spaces in it.
        below: dimension whose entries an index counts, from 0; its length is out of range.
        policy: rows of action probabilities that may also be written by names, such as ``search recharge``.
        of_mdp: where it is not given, the process says it, if it does.
        flagged: mostly one number for all, and 0 where an episode ends.
        zero, zeros: what it is called where an entry, or a whole row, is 0 and plain code divides by 0.
        seen_if: a choice under which they are seen all the same, such as ``"interior=ignore"``.
    """

    name: str = field(metadata=matches(NAME, "a Python name"))
    kind: Kind
    help: str
    symbol: str = ""
    latex: str = ""
    shape: tuple[str, ...] = field(default=(), metadata=matches(_DIMENSION, "a dimension such as T or T+1"))
    domain: Interval = field(default=parse_interval("real"), metadata={"read": parse_interval})
    each: str | None = field(default=None, metadata=matches(_SIMPLE, "a dimension such as T"))
    default: str | None = None
    usual: str = ""
    optional: bool = False
    choices: tuple[str, ...] = ()
    ask: str = ""
    caution: Caution | None = None
    single: bool = False
    masks: bool = False
    flagged: bool = False
    zero: str = ""
    zeros: str = ""
    seen_if: str = ""
    below: str = ""
    samples: bool = False
    actions: bool = False
    policy: bool = False
    of_mdp: bool = False
    finite: bool = False
    spaces: bool = False

    def __post_init__(self) -> None:
        _fill(self, symbol=self.name, latex=self.symbol or self.name)
        _ = self.axes, self.usual_entry  # found once: torch.compile follows what is kept, not how it is found

    @cached_property
    def axes(self) -> tuple[tuple[str, int], ...]:
        """The dimensions of its shape, and by how much each is longer: ``T+1`` is ``("T", 1)``."""
        parts = (name.partition("+") for name in self.shape)
        return tuple((name, int(extra or 0)) for name, _, extra in parts)

    @property
    def distribution(self) -> bool:
        return self.domain.sums_to_one

    @property
    def label(self) -> str:
        """The name in error codes, without the underscore that keeps it from being a keyword of Python."""
        return self.name.rstrip("_")

    @property
    def option(self) -> str:
        return "--" + self.label.replace("_", "-")

    @property
    def required(self) -> bool:
        return self.default is None and not self.optional

    @cached_property
    def usual_value(self) -> Any:
        """Its default as Python has it; ``None`` where there is none, or no number says it."""
        text = self.default
        if text is None or text == "zeros" or self.choices or self.kind in ("mdp", "word"):
            return text if text not in (None, "zeros") else None
        if self.kind == "count" and text == "inf":
            return float("inf")
        if self.kind in ("integer", "count"):
            return int(text)
        value = Fraction(text)
        return int(value) if value.denominator == 1 else float(value)

    @cached_property
    def usual_number(self) -> Any:
        """The same as a form takes it that is called without it: a flag is a truth value."""
        return bool(self.usual_value) if self.kind == "flag" and self.default else self.usual_value

    @cached_property
    def usual_entry(self) -> Any:
        """The same as what becomes an array of its dtype: a number is a float."""
        if self.kind == "number" and self.default not in (None, "zeros", *self.choices):
            return float(Fraction(self.default))  # type: ignore[arg-type]
        return self.usual_number

    @property
    def is_switch(self) -> bool:
        """A scalar flag that is off unless given: the option stands alone, without a value."""
        return self.kind == "flag" and not self.shape and self.default is None

    @property
    def takes_many(self) -> bool:
        return bool(self.shape) or self.each is not None or self.is_text or self.samples

    @property
    def is_text(self) -> bool:
        """Steps and tables: one text, however many words it is typed in."""
        return self.kind in ("steps", "episodes", "table")


@dataclass(frozen=True)
class Derivative:
    """That an output is the derivative of another (of the sum of its entries) by an input."""

    of: str
    by: str


@dataclass(frozen=True)
class Output:
    """One result.

    Attributes:
        of: the full sequence whose first entry this is.
        table: outputs with the same word here are printed as columns of one table, whose rows are their
            first dimension.
    """

    name: str = field(metadata=matches(NAME, "a Python name"))
    about: str
    symbol: str = ""
    latex: str = ""
    shape: tuple[str, ...] = field(default=(), metadata=matches(_DIMENSION, "a dimension such as T or T+1"))
    kind: Literal["number", "word"] = "number"
    of: str | None = None
    exact_only: bool = False
    table: str = ""
    derivative: Derivative | None = None

    def __post_init__(self) -> None:
        _fill(self, symbol=self.name, latex=self.symbol or self.name)


def _fill(record: Any, **texts: str) -> None:
    """Give a frozen record what its table leaves out and other fields say."""
    for name, text in texts.items():
        if not getattr(record, name):
            object.__setattr__(record, name, text)


@dataclass(frozen=True)
class Form:
    """A way of calling: these parameters, and none of another form's own."""

    name: str
    parameters: tuple[str, ...] = field(metadata={"check": not_empty})


@dataclass(frozen=True)
class Formula:
    """All that is declared about one formula: a field for every key of its file."""

    schema: Literal["rlcalc-formula-1"]
    name: str = field(metadata=matches(NAME, "a Python name"))
    command: str = field(metadata=matches(COMMAND, "words of small letters with dashes"))
    title: str
    group: Group
    order: int
    text: str
    latex: str
    about: str
    symbolic: bool
    references: tuple[str, ...] = field(metadata={"check": not_empty})
    parameters: tuple[Parameter, ...] = field(metadata={"key": "parameter", "check": not_empty})
    outputs: tuple[Output, ...] = field(metadata={"key": "output", "check": not_empty})
    examples: tuple[Mapping[str, str], ...] = field(
        metadata={
            "key": "example",
            "check": lambda all: not_empty(all) or exactly("args", "answer", "about")(all),
        }
    )
    forms: tuple[Form, ...] = field(default=(), metadata={"key": "form"})
    conventions: tuple[Mapping[str, str], ...] = field(
        default=(), metadata={"key": "convention", "check": exactly("name", "about")}
    )
    sections: tuple[str, ...] = ()
    stage: tuple[Stage, ...] = ()
    source: str = ""
    traits: tuple[Trait, ...] = ()
    plot: str = ""
    exact_limit: int = field(default=256, metadata={"check": positive})
    symbolic_limit: int = field(default=0, metadata={"check": positive})

    def __post_init__(self) -> None:
        if not self.symbolic_limit:
            object.__setattr__(self, "symbolic_limit", self.exact_limit)
        _ = self.mask, self._by_name  # found once, as `Parameter.axes`

    def parameter(self, name: str) -> Parameter:
        """The parameter of that Python name.

        Raises:
            UnknownName: ``unknown_parameter``, with the nearest name.
        """
        known = self._by_name
        if name in known:
            return known[name]
        hint = suggestion(name, list(known)) or f"It takes {', '.join(known)}."
        raise UnknownName("unknown_parameter", f"{self.name} has no parameter {shown(name)}.", hint)

    @cached_property
    def names(self) -> frozenset[str]:
        """Of its parameters."""
        return frozenset(self._by_name)

    @cached_property
    def _by_name(self) -> Mapping[str, Parameter]:
        return {parameter.name: parameter for parameter in self.parameters}

    @property
    def has_rows(self) -> bool:
        """Whether its steps are those of the rows of a table of experience."""
        return any(output.shape[:1] in (("step",), ("visit",)) for output in self.outputs)

    @property
    def answer(self) -> Output:
        return self.outputs[0]

    @property
    def origin(self) -> str:
        """Where it stands: the standard source first, then the lecture notes."""
        notes = f"lecture notes {', '.join(self.sections)}" if self.sections else ""
        return "; ".join(filter(None, (self.source, notes))) or self.references[0]

    @cached_property
    def mask(self) -> Parameter | None:
        """The parameter that says which entries are there, if the formula has one."""
        return next((parameter for parameter in self.parameters if parameter.masks), None)

    def hides(self, given: Mapping[str, Any]) -> bool:
        """Whether what is masked is absent; there are conventions that do not look at the mask."""
        if self.mask is None:
            return False
        name, _, choice = self.mask.seen_if.partition("=")
        return not name or given.get(name) != choice

    def is_masked(self, parameter: Parameter) -> bool:
        """Whether the mask says which numbers of this parameter are there."""
        mask = self.mask
        return mask is not None and parameter.kind == "number" and parameter.shape == mask.shape


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
        DataError: ``bad_spec`` naming file, entry and key.
    """
    place = Place(path.name, code="bad_spec")
    formula = read_record(Formula, read_toml(path), place)
    # a formula has one name through the whole tree
    problem = _contradiction(formula) if formula.name == path.stem else f"its name is not {path.stem}."
    if problem:
        place.refuse(problem)
    return formula


def _contradiction(formula: Formula) -> str:
    """What does not fit together between the tables of a file; "" if nothing."""
    for what, entries in (("parameter", formula.parameters), ("output", formula.outputs)):
        names = [entry.name for entry in entries]
        if len(set(names)) < len(names):
            return f"two entries of [[{what}]] have one name."
    parameters = {parameter.name: parameter for parameter in formula.parameters}
    outputs = {output.name for output in formula.outputs}
    for form in formula.forms:
        unknown = set(form.parameters) - set(parameters)
        if unknown:
            return f"form {shown(form.name)}: there is no parameter {shown(min(unknown))}."
    for output in formula.outputs:
        if output.of is not None and output.of not in outputs:
            return f"output {output.name}: there is no output {shown(output.of)}."
        slope = output.derivative
        if slope is not None and not (slope.of in outputs and slope.by in parameters):
            return (
                f"output {output.name}: there is no {shown(slope.of)} to differentiate by {shown(slope.by)}."
            )
    for parameter in formula.parameters:
        if parameter.kind == "choice" and not parameter.choices:
            return f"parameter {parameter.name}: a choice needs 'choices'."
        if parameter.masks and (parameter.kind != "flag" or not parameter.optional):
            return f"parameter {parameter.name}: a mask is an optional flag."
    if not (formula.sections or formula.stage):
        return "it names neither 'sections' of the lecture nor a 'stage' of training."
    return ""
