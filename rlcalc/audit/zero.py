"""Is an expression zero, is it positive: for every value of its symbols.

SymPy may leave a true identity unsimplified and never says that it gave up.
So three answers are possible here. ``holds`` needs an expression that
simplified to 0, ``fails`` an exact point at which it is another number;
anything else is ``open``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Literal

from rlcalc._lazy import sympy

Status = Literal["holds", "fails", "open"]


def is_expression(value: Any) -> bool:
    return hasattr(value, "free_symbols")


def as_expression(value: Any) -> Any:
    """A SymPy expression from one, an exact number or text of the calculator's grammar.

    Raises:
        TypeError: a float.
    """
    if is_expression(value):
        return value
    if isinstance(value, float):
        raise TypeError(f"{value!r} is a float; evidence takes exact numbers")
    from rlcalc.exact import parse_number, to_sympy

    return to_sympy(parse_number(value) if isinstance(value, str) else value)


# an altered statement shares most of its evidence with the one it was made of
@cache
def zero_status(expr: Any) -> Status:
    """Whether an expression is 0 for all values of its symbols and functions."""
    if expr == 0:
        return "holds"
    for turn in range(3):
        value = at_point(expr, turn)
        if value is not None and _is_not_zero(value):
            return "fails"
    return "holds" if any(form == 0 for form in _simpler(expr.doit())) else "open"


def _simpler(expr: Any) -> Iterator[Any]:
    """Ever dearer ways to bring an expression to 0."""
    expanded = sympy.expand(expr)
    yield expanded
    yield sympy.expand(sympy.powsimp(expanded))
    yield sympy.expand(sympy.together(expr), power_exp=True)
    yield sympy.simplify(expr)


@cache
def sign_status(expr: Any, strict: bool = True) -> Status:
    """Whether an expression of positive symbols is positive, or at least 0, for all of them."""
    for turn in range(10):
        value = at_point(expr, turn)
        if value is None or value.is_extended_real is not True:
            continue
        if value.is_negative or (strict and value.is_zero):
            return "fails"
    for form in (expr, sympy.factor(expr), sympy.factor(sympy.together(expr)), sympy.simplify(expr)):
        if form.is_positive or (not strict and form.is_nonnegative):
            return "holds"
        if _coefficients_positive(form, strict):
            return "holds"
    return "open"


def _coefficients_positive(form: Any, strict: bool) -> bool:
    """A quotient of polynomials in positive symbols with positive coefficients only."""
    above, below = sympy.fraction(sympy.together(form))
    if not all(symbol.is_positive for symbol in form.free_symbols):
        return False
    for part in (above, below):
        expanded = sympy.expand(part)
        terms = expanded.as_ordered_terms()
        if not all(term.is_positive or (not strict and term.is_nonnegative) for term in terms):
            return False
    return True


def at_point(expr: Any, turn: int) -> Any:
    """The expression at an exact point; different turns take different points.

    Integer symbols become small integers (1 among them: an identity that starts
    later is written with n + 1), others numbers between 0 and 1;
    arbitrary functions take arbitrary values, the same at the same argument.
    From the fifth turn on, symbols take values far apart, above 1 as well.
    """
    from sympy.core.function import AppliedUndef

    symbols = sorted(expr.free_symbols, key=str)
    point = {}
    for at, symbol in enumerate(symbols):
        if symbol.is_integer:
            point[symbol] = sympy.Integer((3 + at, 1, 2 + at, 5)[turn % 4])
        elif turn < 4:
            point[symbol] = sympy.Rational(2 * at + 2 * turn + 1, 2 * at + 3 * turn + 4 + at * at)
        else:
            # far apart, each symbol in turn the largest
            place = (at + turn) % (len(symbols) + 1)
            point[symbol] = sympy.Rational(1 + 9 * place * place, 2 + turn % 3)
    try:
        value = expr.subs(point).doit()
        calls = sorted(value.atoms(AppliedUndef), key=lambda call: (-call.count_ops(), str(call)))
        for at, call in enumerate(calls):
            value = value.subs(call, sympy.Rational((at + 2 + turn) ** 2 - 3, at + 3))
        value = value.doit()
    except (ArithmeticError, ValueError, TypeError):
        return None
    return None if value.free_symbols or value.has(sympy.nan, sympy.zoo, sympy.oo) else value


def _is_not_zero(value: Any) -> bool:
    if value.is_Rational:
        return bool(value != 0)
    if value.is_zero:
        return False
    # far above rounding at this precision, far below any number that claims are made of
    return bool(abs(value.evalf(60)) > 1e-40)
