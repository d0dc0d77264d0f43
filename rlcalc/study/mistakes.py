"""Which mistake gives this wrong answer?

On the same inputs, in this order: another output of the formula, every known bug, every convention, every
input in a way that people forget it (γ = 1, a flag left out, n one too large), the opposite sign; two of
the catalogue at once only where the answer has digits enough not to meet one by chance.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib.util import find_spec
from typing import Any

from rlcalc.agreement import input_scale
from rlcalc.conform.catalogue import Catalogue
from rlcalc.conform.fault import Fault
from rlcalc.conform.faults import catalogue
from rlcalc.conform.naming.composition import composed, pairs
from rlcalc.conform.outcome import run_form
from rlcalc.conform.vectors import Vector, reference
from rlcalc.errors import RlcalcError
from rlcalc.evaluation import Evaluation, derive_bound
from rlcalc.exact import to_text
from rlcalc.exact.effort import TooMuchWork
from rlcalc.inputs.arrays import from_exact
from rlcalc.nested import flatten
from rlcalc.specs import Formula, Parameter
from rlcalc.study.answers import Answer, Judged, entries_of, names_of

MOST = 3  # that are named
LONGEST = 4.0  # seconds
# classes of bugs by what people get wrong with a pencil: no flag is shifted there
_RANK = (
    "termination", "discounting", "weighting", "normalisation", "sign", "reduction", "clipping", "logarithm",
    "swapped", "counting", "ignored", "indexing", "precision",
)  # fmt: skip
# digits of all entries together, from which two mistakes at once are looked for
_TELLING = 4


@dataclass(frozen=True)
class Mistake:
    """Something that gives the answer that was typed.

    Attributes:
        name: of a known bug or a convention, for ``rlcalc explain``; empty of what has none.
        kind: ``output``, ``bug``, ``convention``, ``input`` or ``sign``.
        about: a sentence.
        fix: what to do instead; may be empty.
        exact: it gives the answer itself, not only its rounded form.
    """

    name: str
    kind: str
    about: str
    fix: str = ""
    exact: bool = True

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "kind": self.kind, "about": self.about, "fix": self.fix}


# what was found, or nothing by one more trial: the time is looked at after each
Tries = Iterator[Mistake | None]


def mistakes(found: Evaluation, judged: Judged) -> list[Mistake]:
    """What gives the answer that was typed, the likeliest first; empty where nothing does."""
    until = time.process_time() + LONGEST
    for search in (_single, _double):
        named: dict[str, Mistake] = {}
        for mistake in search(found, judged):
            if mistake is not None:
                named.setdefault(mistake.name or mistake.about, mistake)
            if time.process_time() > until:
                break
        if named:
            exact = [mistake for mistake in named.values() if mistake.exact]
            return (exact or list(named.values()))[:MOST]
    return []


def _single(found: Evaluation, judged: Judged) -> Tries:
    yield from _other_outputs(found, judged)
    yield from _known(found, judged)
    yield from _other_inputs(found, judged)
    yield from _opposite(judged)


def _gives(values: Any, judged: Judged) -> bool | None:
    """Whether an output in this form is what was typed, at the places that were typed; as ``_fits``."""
    entries = list(flatten(values))
    if judged.places is not None:
        if len(entries) <= max(judged.places):
            return None
        entries = [entries[place] for place in judged.places]
    return _fits(entries, judged.answers)


def _fits(entries: Sequence[Any], answers: Sequence[Answer]) -> bool | None:
    """Whether entries are what was typed: exactly, when rounded (``False``), or not at all (``None``).

    An integer says nothing about the digits behind it, so that it has to be met exactly.
    """
    if len(entries) != len(answers):
        return None
    verdicts = [answer.near(value) for answer, value in zip(answers, entries, strict=True)]
    loose = any(v == "rounded" and not a.pointed for v, a in zip(verdicts, answers, strict=True))
    if "wrong" in verdicts or loose:
        return None
    return "rounded" not in verdicts


def _other_outputs(found: Evaluation, judged: Judged) -> Iterator[Mistake]:
    """Another output, or another entry of one."""
    for name, result in found.results.items():
        entries = entries_of(result)
        if result.output.kind == "word" or not entries:
            continue
        same = judged.places is None or result.output.shape == judged.result.output.shape
        exact = _gives(entries, judged) if result is not judged.result and same else None
        if exact is not None:
            yield Mistake("", "output", f"It is {name}: {result.output.about}", "", exact)
        if len(judged.answers) > 1 or len(entries) == 1:
            continue
        names = names_of(found, result)
        for place, entry in enumerate(entries):
            exact = _fits([entry], judged.answers)
            if exact is not None:
                which = names[place] if names else f"entry {place} (from 0)"
                yield Mistake("", "output", f"It is {which} of {name}.", "", exact)


# the catalogue


def _vector(found: Evaluation) -> Vector | None:
    """The inputs as the NumPy form takes them; ``None`` where they are no numbers, or NumPy is not there."""
    if found.inputs.symbols or find_spec("numpy") is None:  # as in a browser
        return None
    return Vector(
        "check", found.formula, "", found.inputs.typed, {}, from_exact(found.inputs, "numpy"),
        {}, {}, input_scale(found.inputs),
    )  # fmt: skip


def _answer_of(form: Callable[..., Any], vector: Vector, output: str) -> Any:
    """One output of a form as nested lists; nothing where it refuses or has no such output."""
    array = run_form(form, vector).outputs.get(output)
    return [] if array is None else array.tolist() if getattr(array, "ndim", 0) else [float(array)]


def _known(found: Evaluation, judged: Judged) -> Tries:
    vector, known = _vector(found), catalogue(found.formula.name)
    if vector is None:
        return
    right, output = reference(found.formula), judged.result.output.name
    for fault in sorted(known.faults, key=_likely):
        exact = _gives(_answer_of(fault.around(right), vector, output), judged)
        yield None if exact is None else Mistake(fault.name, "bug", fault.does, fault.fix, exact)
    for way in known.conventions:
        exact = _gives(_answer_of(composed((), (way,), right), vector, output), judged)
        users = f" Used by {way.users}." if way.users else ""
        about = f"{way.about}{users}"
        yield None if exact is None else Mistake(way.name, "convention", about, "", exact)


def _likely(fault: Fault) -> tuple[int, bool]:
    """Place among the bugs to be named; that an input has no effect at all is said last."""
    return _RANK.index(fault.kind), fault.name.endswith("-ignored")


def _double(found: Evaluation, judged: Judged) -> Tries:
    """Two known bugs, or one under a convention."""
    digits = sum(len(answer.text.strip("-+0.").replace(".", "")) for answer in judged.answers)
    vector, known = _vector(found), catalogue(found.formula.name)
    if vector is None or digits < _TELLING:
        return
    right, output = reference(found.formula), judged.result.output.name
    for names, about, form in _together(known, right):
        exact = _gives(_answer_of(form, vector, output), judged)
        yield None if exact is None else Mistake(names, "bug", about, "", exact)


def _together(known: Catalogue, right: Any) -> Iterator[tuple[str, str, Callable[..., Any]]]:
    for outer, inner in pairs(known.faults):
        form = composed((outer, inner), (), right)
        yield f"{outer.name} + {inner.name}", f"{outer.does} {inner.does}", form
    for fault in known.faults:
        for way in known.conventions:
            yield f"{fault.name} + {way.name}", f"{fault.does} {way.about}", composed((fault,), (way,), right)


# inputs that were read in another way


def _other_inputs(found: Evaluation, judged: Judged) -> Tries:
    if any(p.samples and isinstance(found.inputs.given[p.name], list) for p in found.formula.parameters):
        return  # several samples, which no exact form takes at once
    for words, given in _variants(found.formula, found.inputs.given):
        try:
            outputs = derive_bound(replace(found.inputs, given=given)).outputs
        except (RlcalcError, TooMuchWork, ArithmeticError, TypeError, ValueError, IndexError):
            continue  # it is no input of the formula
        exact = _gives(outputs.get(judged.result.output.name, []), judged)
        yield None if exact is None else Mistake("", "input", f"It is the answer {words}.", "", exact)


def _variants(formula: Formula, given: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for parameter in formula.parameters:
        value = given[parameter.name]
        for words, other in _readings(parameter, value):
            yield words, {**given, parameter.name: other}


def _readings(parameter: Parameter, value: Any) -> Iterator[tuple[str, Any]]:
    """Ways to have forgotten or misread one input."""
    name = parameter.symbol
    if parameter.is_switch:
        yield (f"without {parameter.option}", None) if value else (f"with {parameter.option}", True)
    elif value is None:
        return
    elif parameter.kind == "flag":
        if any(flatten(value)):
            yield f"without {parameter.option}", None
    elif parameter.kind == "choice" or isinstance(value, str):
        yield from ((f"for {parameter.option} {w}", w) for w in parameter.choices if w != value)
    elif parameter.kind in ("integer", "count") and isinstance(value, int):
        yield from ((f"for {name} = {other}", other) for other in (value - 1, value + 1) if other >= 0)
    elif parameter.kind == "number" and not isinstance(value, list):
        for other in (Fraction(1), Fraction(0), _complement(parameter, value)):
            if other is not None and other != value:
                yield f"for {name} = {to_text(other)}", other


def _complement(parameter: Parameter, value: Any) -> Fraction | None:
    """1 − λ or 1 − α, of what lies between 0 and 1."""
    unit = parameter.domain.low == 0 and parameter.domain.high in (1, 2)
    return 1 - value if unit and isinstance(value, Fraction) and value < 1 else None


def _opposite(judged: Judged) -> Iterator[Mistake]:
    if any(isinstance(entry, str) for entry in judged.truth):
        return
    exact = _gives([-entry for entry in judged.truth], judged)
    if exact is not None:
        yield Mistake("", "sign", "It is the answer with the opposite sign.", "", exact)
