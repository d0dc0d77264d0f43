"""Weights of the λ-return: they sum to 1, and the remainder goes to the last."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rlcalc
from tests.strategies import shares


def exact(lam: object, steps: object) -> list[str]:
    return [str(w) for w in rlcalc.derive("lambda_weights", lam=lam, steps=steps).outputs["weights"]]


@pytest.mark.parametrize(
    ("lam", "steps", "weights"),
    [(0, 3, "100"), (1, 3, "001"), (0, 1, "1"), (1, 1, "1"), ("1/2", 1, "1"), (1, 2, "01")],
)
def test_ends(lam: object, steps: int, weights: str) -> None:
    assert exact(lam, steps) == list(weights)
    assert rlcalc.lambda_weights(float(Fraction(lam)), steps).tolist() == [float(w) for w in weights]


@settings(deadline=None, max_examples=50)
@given(shares, st.integers(1, 12))
def test_three_forms_and_sum(lam: Fraction, steps: int) -> None:
    e = rlcalc.evaluate("lambda_weights", {"lam": lam, "steps": steps}, ("sympy", "numpy", "torch"))
    weights = [Fraction(str(w)) for w in e.results["weights"].exact]
    assert sum(weights) == 1
    assert e.results["sum"].exact == 1
    # the tail from n on is λ^(n−1): another way to say what the weights are
    for n in range(1, steps + 1):
        assert sum(weights[n - 1 :]) == (lam ** (n - 1) if n > 1 else 1)
    for got in (e.results["weights"].numpy, e.results["weights"].torch):
        np.testing.assert_allclose(got, [float(w) for w in weights], rtol=1e-13, atol=1e-15)
    assert e.agree


@pytest.mark.parametrize("lam", ["1/2", "2/3", "9/10", "l"])
def test_endless_weights(lam: str) -> None:
    outputs = rlcalc.derive("lambda_weights", lam=lam, steps="inf").outputs
    assert outputs["sum"] == 1
    assert "weights" not in outputs
    (index,) = (s for s in outputs["general_weight"].free_symbols if s.name == "n")
    value = sympy.Symbol("l", real=True) if lam == "l" else sympy.Rational(lam)
    for n in range(1, 5):
        here = outputs["general_weight"].subs(index, n)
        assert sympy.expand(here - (1 - value) * value ** (n - 1)) == 0


def test_endless_index_avoids_the_users_letter() -> None:
    d = rlcalc.derive("lambda_weights", lam="n", steps="inf")
    assert {s.name for s in d.answer.free_symbols} == {"n", "k"}
    assert "oo" not in d.text()


def test_endless_has_no_list_in_python() -> None:
    with pytest.raises(rlcalc.InputError) as caught:
        rlcalc.lambda_weights(0.5, float("inf"))
    assert caught.value.code == "no_numeric_answer"
    assert rlcalc.compute("lambda_weights", lam=0.5, steps=float("inf")) == {"sum": 1.0}


def test_long_ones_skip_the_exact_form() -> None:
    e = rlcalc.evaluate("lambda_weights", {"lam": "0.9", "steps": 1000}, ("sympy", "numpy", "torch"))
    assert e.derivation is None
    assert e.agree
    assert len(e.results["weights"].numpy) == 1000


@pytest.mark.parametrize("at", [0.0, 0.5, 1.0])
def test_gradient_by_lambda(at: float) -> None:
    lam = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    slopes = [torch.autograd.grad(w, lam, retain_graph=True)[0].item() for w in rlcalc.lambda_weights(lam, 3)]
    # of 1 − λ, λ − λ², λ²
    assert slopes == pytest.approx([-1, 1 - 2 * at, 2 * at])


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


def test_notes_fit_the_decay() -> None:
    def notes(lam: str) -> list[str]:
        return rlcalc.derive("lambda_weights", lam=lam, steps="inf").notes

    assert notes("1/3") == []
    assert notes("0") == ["0^0 is 1 here: at λ = 0 all weight lies on the 1-step return."]
    assert "The sum is 1 for λ < 1; at λ = 1 every weight is 0 and so is the sum." in notes("l")


def test_the_remainder_is_explained_where_it_is() -> None:
    d = rlcalc.derive("lambda_weights", lam="1/2", steps=3)
    assert [step.note for step in d.steps] == ["", "", "all the weight that is left", ""]
