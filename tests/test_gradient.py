"""Derivatives of step trees: the rules one by one, against derivatives that SymPy takes by itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sympy

from rlcalc.exact import to_sympy
from rlcalc.steps.gradient import gradient
from rlcalc.steps.terms import Constant, Name, Symbol, Term, apply, product, total


def leaf(name: str, value: object) -> Symbol:
    return Symbol(Name(name), to_sympy(value))


RULES: dict[str, Callable[[Term, Term], Term]] = {
    "sum": lambda x, y: total([x, y, x]) - y,
    "product": lambda x, y: product([x, x, y]) * 3,
    "quotient": lambda x, y: (x + 1) / (y * x),
    "power": lambda x, y: (x * y) ** 3 + x**2,
    "exp": lambda x, y: apply("exp", x * y) - x,
    "log": lambda x, y: apply("log", x + y) * y,
    "sqrt": lambda x, y: apply("sqrt", x * y + 1),
}


@pytest.mark.parametrize("rule", RULES)
def test_smooth_rules_are_those_of_calculus(rule: str) -> None:
    p, q = sympy.symbols("p q", positive=True)
    found = RULES[rule](leaf("x", p), leaf("y", q))
    at = {p: sympy.Rational(3, 2), q: sympy.Rational(5, 7)}
    x, y = leaf("x", at[p]), leaf("y", at[q])
    slopes = gradient(RULES[rule](x, y), [x, y])
    assert slopes is not None
    for slope, by in zip(slopes, (p, q), strict=True):
        assert abs((slope.value - sympy.diff(found.value, by).subs(at)).evalf(40)) < 1e-30


def test_kinks_are_those_of_autograd() -> None:
    x, y = leaf("x", 2), leaf("y", 3)

    def slope(of: Term) -> tuple[object, object]:
        found = gradient(of, [x, y])
        assert found is not None
        return found[0].value, found[1].value

    assert slope(apply("max", x, y)) == (0, 1)
    assert slope(apply("min", x, y)) == (1, 0)
    assert slope(apply("min", x, x * 1)) == (1, 0)
    assert slope(apply("max", x, y - 1)) == (sympy.Rational(1, 2), sympy.Rational(1, 2))
    assert slope(apply("abs", x - y)) == (-1, 1)
    assert slope(apply("abs", x - 2)) == (0, 0)
    assert slope(apply("clip", x, 0, 2)) == (1, 0)  # the boundary passes
    assert slope(apply("clip", x, 0, 1)) == (0, 0)
    assert slope(apply("clip", x, y, 9)) == (0, 1)


def test_a_stop_gradient_keeps_the_value_and_drops_the_slope() -> None:
    x = leaf("x", 3)
    whole = Constant(apply("exp", x)) * x
    assert whole.value == 3 * sympy.exp(3)
    assert [slope.value for slope in gradient(whole, [x]) or ()] == [sympy.exp(3)]


def test_symbols_that_hide_a_side_leave_no_derivative() -> None:
    x = leaf("x", sympy.Symbol("a", real=True))
    assert gradient(apply("abs", x), [x]) is None
