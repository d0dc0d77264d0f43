"""Weights of the λ-return: they sum to 1, and the remainder goes to the last."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy

import rlcalc
from tests.refused import refused


def test_endless_index_avoids_the_users_letter() -> None:
    d = rlcalc.derive("lambda_weights", lam="n", steps="inf")
    assert {s.name for s in d.answer.free_symbols} == {"n", "k"}
    assert "oo" not in d.text()


def test_endless_has_no_list_in_python() -> None:
    with refused(rlcalc.InputError, "no_numeric_answer"):
        rlcalc.lambda_weights(0.5, float("inf"))
    assert rlcalc.compute("lambda_weights", lam=0.5, steps=float("inf")) == {"sum": 1.0}


@pytest.mark.parametrize("lam", ["1/3", "0", "l"])
def test_endless_partial_sums_are_the_sums_of_the_weights(lam: str) -> None:
    """The step S_M says what M weights sum to: count it for M = 1 … 5, at a number where λ is a symbol."""
    d = rlcalc.derive("lambda_weights", lam=lam, steps="inf")
    (partial_sum,) = (step.value for step in d.steps if step.name.base == "S")
    ratio = Fraction(2, 7) if lam == "l" else Fraction(lam)
    running = Fraction(0)
    for count in range(1, 6):
        numbers = {"l": sympy.Rational(ratio), "n": count, "M": count}

        def at(expression: sympy.Expr, numbers: dict[str, object] = numbers) -> sympy.Expr:
            return expression.subs({s: numbers[s.name] for s in expression.free_symbols})

        running += (1 - ratio) * ratio ** (count - 1)
        assert at(d.outputs["general_weight"]) == (1 - ratio) * ratio ** (count - 1)
        assert at(partial_sum) == running
    assert "sum = 1 − lim λ^M =" in d.text()
