"""Exact values, decimals and floats as text, for every way of printing."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rlcalc.exact import rational, to_decimal, to_text, to_unicode
from rlcalc.nested import map_nested

DIGITS = 20  # of a decimal in JSON
MAX_SHOWN = 10  # of a decimal that goes on for ever, for a reader
ENDS_BY = 30  # digits of a decimal that is shown to its end
LONG = 24  # characters of a fraction that is shown as the decimal that it is
_FORMATS = {"float32": "f", "float16": "e"}


@dataclass(frozen=True)
class View:
    """How much of an answer a reader wants to see.

    Attributes:
        digits: significant digits of every decimal; ``None`` is as many as the number has, or ``MAX_SHOWN``.
        decimal: decimals alone, where there is one.
        steps: ``none``, ``short`` or ``all``.
        whole: no list is shortened.
        fractions: the answer alone is a fraction however long; else a long one is its decimal.
        width: columns of the page.
        cut: whether a number wider than the page may be broken.
    """

    digits: int | None = None
    decimal: bool = False
    steps: str = "all"
    whole: bool = True
    fractions: bool = True
    width: int = 80
    cut: bool = False


def map_entries(write: Callable[[Any], Any], value: Any) -> Any:
    """``write`` of every entry; of nothing it is nothing."""
    return None if value is None else map_nested(write, value)


def exact_text(value: Any) -> str:
    return value if isinstance(value, str) else to_text(value)


def readable(value: Any) -> str:
    """An exact value in the signs of the steps; a word as it is."""
    return value if isinstance(value, str) else to_unicode(value)


def decimal_text(value: Any, digits: int = DIGITS) -> str | None:
    """Significant digits, or ``None`` for words and symbols."""
    return None if isinstance(value, str) else to_decimal(value, digits)


def short_decimal(value: Any, digits: int | None = None) -> tuple[str, bool] | None:
    """A decimal for people, and whether it is the exact value: ``("2.75", True)``."""
    text = decimal_text(value, digits or ENDS_BY)
    if text is None or text.endswith("infinity"):
        return None
    plain = rational(value)
    whole = plain is not None and plain == Fraction(text)
    if whole:
        mantissa, e, exponent = text.partition("e")
        if "." in mantissa:
            text = mantissa.rstrip("0").rstrip(".") + e + exponent
    elif digits is None:
        text = decimal_text(value, MAX_SHOWN) or text
    return text.replace("-", "−"), whole


@dataclass(frozen=True)
class Shown:
    """A value for a reader.

    Attributes:
        exact: its exact text, or the decimal where that is all to be shown.
        long: the exact text is a fraction too long to be read.
        near: its decimal; the same text where it says no more.
        whole: the decimal is the exact value.
        has_decimal: false of words, symbols and infinities.
    """

    exact: str
    near: str
    whole: bool = True
    has_decimal: bool = True
    long: bool = False

    def __str__(self) -> str:
        return self.exact if self.near == self.exact else f"{self.exact} {self.sign} {self.near}"

    @property
    def sign(self) -> str:
        return "=" if self.whole else "≈"


def shown(value: Any, view: View) -> Shown:
    """An exact value as a reader is to see it."""
    exact, near = readable(value), short_decimal(value, view.digits)
    if near is None:
        return Shown(exact, exact, has_decimal=False)
    text, whole = near
    long = whole and len(exact) > LONG
    return Shown(text if view.decimal or long else exact, text, whole, long=long)


def float_text(value: Any, dtype: str = "float64", digits: int | None = None) -> str:
    """The shortest decimal that the dtype reads back as this number, or ``digits`` of it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int) or not math.isfinite(value):
        return str(value)
    if digits is not None:
        return f"{value:.{min(digits, 17)}g}"
    if dtype == "bfloat16":
        return f"{value:.4g}"
    code = _FORMATS.get(dtype)
    if code is None:
        return plain_float(value)
    for count in range(1, 10):
        text = f"{value:.{count}g}"
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
        return f"[{first}, …, {last}] ({len(value)} entries; --all prints them)"
    return "[" + ", ".join(bracketed(part, write, most) for part in value) + "]"
