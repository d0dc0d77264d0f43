"""Exact values as decimals and floats, correctly rounded."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from rlcalc.errors import InputError, shown
from rlcalc.exact.intervals import Undefined, enclosures
from rlcalc.exact.printing import to_text
from rlcalc.exact.values import Exact, infinite, int_to_text, is_symbolic, rational, symbols_of

_EXTRA: Final = 160  # bits; one precision for all usual lengths, whose intervals are then shared


def to_decimal(value: Exact | int, digits: int = 20) -> str | None:
    """Print ``digits`` significant digits, correctly rounded, ties to even.

    Scientific (``1.5000000000000000000e-30``) when the exponent is below -6,
    or is 20 or more, or has no digit to fill its last place.  ``None`` when
    the value has symbols or is not a real number.
    """
    plain = rational(value)
    if plain is not None:
        return _rounded(plain, digits)
    if is_symbolic(value):
        return None
    if infinite(value):
        return "infinity" if infinite(value) > 0 else "-infinity"
    try:
        for low, high in enclosures(value, max(4 * digits, _EXTRA)):
            if _rounded(low, digits) == _rounded(high, digits):
                return _rounded(low, digits)
        # Indistinguishable from the point where the rounding turns: on it.
        return _rounded(_simplest_between(low, high), digits)
    except Undefined:
        return None


def _rounded(value: Fraction, digits: int) -> str:
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    over, under = abs(value.numerator), value.denominator
    exponent = (over.bit_length() - under.bit_length()) * 30103 // 100000 + 1  # never too small
    while _times_power_of_ten(under, exponent) > _times_power_of_ten(over, -exponent):
        exponent -= 1
    shift = digits - 1 - exponent
    whole, rest = divmod(_times_power_of_ten(over, shift), scale := _times_power_of_ten(under, -shift))
    if 2 * rest > scale or (2 * rest == scale and whole % 2):
        whole += 1
    text = int_to_text(whole)
    if len(text) > digits:  # 9.99 became 10.0
        text, exponent = text[:digits], exponent + 1
    if exponent < -6 or exponent >= min(20, digits):
        mantissa = text[0] + ("." + text[1:] if digits > 1 else "")
        return f"{sign}{mantissa}e{exponent:+d}"
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{text}"
    tail = text[exponent + 1 :]
    return f"{sign}{text[: exponent + 1]}{'.' if tail else ''}{tail}"


def _times_power_of_ten(number: int, power: int) -> int:
    """number * 10**power, or the number itself when the power is negative."""
    return number * 10**power if power > 0 else number


def _simplest_between(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of smallest denominator in an interval (Stern-Brocot)."""
    if low <= 0 <= high:
        return Fraction(0)
    if high < 0:
        return -_simplest_between(-high, -low)
    whole = -((-low.numerator) // low.denominator)
    if whole <= high:
        return Fraction(whole)
    floor = whole - 1
    return floor + 1 / _simplest_between(1 / (high - floor), 1 / (low - floor))


def to_float(value: Exact | int) -> float:
    """The nearest float64; infinite when the value is beyond the range.

    Raises:
        InputError: ``symbol_not_allowed`` or ``number_not_real`` when there is no such float.
    """
    plain = rational(value)
    if plain is not None:
        return _nearest_float(plain)
    if is_symbolic(value):
        names = ", ".join(sorted(symbols_of(value)))
        message = f"{shown(to_text(value))} has no float value: it contains {names}."
        raise InputError("symbol_not_allowed", message)
    if infinite(value):
        return float("inf") * infinite(value)
    try:
        for low, high in enclosures(value):
            if _nearest_float(low) == _nearest_float(high):
                return _nearest_float(low)
        return _nearest_float(_simplest_between(low, high))
    except Undefined:
        raise InputError("number_not_real", f"{shown(to_text(value))} is not a real number.") from None


def _nearest_float(value: Fraction) -> float:
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
