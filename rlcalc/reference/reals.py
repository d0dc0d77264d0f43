"""Logarithms, exponentials and roots to fifty digits, which stand for the exact numbers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

PLACES = 50
# a share of e to this power is none in any floating format, and as a fraction fills the memory
LOWEST = -5000


def _mp() -> Any:
    from mpmath import mp

    mp.dps = max(mp.dps, PLACES)
    return mp


def _fraction(value: Any) -> Fraction:
    """The binary number that mpmath holds, without rounding."""
    sign, mantissa, exponent, _ = value._mpf_
    whole = Fraction(-int(mantissa) if sign else int(mantissa))
    return whole * Fraction(2) ** int(exponent)


def _number(value: Fraction) -> Any:
    mp = _mp()
    return mp.mpf(value.numerator) / value.denominator


def log(value: Fraction) -> Fraction:
    return _fraction(_mp().log(_number(value)))


def exp(value: Fraction) -> Fraction:
    return _fraction(_mp().exp(_number(value)))


def sqrt(value: Fraction) -> Fraction:
    return _fraction(_mp().sqrt(_number(value)))


def softmax(theta: Sequence[Fraction]) -> list[Fraction]:
    top = max(theta)
    shares = [exp(x - top) if x - top > LOWEST else Fraction(0) for x in theta]
    total = sum(shares, start=Fraction(0))
    return [x / total for x in shares]


def half_log_two_pi() -> Fraction:
    mp = _mp()
    return _fraction(mp.log(2 * mp.pi) / 2)


def short(value: Fraction) -> Fraction:
    """The same to fifty digits, where a fraction would grow from step to step."""
    return _fraction(_number(value))
