"""Correct digits: against hand-made errors, and the ways a comparison could be fooled."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import sympy

from rlcalc.digits import DIGITS, correct_digits, read_decimal, truth_of


@pytest.mark.parametrize(
    ("got", "truth", "digits"),
    [(1.001, Fraction(1), 3), (99.0, Fraction(100), 2), (-1.0, Fraction(1), 0), (0.5, Fraction(1), 0.30103)],
)
def test_log_relative_error(got: float, truth: Fraction, digits: float) -> None:
    assert correct_digits(got, truth) == pytest.approx(digits, abs=1e-6)


def test_an_exact_hit_holds_all_the_dtype_can() -> None:
    assert correct_digits(2.75, Fraction(11, 4)) == DIGITS["float64"]
    assert correct_digits(0.1, Fraction(1, 10)) > 15.9
    assert correct_digits(0.5, Fraction(1, 2), "float32") == DIGITS["float32"]


def test_zero_is_measured_absolutely_or_against_the_inputs() -> None:
    assert correct_digits(1e-8, Fraction(0)) == pytest.approx(8)
    assert correct_digits(1e-8, Fraction(0), scale=1e6) == pytest.approx(14)


@pytest.mark.parametrize(
    ("got", "truth"),
    [(math.nan, Fraction(1)), (math.inf, Fraction(1)), (1.0, math.inf), (-math.inf, Fraction(10**400))],
)
def test_what_is_not_finite_never_passes_for_a_number(got: float, truth: Fraction | float) -> None:
    assert correct_digits(got, truth) == -math.inf


def test_overflow_and_underflow_are_rounding() -> None:
    assert correct_digits(math.inf, Fraction(10**400)) == DIGITS["float64"]
    assert correct_digits(0.0, Fraction(1, 10**400)) == DIGITS["float64"]
    assert correct_digits(math.inf, math.inf) == DIGITS["float64"]
    assert correct_digits(0.0, Fraction(1, 10**30)) == 0.0


def test_truth_of_irrational_numbers_has_forty_digits() -> None:
    truth = truth_of(sympy.sqrt(2))
    assert isinstance(truth, Fraction)
    assert abs(truth**2 - 2) < Fraction(1, 10**38)
    assert read_decimal("infinity") == math.inf
    assert read_decimal("-2.5e-3") == Fraction(-1, 400)
    with pytest.raises(ValueError, match="symbolic"):
        truth_of(sympy.Symbol("x"))
