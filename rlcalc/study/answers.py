"""A typed answer against the exact one: exact, right as rounded, or wrong.

A decimal is right as rounded where it lies within half a unit of its last digit; a fraction, a root or an
expression with symbols has to be the answer itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any, Literal

from rlcalc.agreement import Result
from rlcalc.errors import InputError, UnknownName, many, shown, suggestion
from rlcalc.evaluation import Evaluation
from rlcalc.exact import compare, equal, parse_number, rational
from rlcalc.nested import flatten

Verdict = Literal["exact", "rounded", "wrong"]
VERDICTS: tuple[Verdict, ...] = ("exact", "rounded", "wrong")

_DECIMAL = re.compile(r"[+-]?([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,3}))?", re.ASCII)
_CLOSE = Fraction(1, 10**9)  # of a backend's number, where there is no exact one


@dataclass(frozen=True)
class Answer:
    """One entry as it was typed.

    Attributes:
        value: exact, or the word itself.
        unit: of the last digit of a decimal; 0 of anything else.
        pointed: it was written with a decimal point or an exponent.
    """

    text: str
    value: Any
    unit: Fraction = Fraction(0)
    pointed: bool = False

    @property
    def whole(self) -> bool:
        """Whether it is an integer as people write one."""
        return self.unit == 1 and not self.pointed

    @property
    def half(self) -> Fraction:
        return self.unit / 2

    def near(self, other: Any) -> Verdict:
        """How this stands to what is right: exact, the rounded form of it, or wrong."""
        if isinstance(other, str) or isinstance(self.value, str):
            return "exact" if str(other).split() == self.text.split() else "wrong"
        if isinstance(other, float):
            return self._near_float(other)
        if equal(self.value, other):
            return "exact"
        if not self.unit:
            return "wrong"
        below, above = compare(other, self.value - self.half), compare(other, self.value + self.half)
        inside = below is not None and above is not None and below >= 0 >= above
        return "rounded" if inside else "wrong"

    def _near_float(self, other: float) -> Verdict:
        mine = rational(self.value)
        if mine is None or other != other or abs(other) == float("inf"):
            return "wrong"
        apart = abs(mine - Fraction(other))
        if apart <= _CLOSE * max(Fraction(1), abs(mine)):
            return "exact"
        return "rounded" if apart <= self.half else "wrong"


def read_answer(text: str, symbols: bool, words: bool = False) -> Answer:
    """What a student typed for one entry.

    Raises:
        InputError: the codes of the number grammar.
    """
    if words:
        return Answer(text, text)
    value = parse_number(text, name="the answer", symbols=symbols)
    form = _DECIMAL.fullmatch(text.strip())
    if form is None:
        return Answer(text, value)
    places = len(form[2] or "") - int(form[3] or 0)
    return Answer(text, value, Fraction(10) ** -places, form[2] is not None or form[3] is not None)


@dataclass(frozen=True)
class Judged:
    """The answer to one output, entry by entry.

    Attributes:
        truth: of every entry: exact where there is an exact form, floats where not.
        names: of every entry; empty where they have none.
        places: of the entries in the output, where only some were given by name; ``None`` for all.
    """

    result: Result
    answers: tuple[Answer, ...]
    truth: tuple[Any, ...]
    entries: tuple[Verdict, ...]
    names: tuple[str, ...] = ()
    places: tuple[int, ...] | None = None

    @property
    def verdict(self) -> Verdict:
        """That of the worst entry."""
        return VERDICTS[max(map(VERDICTS.index, self.entries))]


def entries_of(result: Result) -> tuple[Any, ...]:
    """All entries of an output in reading order; exact ones where there are any."""
    for found in (result.exact, result.numpy, result.torch):
        if found is not None:
            return tuple(flatten(found))
    return ()


def names_of(found: Evaluation, result: Result) -> tuple[str, ...]:
    """What the entries of an output are called, in reading order; empty where some have no name."""
    axes = [found.names.get(str(dimension), ()) for dimension in result.output.shape]
    names = tuple(" ".join(parts) for parts in product(*axes)) if axes and all(axes) else ()
    return names if len(names) == len(entries_of(result)) else ()


def judge(found: Evaluation, texts: Sequence[str], output: str = "", names: Sequence[str] = ()) -> Judged:
    """Compare what was typed with an output.

    Args:
        texts: one entry each.
        output: name of the output that is meant; when left out, the first one with as many entries.
        names: of the entries, where only some are given.

    Raises:
        InputError: ``check_wrong_length`` where no output has as many entries; the codes of the grammar.
        UnknownName: ``check_unknown_entry`` for an entry that no output has.
    """
    results = [found.results[output]] if output else list(found.results.values())
    if names:
        result, places = _named(found, results, names)
        known = [entries_of(result)[place] for place in places]
    else:
        result, places = _meant(found, results, texts, output), None
        known = list(entries_of(result))
    words = result.output.kind == "word"
    answers = tuple(read_answer(text, found.formula.symbolic, words) for text in texts)
    if not all(answer.whole for answer in answers):  # who writes 1 beside 1/2 does not mean 5/4
        answers = tuple(replace(answer, unit=Fraction(0)) if answer.whole else answer for answer in answers)
    entries = tuple(answer.near(right) for answer, right in zip(answers, known, strict=True))
    return Judged(result, answers, tuple(known), entries, tuple(names) or names_of(found, result), places)


def _named(
    found: Evaluation, results: Sequence[Result], names: Sequence[str]
) -> tuple[Result, tuple[int, ...]]:
    """The first output with entries of these names, and their places.

    Raises:
        UnknownName: ``check_unknown_entry``.
        InputError: ``check_has_no_names``.
    """
    tables = [
        (result, [_plain(name) for name in own]) for result in results if (own := names_of(found, result))
    ]
    for result, known in tables:
        if all(_plain(name) in known for name in names):
            return result, tuple(known.index(_plain(name)) for name in names)
    if not tables:
        raise InputError(
            "check_has_no_names", "The entries of this answer have no names.", "Give all of them, in order."
        )
    known = list(names_of(found, tables[0][0]))
    wrong = next((name for name in names if _plain(name) not in tables[0][1]), names[0])
    hint = suggestion(wrong, known) or f"There are {', '.join(known[:12])}."
    output = tables[0][0].output.name
    raise UnknownName("check_unknown_entry", f"{output} has no entry {shown(wrong)}.", hint)


def _plain(name: str) -> str:
    """A name without its brackets and commas, which people leave out: (2,2) is 2 2."""
    return " ".join(re.sub(r"[(),]", " ", name).split())


def _meant(found: Evaluation, results: Sequence[Result], texts: Sequence[str], output: str) -> Result:
    """The first output with as many entries; numbers before words."""
    fitting = [result for result in results if len(entries_of(result)) == len(texts)]
    if not fitting:
        raise _wrong_length(found, texts, output)
    return min(fitting, key=lambda result: result.output.kind == "word")


def _wrong_length(found: Evaluation, texts: Sequence[str], output: str) -> InputError:
    sizes = {name: len(entries_of(result)) for name, result in found.results.items()}
    name = output or next(iter(sizes))
    others = ", ".join(f"{other} {size}" for other, size in sizes.items() if other != name)
    some = ", or some by name: --check NAME=VALUE" if names_of(found, found.results[name]) else ""
    return InputError(
        "check_wrong_length",
        f"--check has {many(len(texts), 'entry', 'entries')}, {shown(' '.join(texts))}; "
        f"{name} has {sizes[name]}.",
        f"Give all entries of one output{some}{f'; of the others: {others}' if others else ''}.",
    )
