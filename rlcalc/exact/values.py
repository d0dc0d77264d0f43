"""What an exact value is, and what can be read off it without any arithmetic.

A value is a ``Fraction`` or a SymPy expression. SymPy is imported only where
a value already is one, so rational work never pays for it.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

from rlcalc._lazy import sympy

if TYPE_CHECKING:
    Exact: TypeAlias = Fraction | sympy.Expr
else:  # the alias can be imported at run time, without SymPy
    Exact = Any

_CHUNK = 500  # digits; below Python's smallest settable limit of 640


def symbol(name: str) -> sympy.Symbol:
    """Make the one kind of symbol that rlcalc uses: real, without further assumptions."""
    return sympy.Symbol(name, real=True)


def to_sympy(value: Exact | int) -> sympy.Expr:
    """Turn a number into the equal SymPy expression."""
    if isinstance(value, Fraction):
        return sympy.Rational(value.numerator, value.denominator)
    return sympy.Integer(value) if isinstance(value, int) else value


def rational(value: Exact | int) -> Fraction | None:
    """The value as a ``Fraction`` when it visibly is a rational number."""
    if isinstance(value, Fraction):
        return value
    if isinstance(value, int):
        return Fraction(value)
    return Fraction(int(value.p), int(value.q)) if value.is_Rational else None


def symbols_of(value: Exact | int) -> frozenset[str]:
    """Names of the symbols in a value."""
    if isinstance(value, Fraction | int):
        return frozenset()
    return frozenset(str(s.name) for s in value.free_symbols)


def is_symbolic(value: Exact | int) -> bool:
    """Whether a value contains a symbol."""
    return not isinstance(value, Fraction | int) and bool(value.free_symbols)


def infinite(value: Exact | int) -> int:
    """The sign of an infinite value; 0 for a finite one."""
    if isinstance(value, Fraction | int):
        return 0
    return 1 if value is sympy.oo else -1 if value is sympy.S.NegativeInfinity else 0


def bits_of(number: Any) -> int:
    return max(int(number.p).bit_length(), int(number.q).bit_length())


def int_to_text(number: int) -> str:
    """Print an integer of any length; ``str`` refuses beyond 4300 digits."""
    if number < 0:
        return "-" + int_to_text(-number)
    if number.bit_length() <= 1600:
        return str(number)
    half = number.bit_length() * 30103 // 200000
    high, low = divmod(number, 10**half)
    return int_to_text(high) + int_to_text(low).rjust(half, "0")


def text_to_int(digits: str) -> int:
    """Read ASCII digits of any length; ``int`` refuses beyond 4300 of them."""
    if len(digits) <= _CHUNK:
        return int(digits)
    half = len(digits) // 2
    scale: int = 10**half
    return text_to_int(digits[:-half]) * scale + text_to_int(digits[-half:])
