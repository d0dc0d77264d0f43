"""Text to exact numbers and back, for any number, and for any text."""

from __future__ import annotations

import contextlib
import random
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rlcalc.errors import InputError
from rlcalc.exact import (
    equal,
    parse_literal,
    parse_number,
    to_decimal,
    to_latex,
    to_text,
    to_unicode,
)
from tests.notation import in_grammar
from tests.refused import refused

rationals = st.fractions(max_denominator=10**30)


@settings(deadline=None)
@given(rationals)
@example(Fraction(-1, 3))
def test_rationals_read_back(value: Fraction) -> None:
    assert parse_number(to_text(value)) == value
    assert parse_literal(to_text(value)) == value


digits = st.text("0123456789", min_size=1, max_size=30)


@settings(deadline=None)
@given(st.sampled_from(["", "+", "-"]), digits, digits | st.just(""), st.integers(-99, 99) | st.none())
def test_literals_agree_with_the_decimal_module(sign: str, left: str, right: str, power: int | None) -> None:
    text = f"{sign}{left}.{right}" + ("" if power is None else f"e{power}")
    assert parse_literal(text) == Fraction(Decimal(text))
    assert parse_number(f"({text})") == Fraction(Decimal(text))  # the parser's way agrees with the fast one
    assert parse_literal(text.replace(".", "")) == Fraction(Decimal(text.replace(".", "")))


@pytest.mark.parametrize("text", ["1/0", ".5", "1+1", "l", "", "1_0", "١", "1e9999", "1" * 501, "0x1", "1\n"])
def test_the_fast_path_leaves_the_rest_to_the_parser(text: str) -> None:
    assert parse_literal(text) is None


@settings(deadline=None)
@given(rationals, st.integers(1, 60))
def test_decimals_agree_with_the_decimal_module(value: Fraction, digits: int) -> None:
    with localcontext() as context:
        # One division, so that it is rounded once.
        context.prec, context.rounding = digits, ROUND_HALF_EVEN
        want = Decimal(value.numerator) / Decimal(value.denominator)
    text = to_decimal(value, digits)
    assert text is not None
    assert Decimal(text) == want
    mantissa = text.lstrip("-").split("e")[0].replace(".", "")
    assert value == 0 or len(mantissa.lstrip("0")) == digits


@settings(deadline=None, max_examples=40)
@given(st.fractions(Fraction(1, 1000), 1000, max_denominator=1000), st.sampled_from(["exp", "ln", "sqrt"]))
def test_irrational_decimals_agree_with_the_decimal_module(value: Fraction, function: str) -> None:
    with localcontext() as context:
        context.prec = 60
        argument = Decimal(value.numerator) / Decimal(value.denominator)
        reference = getattr(argument, function)()
        context.prec, context.rounding = 20, ROUND_HALF_EVEN
        want = +reference
    text = to_decimal(parse_number(f"{function}({value})"))
    assert text is not None
    assert Decimal(text) == want


Valued = tuple[str, Fraction | None]  # a text, and its value by Python's own fractions


def _apply(op: str, x: Valued, y: Valued) -> Valued:
    if op in ("min", "max"):
        text = f"{op}({x[0]}, {y[0]})"
    elif op in ("+", "-", "*", "/", "**"):
        text = f"({x[0]}) {op} ({y[0]})"
    else:
        text = f"{op}({x[0]})"
    a, b = x[1], x[1] if op == "abs" else y[1]  # abs does not contain y, nor what is wrong with it
    if a is None or b is None or (op == "/" and b == 0):
        return text, None
    values = {"+": a + b, "-": a - b, "*": a * b, "/": a / (b or 1), "min": min(a, b), "max": max(a, b)}
    return text, {**values, "abs": abs(a)}.get(op)


def _tree(operations: list[str], leaf: st.SearchStrategy[str]) -> st.SearchStrategy[Valued]:
    def grow(inner: st.SearchStrategy[Valued]) -> st.SearchStrategy[Valued]:
        return st.builds(_apply, st.sampled_from(operations), inner, inner)

    return st.recursive(leaf.map(lambda t: (t, Fraction(t) if t[-1].isdigit() else None)), grow, max_leaves=8)


