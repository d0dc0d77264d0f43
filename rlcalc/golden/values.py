"""Certified values: read from text, compared exactly, written as decimals.

Shared by certification and verification, so that both mean the same by
"equal". A value is a scalar or a nested list; a scalar is a ``Fraction``, a
SymPy expression (±oo for ``infinity``) or a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.digits import read_decimal
from rlcalc.errors import InputError
from rlcalc.exact import equal, is_symbolic, parse_number, to_decimal, to_sympy, to_text
from rlcalc.golden.files import Case, Expected
from rlcalc.nested import flatten, map_nested, outline
from rlcalc.specs import Formula, Output

# a number that a source printed, possibly after a sign of rounding
_PRINTED = re.compile(r"[≈~]?\s*([+-]?(?:\d+\.?(\d*)|\.(\d+)))")
_TYPESET = str.maketrans({"−": "-", "–": "-", "×": "*", "·": "*", "÷": "/", "²": "**2", "³": "**3"})


def output_of(formula: Formula, name: str) -> Output:
    """The declared output of that name; golden files name no other."""
    return next(output for output in formula.outputs if output.name == name)


@lru_cache(maxsize=1024)  # long answers repeat their entries
def read_exact(text: str | int) -> Any:
    """A scalar of ``exact``, as number.

    Raises:
        InputError: as ``parse_number``.
    """
    if isinstance(text, int):
        return Fraction(text)
    if text in ("infinity", "-infinity"):
        return sympy.oo if text == "infinity" else -sympy.oo
    return parse_number(text)


def same_number(wanted: Any, got: Any) -> bool:
    """Whether two exact numbers, or functions of symbols, are equal; cheap ways first."""
    left, right = to_sympy(wanted), to_sympy(got)
    if bool(left == right):
        return True
    if left.is_Rational and right.is_Rational:
        return False
    if left.is_infinite or right.is_infinite:
        return False
    return bool(sympy.expand(left - right) == 0 or equal(wanted, got))


def exact_text(value: Any) -> Any:
    """An exact answer as it would stand in ``exact``."""
    return map_nested(lambda part: part if isinstance(part, str) else to_text(part), value)


@dataclass(frozen=True)
class Certified:
    """One certified value of an output, whose texts are read once.

    Raises:
        InputError: at the first look, as ``parse_number``, where ``exact`` is not a number.
    """

    want: Expected
    output: Output

    @cached_property
    def numbers(self) -> Any:
        """``exact`` as numbers; words as they are."""
        if self.output.kind == "word":
            return map_nested(str, self.want.exact)
        return map_nested(read_exact, self.want.exact)

    @cached_property
    def decimals(self) -> Any:
        """The decimals that belong to ``exact``; ``None`` for words and symbolic answers."""
        if self.output.kind == "word" or any(map(is_symbolic, flatten(self.numbers))):
            return None
        return map_nested(_decimal, self.numbers)

    @cached_property
    def truth(self) -> Any:
        """What floating results are measured against: Fractions, or ±inf; ``None`` without decimals.

        From ``exact`` alone: ``decimal`` is for other readers, and is compared with this.
        """
        return None if self.decimals is None else map_nested(read_decimal, self.decimals)

    def equals(self, got: Any, rounded: bool = False) -> bool:
        """Whether the exact form's answer is this one, entry by entry: ``rounded``, in twenty digits."""
        if outline(self.want.exact) != outline(got):
            return False
        if rounded and self.decimals is not None:
            return bool(self.decimals == map_nested(to_decimal, got))
        pairs = zip(flatten(self.numbers), flatten(got), strict=True)
        return all(
            str(mine) == str(other)
            if self.output.kind == "word" or isinstance(other, str)
            else same_number(mine, other)
            for mine, other in pairs
        )

    def decimal_problem(self) -> str:
        """What is wrong with ``decimal``; "" if nothing is."""
        written = self.want.decimal
        if written is None or self.decimals is None or written == self.decimals:
            return ""
        return f"decimal is {written}, 20 digits of exact are {self.decimals}"

    def printed_problem(self, wrong_on_purpose: bool = False) -> str:
        """What is wrong with ``printed``; "" if nothing is.

        A plain decimal must be ``exact`` rounded to as many places, any other
        text must be mathematically equal; a word must be the word; an empty
        entry is one that the source leaves out. An erratum
        must not be: a source's mistake that turns out right is no mistake.
        """
        if self.want.printed is None:
            return ""
        try:
            pairs = zip(flatten(self.want.printed), flatten(self.numbers), strict=True)
            right = all(self._prints(printed, number) for printed, number in pairs if printed != "")
        except InputError as error:
            return f"printed cannot be read: {error}"
        if right and wrong_on_purpose:
            return f"the erratum prints {self.want.printed}, which is right"
        if not right and not wrong_on_purpose:
            return f"exact is {self.want.exact}, but the source prints {self.want.printed}"
        return ""

    def _prints(self, printed: str | int, number: Any) -> bool:
        if self.output.kind == "word":
            return bool(printed == number)
        text = str(printed).translate(_TYPESET).strip()
        plain = _PRINTED.fullmatch(text)
        if plain is None:
            return same_number(read_exact(text), number)
        if is_symbolic(number):
            return False
        places = len(plain[2] or plain[3] or "")
        decimal = to_decimal(number, 40)
        if decimal is None or decimal.endswith("infinity"):
            return False
        # a tie may be printed either way, so the distance counts and not one rule of rounding
        return abs(Fraction(decimal) - Fraction(plain[1])) <= Fraction(1, 2 * 10**places)


@lru_cache(maxsize=1024)
def _decimal(number: Any) -> str:
    text = to_decimal(number, 20)
    if text is None:
        raise InputError("number_not_real", f"{to_text(number)} is not a real number.")
    return text


def certified(case: Case, formula: Formula) -> list[dict[str, Certified]]:
    """The certified values of every variant of a case, by output."""
    return [
        {name: Certified(want, output_of(formula, name)) for name, want in variant.want.items()}
        for variant in case.variants
    ]


def source_problems(case: Case, values: Sequence[Mapping[str, Certified]]) -> Iterator[tuple[str, str, str]]:
    """Where a file contradicts itself: ``printed`` or ``decimal``, the output and the reason."""
    for number, variant in enumerate(values):
        for name, value in variant.items():
            # only the case's own variant carries the source's mistake
            why = value.printed_problem(wrong_on_purpose=case.is_erratum and number == 0)
            if why:
                yield "printed", name, why
            try:
                why = value.decimal_problem()
            except InputError:
                continue  # an exact value that cannot be read is reported where it is compared
            if why:
                yield "decimal", name, why
