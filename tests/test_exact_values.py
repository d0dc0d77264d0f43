"""Exact numbers as decimals, floats and SymPy expressions, and which of them are equal."""

from __future__ import annotations

from fractions import Fraction

import pytest

from rlcalc._lazy import sympy
from rlcalc.errors import InputError
from rlcalc.exact import (
    compare,
    equal,
    intervals,
    parse_number,
    symbol,
    to_decimal,
    to_float,
    to_sympy,
    to_text,
)
from tests.refused import refused


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (Fraction(11, 4), 20, "2.7500000000000000000"),
        (Fraction(64, 5), 20, "12.800000000000000000"),
        (Fraction(0), 20, "0"),
        (Fraction(1, 3), 5, "0.33333"),
        (Fraction(-2, 3), 5, "-0.66667"),
        (Fraction(5, 2), 1, "2"),
        (Fraction(7, 2), 1, "4"),
        (Fraction(-5, 2), 1, "-2"),
        (Fraction(99999, 10), 4, "1.000e+4"),
        (Fraction(999996, 100), 5, "10000"),
        (Fraction(10**19), 20, "10000000000000000000"),
        (Fraction(10**20), 20, "1.0000000000000000000e+20"),
        (Fraction(1, 10**6), 20, "0.0000010000000000000000000"),
        (Fraction(1, 10**7), 20, "1.0000000000000000000e-7"),
        (Fraction(12345678901234567890, 10**49), 20, "1.2345678901234567890e-30"),
        (Fraction(123456), 3, "1.23e+5"),
        (3, 3, "3.00"),
    ],
)
def test_decimals(value: Fraction | int, digits: int, text: str) -> None:
    assert to_decimal(value, digits) == text


def test_infinity() -> None:
    import sympy

    assert [to_text(x) for x in (sympy.oo, -sympy.oo)] == ["infinity", "-infinity"]
    assert [to_decimal(x) for x in (sympy.oo, -sympy.oo)] == ["infinity", "-infinity"]
    assert [to_float(x) for x in (sympy.oo, -sympy.oo)] == [float("inf"), float("-inf")]
    assert compare(sympy.oo, Fraction(10)) == compare(0, -sympy.oo) == 1
    assert compare(sympy.oo, sympy.oo) == 0
    assert equal(sympy.oo, sympy.oo)
    assert not equal(sympy.oo, symbol("l"))


def test_functions_outside_the_grammar_still_have_numbers() -> None:
    import sympy

    assert to_decimal(sympy.sin(2)) == "0.90929742682568169540"
    assert to_decimal(sympy.erf(1)) == "0.84270079294971486934"
    assert to_text(sympy.sin(symbol("x")) + 2) == "sin(x) + 2"
    assert to_decimal(sympy.I) is None


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (Fraction(1, 3), 1 / 3),
        (Fraction(10) ** 400, float("inf")),
        (-(Fraction(10) ** 400), float("-inf")),
        (Fraction(10) ** -400, 0.0),
        (7, 7.0),
        ("sqrt(2)", 1.4142135623730951),
        ("exp(-1)", 0.36787944117144233),
        ("exp(9999)", float("inf")),
        ("log(8)/log(2)", 3.0),
    ],
)
def test_floats(value: Fraction | int | str, number: float) -> None:
    assert to_float(parse_number(value) if isinstance(value, str) else value) == number


def test_a_symbol_has_no_float() -> None:
    with refused(InputError, "symbol_not_allowed"):
        to_float(symbol("l"))