@settings(deadline=None)
@given(_tree(["+", "-", "*", "/", "min", "max", "abs"], st.sampled_from(["0", "1", "2", "-3", "1/2", "0.1"])))
def test_arithmetic_agrees_with_python(made: Valued) -> None:
    text, value = made
    if value is not None:
        assert parse_number(text) == value
    else:
        with refused(InputError, "division_by_zero"):
            parse_number(text)


leaves = st.sampled_from(["0", "1", "2", "-3", "1/2", "l", "u", "V", "pi", "sqrt(l)", "exp(-l)"])


@settings(deadline=None, max_examples=200)
@given(_tree(["+", "-", "*", "/", "**", "min", "max", "abs", "exp", "sqrt", "log"], leaves))
def test_expressions_read_back(made: Valued) -> None:
    try:
        value = parse_number(made[0])
    except InputError:
        return
    again = parse_number(to_text(value))
    assert again == value or equal(again, value)
    assert parse_number(in_grammar(to_unicode(value))) == again
    assert balanced(to_latex(value))


def balanced(latex: str) -> bool:
    """Brackets come in pairs, and nothing is left that only the grammar knows."""
    pairs = latex.count("{") == latex.count("}") and latex.count(r"\left") == latex.count(r"\right")
    return pairs and latex.isascii() and "*" not in latex


@pytest.mark.parametrize(
    ("text", "latex", "readable"),
    [
        ("3*l**2 - 2*l + 1/2", r"3 l^{2} - 2 l + \frac{1}{2}", "3·l² − 2·l + 1/2"),
        ("-sqrt(3)/2", r"-\frac{\sqrt{3}}{2}", "−sqrt(3)/2"),
        ("exp(-l/2)", r"e^{-\frac{l}{2}}", "exp(−l/2)"),
        ("(1/2)**(n-1)", r"\left(\frac{1}{2}\right)^{n - 1}", "(1/2)^(n−1)"),
        ("2*3**l", r"2 \cdot 3^{l}", "2·3^l"),
        ("abs(V_2)", r"\left|V_{2}\right|", "abs(V_2)"),
        ("max(3, log(a))", r"\max\left(3, \log\left(a\right)\right)", "max(3, log(a))"),
        ("(a+b)**2/(3*c)", r"\frac{\left(a + b\right)^{2}}{3 c}", "(a + b)²/(3·c)"),
        ("lam*theta_1", r"\lambda \theta_{1}", "lam·theta_1"),
        ("pi*exp(1)", r"e \pi", "exp(1)·pi"),
    ],
)
def test_the_notations_of_steps(text: str, latex: str, readable: str) -> None:
    assert to_latex(parse_number(text)) == latex
    assert to_unicode(parse_number(text)) == readable


noise = st.sampled_from([*"0123456789.eE+-*/^(), _lrpi[]'#∞²γ١", "exp(", "sqrt(", "log(", "max("])


@settings(deadline=None, max_examples=150)
@given(st.lists(noise, max_size=30).map("".join) | st.text(max_size=40))
def test_no_text_raises_anything_else(text: str) -> None:
    refusal = None
    try:
        value = parse_number(text)
    except InputError as error:
        refusal = error
    if refusal is None:
        assert equal(parse_number(to_text(value)), value)
        assert balanced(to_latex(value))
    else:
        assert refusal.code
        assert str(refusal).isprintable()


def test_long_random_texts_end_soon() -> None:
    pieces = ["9", "7**99", "l", "a+b", *"()*+-/,", "**", "sqrt(", "exp(", "log(", "max(", "1e9", "pi"]
    draw = random.Random(7)
    for _ in range(300):
        with contextlib.suppress(InputError):
            parse_number("".join(draw.choices(pieces, k=draw.randint(1, 40))))
