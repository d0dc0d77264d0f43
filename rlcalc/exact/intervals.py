"""Two rationals around a value, as close together as wanted (mpmath's directed rounding)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cmp_to_key, lru_cache
from importlib import import_module
from typing import Any, TypeAlias

from rlcalc._lazy import sympy
from rlcalc.exact.effort import charge, nodes
from rlcalc.exact.values import to_sympy

Interval: TypeAlias = tuple[Fraction, Fraction]
# log(1 + exp(-9999)) needs some 14 500 bits before it differs from 0; two
# constants that agree to this many bits (about 9800 digits) count as equal.
_PRECISIONS = (128, 512, 2048, 8192, 32768)


class Undefined(ArithmeticError):
    """An expression has no real value at a point."""


def enclosures(constant: Any, extra: int = 0) -> Iterator[Interval]:
    """Ever narrower intervals around a constant, for as long as it may pay.

    Raises:
        Undefined: the constant is not a real number, or nothing is known about it.
    """
    last = None
    for precision in _PRECISIONS:
        last = enclose(constant, precision + extra, {})
        if last is not None:
            yield last
    if last is None:
        raise Undefined("unbounded")


def enclose(expr: Any, precision: int, point: dict[Any, Fraction]) -> Interval | None:
    """Two rationals that the value lies between; ``None`` when the precision was too low."""
    mp: Any = import_module("mpmath.libmp")
    charge(nodes(expr) * (4 + 1e-7 * precision * precision), "constants")
    try:
        low, high = _interval(expr, precision, point, mp) if point else _constant(expr, precision)
    except (mp.ComplexResult, ZeroDivisionError, OverflowError, ValueError) as error:
        raise Undefined(str(error)) from error
    if any(end in (mp.finf, mp.fninf, mp.fnan) for end in (low, high)):
        return None
    return _fraction(low), _fraction(high)


def _fraction(raw: Any) -> Fraction:
    sign, mantissa, exponent, _ = raw
    number = -int(mantissa) if sign else int(mantissa)
    return Fraction(number << exponent) if exponent >= 0 else Fraction(number, 1 << -exponent)


@lru_cache(maxsize=4096)
def _constant(expr: Any, prec: int) -> Any:
    """The interval of a constant, remembered: the entries of a vector share most of their parts."""
    return _interval(expr, prec, {}, import_module("mpmath.libmp"))


def _interval(expr: Any, prec: int, point: dict[Any, Fraction], mp: Any) -> Any:
    def inner(part: Any) -> Any:
        return _interval(part, prec, point, mp) if point or part.is_Rational else _constant(part, prec)

    if expr.is_Symbol:
        return _rational_interval(point[expr], prec, mp)
    if expr.is_Rational:
        return _rational_interval(Fraction(int(expr.p), int(expr.q)), prec, mp)
    if expr.is_Add or expr.is_Mul:
        total, *rest = map(inner, expr.args)
        join = mp.mpi_add if expr.is_Add else mp.mpi_mul
        for part in rest:
            total = join(total, part, prec)
        return total
    if isinstance(expr, sympy.exp):
        exponent = inner(expr.exp)
        _refuse_huge(exponent, mp)
        return mp.mpi_exp(exponent, prec)
    if isinstance(expr, sympy.log):
        return _log_interval(inner(expr.args[0]), prec, mp)
    if expr.is_Pow:
        return _pow_interval(inner(expr.base), expr.exp, inner, prec, mp)
    if isinstance(expr, sympy.Abs):
        return mp.mpi_abs(inner(expr.args[0]), prec)
    if isinstance(expr, sympy.Max | sympy.Min):
        parts = [inner(a) for a in expr.args]
        keep = max if isinstance(expr, sympy.Max) else min
        order = cmp_to_key(mp.mpf_cmp)
        return tuple(keep((part[end] for part in parts), key=order) for end in (0, 1))
    if expr is sympy.pi or expr is sympy.E:
        make = mp.mpf_pi if expr is sympy.pi else mp.mpf_e
        return make(prec, mp.round_floor), make(prec, mp.round_ceiling)
    return _evalf_interval(expr, prec, point, mp)


def _rational_interval(value: Fraction, prec: int, mp: Any) -> Any:
    p, q = value.numerator, value.denominator
    return mp.from_rational(p, q, prec, mp.round_floor), mp.from_rational(p, q, prec, mp.round_ceiling)


def _refuse_huge(exponent: Any, mp: Any) -> None:
    for end in exponent:  # exp(10**1000) would exhaust the memory
        if end not in (mp.fzero, mp.finf, mp.fninf) and end[2] + end[3] > 64:
            raise Undefined("exponent out of range")


def _log_interval(x: Any, prec: int, mp: Any) -> Any:
    if mp.mpf_le(x[1], mp.fzero):
        raise Undefined("log of a number that is not positive")
    if mp.mpf_le(x[0], mp.fzero):  # too coarse to tell: no lower bound yet
        return mp.fninf, mp.finf
    return mp.mpi_log(x, prec)


def _pow_interval(base: Any, exponent: Any, inner: Any, prec: int, mp: Any) -> Any:
    if exponent.is_Integer and abs(int(exponent)) < 1 << 40:
        return mp.mpi_pow_int(base, int(exponent), prec)
    if mp.mpf_lt(base[1], mp.fzero):
        raise Undefined("root of a negative number")
    power = inner(exponent)
    if base == (mp.fzero, mp.fzero) and mp.mpf_gt(power[0], mp.fzero):
        return mp.fzero, mp.fzero
    if mp.mpf_gt(base[0], mp.fzero):
        if exponent.is_Rational and exponent.q == 2 and abs(int(exponent.p)) < 1 << 40:
            return mp.mpi_pow_int(mp.mpi_sqrt(base, prec), int(exponent.p), prec)
        scaled = mp.mpi_mul(mp.mpi_log(base, prec), power, prec)
        _refuse_huge(scaled, mp)
        return mp.mpi_exp(scaled, prec)
    if mp.mpf_le(power[0], mp.fzero) or mp.mpf_le(base[1], mp.fzero):
        return mp.fninf, mp.finf
    # The base may be 0: only its upper end bounds the root.
    top = _pow_interval((base[1], base[1]), exponent, inner, prec, mp)
    return mp.fzero, top[1]


def _evalf_interval(expr: Any, prec: int, point: dict[Any, Fraction], mp: Any) -> Any:
    """SymPy's own number for a function that the grammar does not have, with a margin."""
    digits = prec * 30103 // 100000 + 10
    number = expr.xreplace({s: to_sympy(v) for s, v in point.items()}).evalf(digits)
    if not (number.is_Float or number.is_Rational):
        raise Undefined("no real value")
    exact = to_sympy(number)._to_mpmath(prec + 40)._mpf_ if number.is_Rational else number._mpf_
    margin = mp.mpf_shift(mp.mpf_abs(exact), -prec + 8)
    return mp.mpf_sub(exact, margin), mp.mpf_add(exact, margin)