@pytest.mark.parametrize(
    ("left", "right", "sign"),
    [
        ("1/3", "0.333", 1),
        ("sqrt(2)", "1.4142135623730950488", 1),
        ("sqrt(2)", "1.4142135623730950489", -1),
        ("pi", "355/113", -1),
        ("sqrt(5+2*sqrt(6))", "sqrt(2)+sqrt(3)", 0),
        ("log(8)", "3*log(2)", 0),
        ("log(6)", "log(2)+log(3)", 0),
        ("(1+sqrt(2))*(1-sqrt(2))", "-1", 0),
        ("log(1+exp(-9999))", "0", 1),
        ("exp(1)**2", "exp(2)", 0),
        # the expansion of a negative factor never ends in SymPy
        ("log(-1/(1-exp(1)))", "-log(exp(1)-1)", 0),
        ("l", "1", None),
        ("l**2 + 1", "0", 1),
        ("-exp(l)", "0", -1),
        ("l + 1 - l", "1", 0),
    ],
)
def test_compare(left: str, right: str, sign: int | None) -> None:
    assert compare(parse_number(left), parse_number(right)) == sign
    assert compare(parse_number(right), parse_number(left)) == (sign if sign is None else -sign)


EQUAL = [
    ("(a+b)**2", "a**2 + 2*a*b + b**2"),
    ("(1-l**4)/(1-l)", "1+l+l**2+l**3"),
    ("1/(1+exp(-l))", "exp(l)/(1+exp(l))"),
    ("exp(a)*exp(b)", "exp(a+b)"),
    ("sqrt(l**2)", "abs(l)"),
    ("max(a,b)+min(a,b)", "a+b"),
    ("max(a,b)", "-min(-a,-b)"),
    ("max(a,b)", "(a+b+abs(a-b))/2"),
    ("max(2*a,2*b)", "2*max(a,b)"),
    ("max(a,min(b,c))", "min(max(a,b),max(a,c))"),
    ("max(a,0)**2+min(a,0)**2", "a**2"),
    ("abs(a)*abs(b)", "abs(a*b)"),
    ("abs(a-b)", "abs(b-a)"),
    ("min(max(r,4/5),6/5)", "max(min(r,6/5),4/5)"),
    # PPO's clipped objective, as the paper writes it and as g(epsilon, A)
    ("min(r*A, max(4/5,min(6/5,r))*A)", "min(r*A, A + abs(A)/5)"),
]


@pytest.mark.parametrize(("left", "right"), EQUAL)
def test_equal_functions(left: str, right: str) -> None:
    assert equal(parse_number(left), parse_number(right))
    assert not equal(parse_number(left), parse_number(f"{right} + 1/10**50"))


@pytest.mark.parametrize(
    ("left", "right"),
    [("a", "b"), ("max(a,b)", "a"), ("abs(a)", "a"), ("a", "1"), ("min(a,1)", "a"), ("1/3", "0.333")],
)
def test_different_functions(left: str, right: str) -> None:
    assert not equal(parse_number(left), parse_number(right))


def test_to_sympy() -> None:
    import sympy

    assert to_sympy(Fraction(-3, 6)) == sympy.Rational(-1, 2)
    assert to_sympy(4) is sympy.Integer(4)
    assert to_sympy(symbol("l")) is symbol("l")


def test_shares_of_unrelated_powers_of_e_add_up_to_one_in_bounded_time() -> None:
    """A greatest common divisor of polynomials in as many unknowns took more than an hour."""
    powers = [sympy.exp(sympy.Rational(k * k, 7 * k + 1)) for k in range(1, 9)]
    assert compare(sum(power / sum(powers) for power in powers), 1) == 0
    inverse = sympy.exp(sympy.Rational(-1, 10))
    assert compare(1 / (1 + inverse) + 1 / (1 + 1 / inverse), 1) == 0


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("log(1+exp(-1/10))", "log(1+exp(1/10)) - 1/10"),
        ("log(1/(1+exp(1)))/(1+exp(1)) + log(1+exp(-1))", "-1/(1+exp(1)) - log(1/(1+exp(-1)))/(1+exp(-1))"),
        ("log(1 + (1-exp(-1/2))*exp(-1/2)/(1-exp(-1)))", "log(1 + (exp(1/2)-1)/(exp(1)-1))"),
    ],
)
def test_logarithms_of_sums_are_proved_equal_and_not_by_their_digits(
    left: str, right: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intervals, "_PRECISIONS", (128, 512, None))  # a third would raise
    assert equal(parse_number(left), parse_number(right))
