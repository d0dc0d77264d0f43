"""Values of evidence: read exactly, and written for a reader."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit.zero import as_expression, is_expression
from rlcalc.exact.words import GREEK_LETTERS

_LETTER_OF = {name: letter for letter, name in GREEK_LETTERS.items()} | {"pi": "π"}


class Given(str):
    """Text that a statement or a golden case gives: computed with, never typed in as evidence."""


class GivenNumber(int):
    """The same of an integer."""


def given(value: Any) -> Any:
    """A part of a statement, or an input of a case, marked as such."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return GivenNumber(value)
    if isinstance(value, str):
        return Given(value)
    if isinstance(value, list | tuple):
        return type(value)(given(part) for part in value)
    if isinstance(value, dict):
        return {key: given(part) for key, part in value.items()}
    return value


def is_literal(value: Any) -> bool:
    """Whether a number was typed in where the evidence is: not computed, and given by nothing."""
    return isinstance(value, int | str | Fraction) and not isinstance(value, Given | GivenNumber)


_GREEK = re.compile(r"\b(alpha|gamma|lambda|theta|delta|epsilon|beta|sigma|mu|pi|phi|rho)\b")


def plain(value: Any) -> str:
    """An expression on one line."""
    if not is_expression(value):
        return str(value)
    text = str(value).replace("**", "^").replace("*", "·")
    return _GREEK.sub(lambda match: _LETTER_OF.get(match[0], match[0]), text)


def tex(value: Any) -> str:
    return str(sympy.latex(as_expression(value)))


def listed(value: Any) -> str:
    if isinstance(value, list | tuple | set | frozenset) and not value:
        return "nothing"
    if isinstance(value, list | tuple):
        rows = any(isinstance(part, list | tuple) for part in value)
        phrases = any(isinstance(part, str) and " " in part for part in value)
        return ("; " if rows else ", " if phrases else " ").join(listed(part) for part in value)
    if isinstance(value, set | frozenset):
        return "{" + ", ".join(sorted(str(part) for part in value)) + "}"
    return plain(value)
