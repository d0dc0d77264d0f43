"""Exact values, decimals and floats as text, for every way of printing."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from rlcalc.exact import rational, to_decimal, to_text

DIGITS = 20
_FORMATS = {"float32": "f", "float16": "e"}


def deep(write: Callable[[Any], Any], value: Any) -> Any:
    """Apply to every entry of a nested list, or to the scalar."""
    if isinstance(value, list | tuple):
        return [deep(write, part) for part in value]
    return None if value is None else write(value)


def exact_text(value: Any) -> str:
    return value if isinstance(value, str) else to_text(value)


def decimal_text(value: Any) -> str | None:
    """20 significant digits, or ``None`` for words and symbols."""
    return None if isinstance(value, str) else to_decimal(value, DIGITS)


def short_decimal(value: Any) -> tuple[str, bool] | None:
    """A decimal for people, and whether it is the exact value: ``("2.75", True)``."""
    text = decimal_text(value)
    if text is None or text.endswith("infinity"):
        return None
    plain = rational(value)
    mantissa, e, exponent = text.partition("e")
    whole = plain is not None and plain == Fraction(text)
    if whole and "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return mantissa + e + exponent, whole


def float_text(value: Any, dtype: str = "float64") -> str:
    """The shortest decimal that the dtype reads back as this number."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int) or not math.isfinite(value):
        return str(value)
    if dtype == "bfloat16":
        return f"{value:.4g}"
    code = _FORMATS.get(dtype)
    if code is None:
        return plain_float(value)
    for digits in range(1, 10):
        text = f"{value:.{digits}g}"
        if struct.pack(code, float(text)) == struct.pack(code, value):
            return text
    return plain_float(value)


def plain_float(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def json_float(value: Any) -> Any:
    """What JSON can hold: infinities and NaN have no number there."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def bracketed(value: Any, write: Callable[[Any], str], most: int | None = None) -> str:
    """A nested list on one line; above ``most`` entries the middle is a count."""
    if not isinstance(value, list | tuple):
        return write(value)
    if most is not None and len(value) > most:
        first = ", ".join(bracketed(part, write, most) for part in value[:4])
        last = ", ".join(bracketed(part, write, most) for part in value[-2:])
        return f"[{first}, …, {last}] ({len(value)} entries; --json prints all)"
    return "[" + ", ".join(bracketed(part, write, most) for part in value) + "]"
