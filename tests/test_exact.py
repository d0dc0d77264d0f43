"""Text to exact numbers: known values and refusals."""

from __future__ import annotations

from fractions import Fraction

import pytest

from rlcalc.errors import InputError, UnknownName
from rlcalc.exact import (
    equal,
    is_symbolic,
    parse_number,
    symbol,
    symbols_of,
    to_decimal,
    to_latex,
    to_text,
)
from tests.command import python
from tests.refused import refused

RATIONAL = [
    ("0.1", Fraction(1, 10)),
    ("-.5", Fraction(-1, 2)),
    ("5.", Fraction(5)),
    ("1e-3", Fraction(1, 1000)),
    ("1.5E+2", Fraction(150)),
    (" 22 / 7 ", Fraction(22, 7)),
    ("-2/4", Fraction(-1, 2)),
    ("1/2/3", Fraction(1, 6)),
    ("2**3**2", Fraction(512)),
    ("2^-1", Fraction(1, 2)),
    ("-2**2", Fraction(-4)),
    ("(-2)**2", Fraction(4)),
    ("(-1)**100000000000000000000001", Fraction(-1)),
    ("0**0", Fraction(1)),
    ("0**5", Fraction(0)),
    ("1**(1/3)", Fraction(1)),
    ("8**(1/3)", Fraction(2)),
    ("(8/27)**(-2/3)", Fraction(9, 4)),
    ("sqrt(4/9)", Fraction(2, 3)),
    ("1 - -1", Fraction(2)),
    ("--+-3", Fraction(-3)),
    ("2*(3+4)/7", Fraction(2)),
    ("max(1, 5/2, -3)", Fraction(5, 2)),
    ("min(1, 5/2, -3)", Fraction(-3)),
    ("abs(-3/4)", Fraction(3, 4)),
    ("exp(0)", Fraction(1)),
    ("log(1)", Fraction(0)),
    ("exp(log(5))", Fraction(5)),
    ("sqrt(2)*sqrt(2)", Fraction(2)),
    ("l - l", Fraction(0)),
]


@pytest.mark.parametrize(("text", "value"), RATIONAL)
def test_rational_values_are_fractions(text: str, value: Fraction) -> None:
    parsed = parse_number(text)
    assert type(parsed) is Fraction
    assert parsed == value


PRINTED = [
    ("exp(-1)", "exp(-1)", "0.36787944117144232160"),
    ("exp(1)", "exp(1)", "2.7182818284590452354"),
    ("1/(1+exp(-1))", "1/(1 + exp(-1))", "0.73105857863000487925"),
    ("sqrt(3)/2", "sqrt(3)/2", "0.86602540378443864676"),
    ("sqrt(8)", "2*sqrt(2)", "2.8284271247461900976"),
    ("1/sqrt(2)", "sqrt(2)/2", "0.70710678118654752440"),
    ("ln(2)", "log(2)", "0.69314718055994530942"),
    ("-pi/2", "-pi/2", "-1.5707963267948966192"),
    ("2^(1/3)", "2**(1/3)", "1.2599210498948731648"),
    ("abs(1-sqrt(2))", "-1 + sqrt(2)", "0.41421356237309504880"),
    ("max(sqrt(2), 1.4)", "sqrt(2)", "1.4142135623730950488"),
    ("min(sqrt(2), 1.4)", "7/5", "1.4000000000000000000"),
    ("exp(-100)", "exp(-100)", "3.7200759760208359630e-44"),
    ("exp(100)", "exp(100)", "2.6881171418161354484e+43"),
    ("log(1 + exp(-9999))", "log(1 + exp(-9999))", "3.0865651575934850955e-4343"),
    ("log(8)/log(2)", "log(8)/log(2)", "3.0000000000000000000"),
    ("l**2*3+1+2*l", "3*l**2 + 2*l + 1", None),
    ("1 - l", "1 - l", None),
    ("-l", "-l", None),
    ("2*l/3", "2*l/3", None),
    ("1/(2*l)", "1/(2*l)", None),
    ("l**-2", "l**(-2)", None),
    ("max(l, 1)", "max(1, l)", None),
    ("min(r1*A, 0)", "min(0, A*r1)", None),
    ("abs(V_2)", "abs(V_2)", None),
    ("exp(-l/2)", "exp(-l/2)", None),
    ("(1/2)**l", "(1/2)**l", None),
    ("1/(1+exp(-theta_1))", "1/(1 + exp(-theta_1))", None),
]


@pytest.mark.parametrize(("text", "printed", "decimal"), PRINTED)
def test_irrational_and_symbolic_values(text: str, printed: str, decimal: str | None) -> None:
    value = parse_number(text)
    assert equal(parse_number(printed), value)
    assert parse_number(to_text(value)) == value
    assert to_decimal(value) == decimal
    if text != "l**-2" and "theta" not in text:  # there the order or form is SymPy's own
        assert to_text(value) == printed


