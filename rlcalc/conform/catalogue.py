"""What is known about a formula besides its right answer: faults and conventions.

A *fault* is a way to be wrong that real code has had, as a small change of
the right NumPy form; a *convention* is another answer that is right where it
is declared. Either is one decorated function, in a module of
``rlcalc.conform.faults`` or in ``rlcalc.conform.conventions``, whose
docstring is what a report says about it::

    @argument_fault("lam-twice", "discounting")
    def lam_twice(arrays: Arrays) -> Arrays:
        '''Carries the next advantage back with γ·λ².

        Shown when: Two steps of one episode and λ between 0 and 1.
        Cause: The caller passes γλ as discounts, and the scan multiplies by λ as well.
        Fix: Multiply by λ in one place.
        '''
        return {"lam": arrays["lam"] ** 2}

``arrays`` are the keyword arguments of the right form: absent ones are
``None``, flags boolean, numbers NumPy arrays of one dtype. What a decorated
function returns says which of the three decorators it has:

- ``argument_fault``: the arguments that differ; the right form does the rest.
- ``output_fault``: other outputs, made from those of the right form.
- ``fault``: all outputs by name. It gets the form itself, which is the right
  one or another fault when two are tried together.

A function may raise where the faulty code raises.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial, wraps
from itertools import permutations
from typing import Any, Literal, get_args

from rlcalc.errors import InputError, UnknownName, shown, suggestion

Arrays = dict[str, Any]
Outputs = dict[str, Any]
Form = Callable[..., Mapping[str, Any]]
Change = Callable[..., Any]

Stage = Literal["inputs", "whole", "outputs"]
Class = Literal[
    "termination",  # what ends an episode, and what is bootstrapped there
    "indexing",  # a neighbouring step, row or state
    "discounting",  # powers of γ and λ
    "weighting",  # probabilities and weights of an average
    "sign",  # an objective, a loss, an error, a bonus
    "normalisation",  # mean, standard deviation, ddof, ε
    "reduction",  # sums, means, and shapes that broadcast
    "clipping",  # bounds, minimum and maximum
    "logarithm",  # of a probability, or of the wrong base
    "swapped",  # one quantity in the place of another
    "ignored",  # an input without effect
    "counting",  # what is counted, and how often
    "precision",  # right but for rounding, overflow or 0/0
]
CLASSES: tuple[str, ...] = get_args(Class)


Rounds = Literal["", "inputs", "sums"]


@dataclass(frozen=True)
class Fault:
    """One known way to be wrong.

    Attributes:
        kind: its class, one of ``CLASSES``.
        stage: ``inputs`` (the right form of changed inputs), ``outputs`` (changed outputs of the right
            form), ``whole`` (a computation of its own, which cannot stand around another fault).
        does: what it computes instead.
        shown_when: which inputs show it.
        cause: how people come to write it.
        fix: what to change.
        reported_in: public places, each a repository with the number of an issue or a pull request.
        diff: lines of code that people wrote, with ``- `` before them, and those of the fix, with ``+ ``.
        change: takes the form and its arguments, and returns the outputs by name.
        rounds: what it rounds to float32, inputs alone or every sum too; it is right but for that. Order
            and number of its roundings are unknown, so that it is identified by which vectors it fails,
            not by its last digits.
        presumes: inputs of which it needs one; without any it is no other than a plainer fault.
        formula: filled in by the catalogue.
    """

    name: str
    kind: Class
    stage: Stage
    does: str
    shown_when: str
    cause: str
    fix: str
    reported_in: tuple[str, ...]
    change: Change
    rounds: Rounds = ""
    formula: str = ""
    diff: tuple[str, ...] = ()
    presumes: tuple[str, ...] = ()

    def around(self, form: Form) -> Form:
        """The form with this fault in it."""
        return partial(self.change, form)

    def as_json(self) -> dict[str, Any]:
        """Its text as plain data; some have their former keys next to the present ones."""
        places = list(self.reported_in)
        return {
            "name": self.name,
            "class": self.kind,
            "does": self.does,
            "shown_when": self.shown_when,
            "exposed": self.shown_when,
            "cause": self.cause,
            "fix": self.fix,
            "mend": self.fix,
            "diff": list(self.diff),
            "reported_in": places,
            "sources": places,
        }


LABELS = ("Shown when", "Cause", "Fix")


def read_text(docstring: str | None, name: str) -> list[str]:
    """What a fault does, what shows it, its cause and its fix, from a docstring.

    A first paragraph, then one item a label; a longer item goes on indented.
    After ``Diff:`` lines of code may follow, which ``read_diff`` reads.

    Raises:
        ValueError: a label is missing, twice or out of place. Under ``python -OO`` all texts are empty.
    """
    if docstring is None:
        return [""] * (1 + len(LABELS))
    words, _ = _without_diff(docstring)
    parts = re.split(rf"\n\s*({'|'.join(LABELS)}): ", words)
    if tuple(parts[1::2]) != LABELS or not all(part.strip() for part in parts):
        raise ValueError(f"The docstring of {name} needs a first sentence, then {': … '.join(LABELS)}: …")
    return [" ".join(part.split()) for part in parts[::2]]


def read_diff(docstring: str | None, name: str) -> tuple[str, ...]:
    """The lines after ``Diff:``, each with its sign.

    Raises:
        ValueError: a line has no sign, or it is no change.
    """
    lines = textwrap.dedent(_without_diff(docstring or "")[1]).strip("\n").rstrip().splitlines()
    signs = {line[:2] for line in lines}
    if lines and not {"- ", "+ "} <= signs <= {"- ", "+ ", "  "}:
        raise ValueError(f"The diff of {name} needs lines that begin with '- ' and with '+ '.")
    return tuple(lines)


def _without_diff(docstring: str) -> tuple[str, str]:
    words, _, diff = docstring.partition("\n    Diff:\n")
    return words, diff


def fault(
    name: str,
    kind: Class,
    *,
    stage: Stage = "whole",
    reported_in: Sequence[str] = (),
    rounds: Rounds = "",
    presumes: Sequence[str] = (),
) -> Callable[[Change], Fault]:
    """Declare a function of the form and its arguments, ``f(form, /, **arrays)``, as a fault."""

    def declare(change: Change) -> Fault:
        does, shown_when, cause, fix = read_text(change.__doc__, name)
        diff = read_diff(change.__doc__, name)
        places, needs = tuple(reported_in), tuple(presumes)
        said = does, shown_when, cause, fix
        return Fault(name, kind, stage, *said, places, change, rounds, diff=diff, presumes=needs)

    return declare


def tried_fault(name: str, kind: Class, **more: Any) -> Callable[[Callable[[], None]], Fault]:
    """Declare a fault that is seen by calling a function in several ways: a text without a form.

    ``more`` as of ``fault``.
    """

    def declare(text: Callable[[], None]) -> Fault:
        @wraps(text)
        def change(form: Form, /, **arrays: Any) -> Outputs:
            raise TypeError(f"{name} is found by trying: there is no wrong form to compare with.")

        return fault(name, kind, **more)(change)

    return declare


def argument_fault(name: str, kind: Class, **more: Any) -> Callable[[Callable[[Arrays], Arrays]], Fault]:
    """Declare a function that gives the changed arguments as a fault; ``more`` as of ``fault``."""

    def declare(arguments: Callable[[Arrays], Arrays]) -> Fault:
        @wraps(arguments)
        def change(form: Form, /, **arrays: Any) -> Outputs:
            return dict(form(**{**arrays, **arguments(arrays)}))

        return fault(name, kind, stage="inputs", **more)(change)

    return declare


def output_fault(
    name: str, kind: Class, **more: Any
) -> Callable[[Callable[[Outputs, Arrays], Outputs]], Fault]:
    """Declare a function of the right outputs and the arguments as a fault; ``more`` as of ``fault``."""

    def declare(outputs: Callable[[Outputs, Arrays], Outputs]) -> Fault:
        @wraps(outputs)
        def change(form: Form, /, **arrays: Any) -> Outputs:
            return outputs(dict(form(**arrays)), arrays)

        return fault(name, kind, stage="outputs", **more)(change)

    return declare


@dataclass(frozen=True)
class Constant:
    """A number that users of a convention choose, found from the answers of a target.

    Attributes:
        low, high: between which it may lie; the answers must rise or fall with it all the way.
        zero: what is too small to be seen may be 0.
    """

    name: str
    low: float
    high: float
    zero: bool = False


# the absolute error that right code may make, in roundings of its dtype
Slack = Callable[..., Any]


@dataclass(frozen=True)
class Convention:
    """A declared interpretation under which other answers are right: not a fault.

    Attributes:
        about: what is computed.
        used_by: who uses it, by formula. A formula without an entry does not have the convention.
        change: as that of a fault; gives the answers of the convention. Its constants follow the form.
        call: changes the arguments that the target is called with (a library that takes no value of the
            last state).
        reduces: it gives one number for a whole batch. It is then seen on batches alone, stands around
            all others, and never together with another of its sort.
        constants: what its users choose; a convention with constants and no values is *open*.
        values: of the constants.
        sets: the parameter that has one value under it; no convention of a function that takes it.
        value: that value, where it is one of the parameter's own.
        slack: of the form, the arguments and the values, where rounding is magnified; broadcast to the
            answer.
        rounds: it is the formula itself, with fewer digits; no excuse where all digits are required.
        formula: filled in by the catalogue.
        order: place among those of the formula; the first of several stands around the others.
    """

    name: str
    about: str
    used_by: Mapping[str, str]
    change: Change
    call: Callable[[Arrays], Arrays] | None = None
    reduces: bool = False
    constants: tuple[Constant, ...] = ()
    values: tuple[float, ...] = ()
    slack: Slack | None = None
    rounds: bool = False
    sets: str = ""
    value: Any = None
    formula: str = ""
    order: int = 0

    @property
    def users(self) -> str:
        """Who uses it for this formula; may be empty."""
        return self.used_by.get(self.formula, "")

    @property
    def open(self) -> bool:
        """Whether its constants have no values yet."""
        return len(self.values) < len(self.constants)

    def around(self, form: Form) -> Form:
        """The form seen through this convention."""
        return partial(self.change, form, *self.values)

    def with_values(self, values: Sequence[float]) -> Convention:
        """The same with its constants; its name is what a user types to declare it."""
        words = [as_typed(value) for value in values]
        said = ", ".join(f"{c.name} = {word}" for c, word in zip(self.constants, words, strict=True))
        return replace(
            self, name=f"{self.name}={','.join(words)}", about=f"{self.about} Here {said}.", values=(*values,)
        )

    def instance(self, name: str, used_by: Mapping[str, str], *values: float) -> Convention:
        """One of this sort that has a name of its own, by which it was known before."""
        return replace(self.with_values(values), name=name, used_by=used_by)

    def read_values(self, text: str) -> Convention:
        """The same with constants as a user types them.

        Raises:
            InputError: ``bad_constant``.
        """
        names = ",".join(constant.name for constant in self.constants)
        example = ",".join(as_typed(_ordinary(constant)) for constant in self.constants)
        values = [_number(part) for part in text.split(",")]
        if len(values) != len(self.constants) or None in values:
            raise InputError(
                "bad_constant",
                f"{shown(self.name + '=' + text)} gives no {names}.",
                f"Type {self.name}=<{names}>, as in {self.name}={example}.",
            )
        numbers = [value for value in values if value is not None]
        for constant, value in zip(self.constants, numbers, strict=True):
            if not (constant.low <= value <= constant.high or (constant.zero and value == 0)):
                raise InputError(
                    "bad_constant",
                    f"{constant.name} of {self.name} lies between {as_typed(constant.low)} and "
                    f"{as_typed(constant.high)}, not at {as_typed(value)}.",
                )
        return self.with_values(numbers)


def as_typed(value: float) -> str:
    """A number in few characters: 1e-5, 0.28, 20."""
    mantissa, _, exponent = f"{value:.12g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def _number(text: str) -> float | None:
    found = re.fullmatch(r"\s*([+-]?[0-9]*\.?[0-9]*(?:[eE][+-]?[0-9]{1,3})?)\s*", text, re.ASCII)
    try:
        return float(found[1]) if found else None
    except ValueError:
        return None


def _ordinary(constant: Constant) -> float:
    """One value that a constant may have, for an example."""
    middle = math.sqrt(constant.low * constant.high) if constant.low > 0 else constant.high / 2
    return float(f"{middle:.1g}")


def convention(
    name: str,
    used_by: Mapping[str, str],
    *,
    call: Callable[[Arrays], Arrays] | None = None,
    reduces: bool = False,
    constants: Sequence[Constant] = (),
    slack: Slack | None = None,
    rounds: bool = False,
    sets: str = "",
    value: Any = None,
) -> Callable[[Change], Convention]:
    """Declare a function of the form, its constants and its arguments as a convention of some formulas."""

    def declare(change: Change) -> Convention:
        about = " ".join((change.__doc__ or "").split())
        return Convention(
            name,
            about,
            used_by,
            change,
            call,
            reduces,
            tuple(constants),
            slack=slack,
            rounds=rounds,
            sets=sets,
            value=value,
        )

    return declare


@dataclass(frozen=True)
class Catalogue:
    """What is declared about one formula.

    Attributes:
        conventions: those that say all by their name.
        families: open ones, each with constants that are found or declared.
    """

    formula: str
    faults: tuple[Fault, ...] = ()
    conventions: tuple[Convention, ...] = ()
    families: tuple[Convention, ...] = ()
    _names: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # a family may share its name with what it is without a constant
        names = [fault.name for fault in self.faults] + [way.name for way in self.conventions]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{self.formula}: declared twice: {', '.join(twice)}")
        object.__setattr__(self, "_names", frozenset(fault.name for fault in self.faults))

    @classmethod
    def declared(cls, formula: str, faults: Iterable[Any], conventions: Iterable[Any]) -> Catalogue:
        """The faults and conventions among some values, in order.

        Args:
            faults: values of the module of the formula's faults.
            conventions: values of the module of all conventions.
        """
        ways = [c for c in conventions if isinstance(c, Convention) and formula in c.used_by]
        ways = [replace(c, formula=formula, order=order) for order, c in enumerate(ways)]
        return cls(
            formula,
            tuple(replace(f, formula=formula) for f in faults if isinstance(f, Fault)),
            tuple(c for c in ways if not c.open),
            tuple(c for c in ways if c.open),
        )

    def is_fault(self, name: str) -> bool:
        return name in self._names

    def of_class(self, kind: str) -> Catalogue:
        """The same with the faults of one class only.

        Raises:
            UnknownName: ``unknown_fault_class``.
        """
        if kind not in CLASSES:
            hint = suggestion(kind, list(CLASSES)) or f"There are {', '.join(CLASSES)}."
            raise UnknownName("unknown_fault_class", f"There is no class of faults {shown(kind)}.", hint)
        return replace(self, faults=tuple(fault for fault in self.faults if fault.kind == kind))

    def chosen(self, names: Sequence[str]) -> tuple[Convention, ...]:
        """Conventions by name; those with constants as ``name=value`` or ``name=value,value``.

        Raises:
            UnknownName: ``unknown_convention``.
            InputError: ``bad_constant``.
        """
        return tuple(self._chosen(name) for name in names)

    def _chosen(self, name: str) -> Convention:
        plain = {convention.name: convention for convention in self.conventions}
        families = {family.name: family for family in self.families}
        if name in plain:
            return plain[name]
        bare, equals, text = name.partition("=")
        if bare in families:
            return families[bare].read_values(text if equals else "")
        typed = [*plain, *(f"{family}=…" for family in families)]
        hint = suggestion(name, [*plain, *families]) or (
            f"There are {', '.join(typed)}." if typed else "It has no declared conventions."
        )
        raise UnknownName("unknown_convention", f"{self.formula} has no convention {shown(name)}.", hint)


def together(conventions: Sequence[Convention]) -> bool:
    """Whether conventions can hold at once: a batch is reduced one way only, a parameter has one value."""
    sets = [convention.sets for convention in conventions if convention.sets]
    return sum(convention.reduces for convention in conventions) < 2 and len(sets) == len(set(sets))


def pairs(faults: Sequence[Fault]) -> Iterator[tuple[Fault, Fault]]:
    """Pairs (outer, inner) that can stand together.

    The outer one calls the inner one, so it must change inputs or
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


def composed(
    faults: Sequence[Fault], conventions: Sequence[Convention], form: Form, outside: bool = False
) -> Form:
    """The form with faults in it, seen through conventions. The first fault is the outermost.

    Where a convention computes its own answer, a fault inside of it is lost;
    ``outside``, its inputs or its answer are changed. A fault that is a
    computation of its own stands inside all the same.

    Conventions stand in their declared order, however they were named: a loss
    is the negative of a clipped objective, not a clipped loss. One that
    reduces a batch is the outermost, since the others are about single samples.
    """
    ordered = sorted(conventions, key=lambda convention: (not convention.reduces, convention.order))
    around = [fault for fault in faults if outside and fault.stage != "whole"]
    inner = [fault for fault in faults if fault not in around]
    changes: tuple[Fault | Convention, ...] = (*reversed(inner), *reversed(ordered), *reversed(around))
    for change in changes:
        form = change.around(form)
    return form
