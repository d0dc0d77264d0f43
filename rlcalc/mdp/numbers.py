"""One number or name of a process, checked."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any, NoReturn

from rlcalc.errors import InputError, shown
from rlcalc.exact import is_symbolic, parse_literal, parse_number

MAX_DIGITS = 60  # of a numerator or denominator: exact elimination multiplies them
_NAME = re.compile(r"[\w .,;:()+*/|<>=@!?'\-]{1,40}")


def number(raw: Any, where: str, symbols: bool = False) -> Any:
    """A rational number; with ``symbols`` also an expression in letters.

    Raises:
        InputError: ``number_syntax``, ``mdp_not_rational``, ``mdp_too_large`` or of the grammar.
    """
    if isinstance(raw, bool) or not isinstance(raw, int | float | str | Fraction):
        raise InputError("number_syntax", f"{where} holds {shown(raw)}, which is not a number.")
    if isinstance(raw, float):
        raw = repr(raw)
    found = raw if not isinstance(raw, str) else parse_literal(raw)
    if found is None:
        found = parse_number(raw, name=where, symbols=symbols)
    if symbols and is_symbolic(found):
        return found
    if not isinstance(found, Fraction | int):
        raise InputError(
            "mdp_not_rational", f"{where} holds {shown(raw)}.", "An MDP is solved over the rationals."
        )
    if max(found.numerator.bit_length(), found.denominator.bit_length()) > MAX_DIGITS * 3.33:
        raise InputError("mdp_too_large", f"{where} holds a number of more than {MAX_DIGITS} digits.")
    return Fraction(found)


def check_name(name: Any) -> str:
    """A name of a state, an action or a process.

    Raises:
        InputError: ``mdp_bad_name``.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        bad_name(name)
    return name


def bad_name(name: Any) -> NoReturn:
    raise InputError(
        "mdp_bad_name",
        f"{shown(name)} cannot be a name here.",
        "Use 1 to 40 letters, digits, spaces and simple signs.",
    )
