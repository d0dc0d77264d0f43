"""Values of evidence: read exactly, and written for a reader."""

from __future__ import annotations

import re
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit.latex_signs import LETTERS
from rlcalc.audit.zero import is_expression

_GREEK = re.compile(r"\b(alpha|gamma|lambda|theta|delta|epsilon|beta|sigma|mu|pi|phi|rho)\b")


def number(value: Any) -> Any:
    """An exact number from text of the calculator's grammar, a Fraction, an integer or SymPy."""
    if isinstance(value, float):
        raise TypeError(f"{value!r} is a float; evidence takes exact numbers")
    if isinstance(value, str):
        from rlcalc.exact import parse_number

        return parse_number(value)
    return value


def plain(value: Any) -> str:
    """An expression on one line."""
    if not is_expression(value):
        return str(value)
    text = str(value).replace("**", "^").replace("*", "·")
    return _GREEK.sub(lambda match: LETTERS[match[0]], text)


def tex(value: Any) -> str:
    from rlcalc.exact import to_sympy

    return str(sympy.latex(value if isinstance(value, sympy.Basic) else to_sympy(value)))


def listed(value: Any) -> str:
    if isinstance(value, list | tuple | set | frozenset) and not value:
        return "nothing"
    if isinstance(value, list | tuple):
        return " ".join(plain(part) for part in value)
    if isinstance(value, set | frozenset):
        return "{" + ", ".join(sorted(str(part) for part in value)) + "}"
    return plain(value)
