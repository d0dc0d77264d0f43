"""Exact values as text that reads back as the same value."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeAlias

from rlcalc._lazy import sympy
from rlcalc.exact.values import Exact, int_to_text, rational

_ADD, _MUL, _POW, _ATOM = 1, 2, 3, 4
_Printed: TypeAlias = tuple[str, int]


def to_text(value: Exact | int) -> str:
    """Print a value so that ``parse_number`` reads the same value back.

    Nothing is shortened.  Infinity is printed as ``infinity``, which the
    grammar refuses; functions outside the grammar are printed as SymPy does.
    """
    plain = rational(value)
    return _rational_text(plain)[0] if plain is not None else _text(value)[0]


def _rational_text(value: Fraction) -> _Printed:
    text = int_to_text(value.numerator)
    if value.denominator != 1:
        text += "/" + int_to_text(value.denominator)
    if value < 0:
        return text, _ADD
    return text, _ATOM if value.denominator == 1 else _MUL


def _text(expr: Any) -> _Printed:
    if expr.is_Rational:
        return _rational_text(Fraction(int(expr.p), int(expr.q)))
    for test, printer in _printers():
        if isinstance(expr, test):
            return printer(expr)
    return sympy.sstr(expr), _ATOM if expr.is_Atom or expr.is_Function else 0


def _inside(expr: Any, level: int) -> str:
    text, own = _text(expr)
    return text if own >= level else f"({text})"


@lru_cache(maxsize=1)
def _printers() -> tuple[tuple[type, Callable[[Any], _Printed]], ...]:
    def call(word: str) -> Callable[[Any], _Printed]:
        def printer(expr: Any) -> _Printed:
            args = sorted(expr.args, key=sympy.default_sort_key)  # Max keeps a set: no order
            return f"{word}({', '.join(_text(a)[0] for a in args)})", _ATOM

        return printer

    def fixed(text: str, level: int = _ATOM) -> Callable[[Any], _Printed]:
        return lambda expr: (text, level)

    return (
        (sympy.Symbol, lambda expr: (str(expr.name), _ATOM)),
        (sympy.Add, _add_text),
        (sympy.Mul, _mul_text),
        (sympy.exp, lambda expr: (f"exp({_text(expr.exp)[0]})", _ATOM)),
        (sympy.Pow, _pow_text),
        (sympy.log, call("log")),
        (sympy.Min, call("min")),
        (sympy.Max, call("max")),
        (sympy.Abs, call("abs")),
        (type(sympy.E), fixed("exp(1)")),
        (type(sympy.pi), fixed("pi")),
        (type(sympy.oo), fixed("infinity")),
        (type(-sympy.oo), fixed("-infinity", _ADD)),
    )


def _add_text(expr: Any) -> _Printed:
    try:
        terms = list(expr.as_ordered_terms())
    except (OverflowError, ValueError):  # SymPy's order goes through floats
        terms = sorted(expr.args, key=sympy.default_sort_key)
    if not expr.free_symbols:  # 1 + exp(-1), as people write it
        terms.sort(key=lambda term: not term.is_Rational)
    text = ""
    for term in terms:
        # A negative term is level _ADD and carries its own sign; only a true
        # sum inside a sum (built unevaluated) needs brackets.
        part = f"({_text(term)[0]})" if term.is_Add else _text(term)[0]
        if not text:
            text = part
        elif part.startswith("-"):
            text += " - " + part[1:]
        else:
            text += " + " + part
    return text, _ADD


def _mul_text(expr: Any) -> _Printed:
    coefficient, rest = expr.as_coeff_Mul()
    if not coefficient.is_Rational or coefficient == 0:  # 2*infinity and other unevaluated forms
        coefficient, rest = sympy.S.One, expr
    sign = "-" if coefficient < 0 else ""
    above, below = [], []
    if abs(coefficient.p) != 1:
        above.append(int_to_text(abs(int(coefficient.p))))
    if coefficient.q != 1:
        below.append(int_to_text(int(coefficient.q)))
    factors = rest.as_ordered_factors() if rest.is_Mul else [rest]
    for factor in factors:
        if isinstance(factor, sympy.Pow) and factor.exp.is_Rational and factor.exp < 0:
            inverse = sympy.Pow(factor.base, -factor.exp, evaluate=False)
            below.append(_inside(inverse if factor.exp != -1 else factor.base, _POW))
        else:
            above.append(_inside(factor, _POW))
    text = "*".join(above) or "1"
    if len(below) == 1:
        text += "/" + below[0]
    elif below:
        text += f"/({'*'.join(below)})"
    return sign + text, _ADD if sign else _MUL


def _pow_text(expr: Any) -> _Printed:
    base, exponent = expr.base, expr.exp
    if exponent == sympy.Rational(1, 2):
        return f"sqrt({_text(base)[0]})", _ATOM
    if exponent.is_Rational and exponent < 0:
        inverse = base if exponent == -1 else sympy.Pow(base, -exponent, evaluate=False)
        return "1/" + _inside(inverse, _POW), _MUL
    return f"{_inside(base, _ATOM)}**{_inside(exponent, _ATOM)}", _POW