REFUSED = {
    "number_empty": [
        "", " \t\n",
    ],
    "number_syntax": [
        "[bold]", "[/x]", "1_000", "0x10", "1,2", "().__class__", "()", "(1", "1)", "1+", "*1", "1 2",
        "1..2", "1//2", "2l", "2e", "3(4)", "sqrt", "sqrt()", "sqrt(1, 2)", "min()", "min(1,)", "1\x00",
        "'1'", "l.real", ".",
    ],
    "number_too_long": [
        "1" * 10_001,
    ],
    "number_too_deep": [
        "(" * 300 + "1" + ")" * 300, "-" * 5000 + "1", "**".join("1" * 3000),
        "sqrt(" * 100 + "1" + ")" * 100,
    ],
    "number_too_large": [
        "10**10**10", "((9**9)**9999)**9999", "1e999999999", "1e-999999999", "1e" + "9" * 5000,
        "9" * 4002, "10**4000*10", "2**(1/101)", "sqrt(sqrt(sqrt(sqrt(sqrt(sqrt(sqrt(2)))))))",
        "sqrt(" + "7" * 2000 + ")", "*".join(f"sqrt({10**29 + i * 7919})" for i in range(250)),
        "exp(10001)", "exp(exp(exp(9)))", "2**(10**10*sqrt(2))", "exp(1000000000*log(1.000000001))",
        "2**(1000000*log(1.000001)/log(2))", "(a+b+c)**5000", "(a+b+c)**-5000", "((a+b)**64)**64",
        "(a+b)**64*(a+b)**64", "(a+b+c+d+f+g)**60", "l**100000", "7**(99*(l-7**99))",
        "abs(7**(l-7**99))", "l**9999*l**9999", "max(" + ",".join(f"l{i}" for i in range(60)) + ")",
    ],
    "division_by_zero": [
        "1/0", "1/(2-2)", "0**-1", "1/(l-l)", "1/((l+1)**2-l**2-2*l-1)",
        "1/(sqrt(5+2*sqrt(6))-sqrt(2)-sqrt(3))", "0**(-sqrt(2))",
    ],
    "number_not_finite": [
        "nan", "inf", "-Infinity", "oo", "∞", "log(0)",
    ],
    "number_not_real": [
        "sqrt(-1)", "sqrt(1-sqrt(2))", "log(-2)", "log(1-exp(1))", "(-1)**(1/2)", "(-8)**(1/3)",
        "(-2)**sqrt(2)", "(1-pi)**pi", "max(log(min(0,a)), 1, b)", "sqrt(2**-l*(log(2)-100))",
    ],
    "number_not_ascii": [
        "١٢", "１２", "−1", "l²", "γ", "1\u00a0000", "½",
    ],
    "unknown_name": [
        "__import__('os')", "eval(1)", "e", "2*E**2", "foo", "sqr(2)", "f(2)", "pi(2)", "True",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code"),
    [(text, code) for code, texts in REFUSED.items() for text in texts],
    ids=lambda x: str(x)[:20],
)
def test_refusals(text: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_number(text, name="gamma")
    error = caught.value
    assert error.code == code
    assert error.message.startswith("gamma = ")
    assert error.hint
    assert len(str(error)) < 400
    assert str(error).isprintable()
    assert isinstance(error, UnknownName) == (code == "unknown_name")
    assert error.__cause__ is None


def test_symbols_are_refused_on_request() -> None:
    with refused(InputError, "symbol_not_allowed"):
        parse_number("1 + l", symbols=False)
    assert parse_number("exp(-1)*pi", symbols=False) == parse_number("pi*exp(-1)")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("−1", "Write - instead"),
        ("l²", "**"),
        ("γ", "gamma"),
        ("1_000", "underscores"),
        ("0x10", "base ten"),
        ("1,2", "point"),
        ("2l", "2*l"),
        ("2(3)", "*"),
        ("e", "exp(1)"),
        ("sqr(2)", "sqrt"),
        ("gama", "gamma"),
        ("[1]", "round brackets"),
        ("(1", "Write numbers as"),
    ],
)
def test_hints_say_how_to_mend_it(text: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_number(text)
    assert hint in caught.value.hint


def test_the_position_counts_from_one_in_the_text_as_typed() -> None:
    with pytest.raises(InputError, match="at character 5"):
        parse_number("  1 $ 2")


@pytest.mark.parametrize("text", ["l", "r1", "V_2", *"ASNIOQ", "lambda", "lam", "eps", "theta_1"])
def test_symbols_are_real_and_shared(text: str) -> None:
    value = parse_number(text)
    assert value == symbol(text)
    assert value.is_real  # type: ignore[union-attr]
    assert symbols_of(value) == {text}
    assert is_symbolic(value)
    assert to_text(value) == text


def test_no_symbols_in_constants() -> None:
    assert symbols_of(Fraction(1)) == symbols_of(parse_number("sqrt(2)")) == frozenset()
    assert not is_symbolic(parse_number("pi"))


def test_large_roots_are_answered() -> None:
    value = parse_number("sqrt(" + "7" * 400 + ")")
    assert parse_number(to_text(value)) == value
    assert parse_number("sqrt(" + str(3**2000) + ")") == 3**1000


def test_the_largest_numbers_print_and_read_back() -> None:
    for text in ("10**4000", "10**-4000", "-(2**13287)", "1e4000", "1e-4000"):
        value = parse_number(text)
        assert parse_number(to_text(value)) == value


def test_text_of_any_length() -> None:
    digits = to_text(Fraction(10**30_000 + 7, 3))
    assert digits == "1" + "0" * 29_999 + "7/3" if (10**30_000 + 7) % 3 else digits
    assert to_text(10**9999) == "1" + "0" * 9999
    assert to_text(-(10**9999)) == "-1" + "0" * 9999
    assert to_latex(10**9999) == "1" + "0" * 9999


def test_rational_work_imports_no_sympy() -> None:
    code = (
        "import sys; from rlcalc.exact import *\n"
        "x = parse_number('max(1/3, 2)**3 - abs(-sqrt(4/9)) + 8**(1/3)')\n"
        "to_text(x), to_decimal(x), to_float(x), compare(x, 1), equal(x, x), is_symbolic(x), symbols_of(x)\n"
        "print([m for m in ('sympy', 'numpy', 'torch', 'mpmath') if m in sys.modules])"
    )
    done = python("-c", code)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
