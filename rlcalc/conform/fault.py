"""Faults: ways to be wrong that real code has had, each a small change of the right NumPy form.

One is one decorated function in a module of ``rlcalc.conform.faults``, whose
docstring is what a report says about it::

    @argument_fault("discounting")
    def lam_twice(arrays: Arrays) -> Arrays:
        '''Carries the next advantage back with γ·λ².

        Shown when: Two steps of one episode and λ between 0 and 1.
        Cause: The caller passes γλ as discounts, and the scan multiplies by λ as well.
        Fix: Multiply by λ in one place.
        - adv = scan(delta, discount=gamma * lam, lam=lam)
        + adv = scan(delta, discount=gamma, lam=lam)
        '''
        return {"lam": arrays["lam"] ** 2}

``arrays`` are the keyword arguments of the right form: absent ones are
``None``, flags boolean, numbers NumPy arrays of one dtype. What a decorated
function returns says which decorator it has:

- ``argument_fault``: the arguments that differ; the right form does the rest. Where they have one value
  whatever was asked, ``sets`` says which, and there is a text alone.
- ``output_fault``: other outputs, made from those of the right form.
- ``fault``: all outputs by name. It gets the form itself, which is the right
  one or another fault when two are tried together.

A function may raise where the faulty code raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial, wraps
from inspect import cleandoc
from types import ModuleType
from typing import Any, Literal, get_args

from rlcalc.conform.convention import Constant, as_typed
from rlcalc.conform.forms import Arrays as Arrays  # these for the modules of faults, which all need them
from rlcalc.conform.forms import Change
from rlcalc.conform.forms import Form as Form
from rlcalc.conform.forms import Outputs as Outputs
from rlcalc.conform.forms import given as given

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
        spared: the convention under which it is none, since what shows it is never asked.
        constants: numbers that follow the form, which whoever has the fault chose; found from the answers.
        values: of the constants.
        outermost: it changes what conventions make of the answer, such as a loss, and stands around them.
        formula: filled in by the catalogue.
    """

    name: str
    kind: Class
    does: str
    shown_when: str
    cause: str
    fix: str
    reported_in: tuple[str, ...]
    change: Change
    stage: Stage = "whole"
    rounds: Rounds = ""
    formula: str = ""
    diff: tuple[str, ...] = ()
    presumes: tuple[str, ...] = ()
    spared: str = ""
    constants: tuple[Constant, ...] = ()
    values: tuple[float, ...] = ()
    outermost: bool = False

    @property
    def open(self) -> bool:
        """Whether its constants have no values yet."""
        return len(self.values) < len(self.constants)

    def with_values(self, values: Sequence[float]) -> Fault:
        """The same with its constants, which its text says."""
        said = ", ".join(f"{c.name} = {as_typed(v)}" for c, v in zip(self.constants, values, strict=True))
        return replace(self, does=f"{self.does} Here {said}.", values=tuple(values))

    def around(self, form: Form) -> Form:
        """The form with this fault in it, with usual constants where none were found."""
        return partial(self.change, form, *(self.values or [c.usual for c in self.constants]))

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

    A first paragraph, then one item a label; a longer item goes on indented by
    four. Below the fix its lines of code may follow, which ``read_diff`` reads.

    Raises:
        ValueError: a label is missing, twice or out of place. Under ``python -OO`` all texts are empty.
    """
    if docstring is None:
        return [""] * (1 + len(LABELS))
    parts = re.split(rf"\n\s*({'|'.join(LABELS)}): ", _words_and_code(docstring)[0])
    if tuple(parts[1::2]) != LABELS or not all(part.strip() for part in parts):
        raise ValueError(f"The docstring of {name} needs a first sentence, then {': … '.join(LABELS)}: …")
    return [" ".join(part.split()) for part in parts[::2]]


def read_diff(docstring: str | None, name: str) -> tuple[str, ...]:
    """The lines of code at the end, each with its sign.

    Raises:
        ValueError: they are no change.
    """
    lines = _words_and_code(docstring or "")[1:]
    signs = {line[:2] for line in lines}
    if lines and not {"- ", "+ "} <= signs <= {"- ", "+ ", "  "}:
        raise ValueError(f"The diff of {name} needs lines that begin with '- ' and with '+ '.")
    return tuple(lines)


def _words_and_code(docstring: str) -> list[str]:
    """The text, then the lines from the first one that has a sign, or two blanks in its place."""
    words, *code = re.split(r"\n(?=[-+] |  \S)", cleandoc(docstring), maxsplit=1)
    return [words, *(line for part in code for line in part.splitlines())]


def fault(
    kind: Class,
    *reported_in: str,
    presumes: Sequence[str] = (),
    constants: Sequence[Constant] = (),
    **more: Any,
) -> Callable[[Change], Fault]:
    """Declare a function of the form, its constants and its arguments, ``f(form, /, **arrays)``.

    The fault has the name of the function, with dashes; ``more`` are attributes of ``Fault``, as all others.
    """

    def declare(change: Change) -> Fault:
        name = change.__name__.replace("_", "-")
        does, shown_when, cause, fix = read_text(change.__doc__, name)
        given: dict[str, Any] = {**more, "presumes": tuple(presumes), "constants": tuple(constants)}
        diff = read_diff(change.__doc__, name)
        return Fault(name, kind, does, shown_when, cause, fix, reported_in, change, diff=diff, **given)

    return declare


def tried_fault(kind: Class, *reported_in: str) -> Callable[[Callable[[], None]], Fault]:
    """Declare a fault that is seen by calling a function in several ways: a text without a form."""

    def declare(text: Callable[[], None]) -> Fault:
        @wraps(text)
        def change(form: Form, /, **arrays: Any) -> Outputs:
            raise TypeError(f"{text.__name__} is found by trying: there is no wrong form to compare with.")

        return fault(kind, *reported_in)(change)

    return declare


def argument_fault(
    kind: Class, *reported_in: str, **more: Any
) -> Callable[[Callable[[Arrays], Arrays]], Fault]:
    """Declare a function that gives the changed arguments as a fault; ``more`` as of ``fault``."""

    def declare(arguments: Callable[[Arrays], Arrays]) -> Fault:
        @wraps(arguments)
        def change(form: Form, /, **arrays: Any) -> Outputs:
            changed = arguments(arrays)
            return _by_the_callers(arrays, changed, dict(form(**{**arrays, **changed})))

        return fault(kind, *reported_in, stage="inputs", **more)(change)

    return declare


def sets(kind: Class, /, *reported_in: str, **values: Any) -> Callable[[Callable[[], None]], Fault]:
    """Declare a text as a fault: arguments have these values, whatever they were given."""

    def declare(text: Callable[[], None]) -> Fault:
        @wraps(text)
        def arguments(arrays: Arrays) -> Arrays:
            return dict(values)

        return argument_fault(kind, *reported_in)(arguments)

    return declare


def _by_the_callers(arrays: Arrays, changed: Arrays, found: Outputs) -> Outputs:
    """The outputs with derivatives by what the caller passed.

    Of arguments that were exchanged they are those by the new places; by what was changed otherwise
    the form knows none.
    """
    places = {
        name: place
        for place, value in changed.items()
        for name, given in arrays.items()
        if given is value and given is not None and name in changed
    }
    derivatives = {f"d_{name}": found.get(f"d_{places.get(name)}") for name in changed}
    whole = {**found, **{name: value for name, value in derivatives.items() if name in found}}
    return {name: value for name, value in whole.items() if value is not None or name not in derivatives}


def output_fault(
    kind: Class, *reported_in: str, **more: Any
) -> Callable[[Callable[[Outputs, Arrays], Outputs]], Fault]:
    """Declare a function of the right outputs and the arguments as a fault; ``more`` as of ``fault``."""

    def declare(outputs: Callable[[Outputs, Arrays], Outputs]) -> Fault:
        @wraps(outputs)
        def change(form: Form, /, **arrays: Any) -> Outputs:
            return outputs(dict(form(**arrays)), arrays)

        return fault(kind, *reported_in, stage="outputs", **more)(change)

    return declare


def declared_in(module: ModuleType) -> tuple[Fault, ...]:
    """The faults of a module, in order."""
    return tuple(value for value in vars(module).values() if isinstance(value, Fault))
