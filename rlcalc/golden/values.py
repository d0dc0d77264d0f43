"""Certified values: read from text, compared exactly, written as decimals.

Shared by certification and verification, so that both mean the same by
"equal". A value is a scalar or a nested list; a scalar is a ``Fraction``, a
SymPy expression (±oo for ``infinity``) or a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.digits import read_decimal
from rlcalc.errors import InputError
from rlcalc.exact import equal, is_symbolic, parse_number, to_decimal, to_sympy, to_text
from rlcalc.golden.files import Case, Want
from rlcalc.specs import Formula, Output

# a number that a source printed, possibly behind a sign of rounding
_PRINTED = re.compile(r"[≈~]?\s*([+-]?(?:\d+\.?(\d*)|\.(\d+)))")
_TYPESET = str.maketrans({"−": "-", "–": "-", "×": "*", "·": "*", "÷": "/", "²": "**2", "³": "**3"})


def output_of(formula: Formula, name: str) -> Output:
    """The declared output of that name; golden files name no other."""
    return next(output for output in formula.outputs if output.name == name)


def each(function: Callable[..., Any], *values: Any) -> Any:
    """Apply a function to the entries of nested lists of one shape."""
    if isinstance(values[0], list | tuple):
        return [each(function, *parts) for parts in zip(*values, strict=True)]
    return function(*values)


def shape(value: Any) -> Any:
    """The nesting of a value, ``None`` for a scalar; equal for lists that match entry by entry."""
    return [shape(part) for part in value] if isinstance(value, list | tuple) else None


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


def same_exact(want: Want, got: Any, output: Output) -> bool:
    """Whether the exact form's answer is the certified one, entry by entry."""
    if shape(want.exact) != shape(got):
        return False

    def same(wanted: str | int, mine: Any) -> bool:
        if output.kind == "word" or isinstance(mine, str):
            return str(wanted) == str(mine)
        return same_number(read_exact(wanted), mine)

    return _all(each(same, want.exact, got))


def _all(value: Any) -> bool:
    return all(_all(part) for part in value) if isinstance(value, list) else bool(value)


def decimals_of(want: Want, output: Output) -> Any:
    """The decimals that belong to ``exact``; ``None`` for words and symbolic answers."""
    if output.kind == "word":
        return None
    numbers = each(read_exact, want.exact)
    if _any_symbolic(numbers):
        return None
    return each(_decimal, numbers)


def _any_symbolic(value: Any) -> bool:
    return any(map(_any_symbolic, value)) if isinstance(value, list) else is_symbolic(value)


def _decimal(number: Any) -> str:
    text = to_decimal(number, 20)
    if text is None:
        raise InputError("number_not_real", f"{to_text(number)} is no real number.")
    return text


def truth(want: Want, output: Output) -> Any:
    """What floating results are measured against: Fractions, or ±inf; ``None`` without a decimal."""
    decimals = want.decimal if want.decimal is not None else decimals_of(want, output)
    return None if decimals is None else each(lambda text: read_decimal(str(text)), decimals)


def exact_text(value: Any) -> Any:
    """An exact answer as it would stand in ``exact``."""
    return each(lambda part: part if isinstance(part, str) else to_text(part), value)


def printed_problems(case: Case, formula: Formula) -> list[tuple[str, str]]:
    """What is wrong with the ``printed`` values of a case: pairs of output and reason.

    A plain decimal must be ``exact`` rounded to as many places, any other
    text must be mathematically equal; a word must be the word. An erratum
    must not be: a source's mistake that turns out right is no mistake.
    """
    found = []
    for number, reading in enumerate(case.readings):
        for name, want in reading.want.items():
            if want.printed is None:
                continue
            output = output_of(formula, name)
            try:
                right = _all(each(lambda p, e, o=output: _prints(p, e, o), want.printed, want.exact))
            except InputError as error:
                found.append((name, f"printed cannot be read: {error}"))
                continue
            # only the case's own reading carries the source's mistake
            wrong_on_purpose = case.is_erratum and number == 0
            if right and wrong_on_purpose:
                found.append((name, f"the erratum prints {want.printed}, which is right"))
            elif not right and not wrong_on_purpose:
                found.append((name, f"exact is {want.exact}, but the source prints {want.printed}"))
    return found


def decimal_problems(case: Case, formula: Formula) -> list[tuple[str, str]]:
    """Decimals that are not 20 digits of their ``exact``: pairs of output and reason.

    Floating results are measured against the decimals, which cannot show that
    one of these is itself wrong beyond the digits that a float holds.
    """
    found = []
    for reading in case.readings:
        for name, want in reading.want.items():
            if want.decimal is None:
                continue
            try:
                right = decimals_of(want, output_of(formula, name))
            except InputError:
                continue  # an exact value that cannot be read is reported where it is compared
            if right is not None and right != want.decimal:
                found.append((name, f"decimal is {want.decimal}, 20 digits of exact are {right}"))
    return found


def _prints(printed: str | int, exact: str | int, output: Output) -> bool:
    if printed == exact:
        return True
    if output.kind == "word":
        return False
    text = str(printed).translate(_TYPESET).strip()
    plain = _PRINTED.fullmatch(text)
    number = read_exact(exact)
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
