"""Monte Carlo updates: 1/k is the mean, a constant step size is not."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rlcalc
from tests.strategies import numbers, step_sizes

returns_lists = st.lists(
    st.fractions(min_value=-50, max_value=50, max_denominator=20), min_size=1, max_size=8
)
ALL = ("sympy", "numpy", "torch")


@pytest.mark.parametrize("word", ["mean", "1/k", None])
def test_one_over_k_is_the_mean(word: str | None) -> None:
    d = rlcalc.derive("mc_update", value=0, returns=[6, 2, 4], alpha=word)
    assert [str(v) for v in d.outputs["values"]] == ["6", "4", "4"]
    assert str(d.answer) == "4"
    assert "= 6 + 1/2·(2 − 6) =" in d.text()


@settings(deadline=None, max_examples=40)
@given(numbers, returns_lists)
def test_mean(value: Fraction, returns: list[Fraction]) -> None:
    e = rlcalc.evaluate("mc_update", {"value": value, "returns": returns, "alpha": "mean"}, ALL)
    means = [sum(returns[:k]) / k for k in range(1, len(returns) + 1)]
    assert [Fraction(str(v)) for v in e.results["values"].exact] == means
    for got in (e.results["values"].numpy, e.results["values"].torch):
        np.testing.assert_allclose(got, [float(m) for m in means], rtol=0, atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(numbers, returns_lists, step_sizes)
def test_constant(value: Fraction, returns: list[Fraction], alpha: Fraction) -> None:
    e = rlcalc.evaluate("mc_update", {"value": value, "returns": returns, "alpha": alpha}, ALL)
    k = len(returns)
    weighted = (1 - alpha) ** k * value
    weighted += sum(alpha * (1 - alpha) ** (k - 1 - j) * g for j, g in enumerate(returns))
    assert Fraction(str(e.results["value"].exact)) == weighted
    for got in (e.results["value"].numpy, e.results["value"].torch):
        assert got == pytest.approx(float(weighted), abs=1e-12)


def test_half_precision_counts_past_256() -> None:
    returns = torch.ones(600, dtype=torch.bfloat16)
    found = rlcalc.mc_update(0.0, returns)
    assert found.dtype == torch.bfloat16
    assert found.item() == 1.0


def test_float32_mean_of_many_keeps_the_late_ones() -> None:
    returns = np.full(300_000, 0.1, np.float32)
    assert rlcalc.mc_update(0.0, returns) == pytest.approx(np.float32(0.1), rel=1e-6)


def test_starting_values_of_a_batch_with_shared_returns() -> None:
    found = rlcalc.mc_update(np.array([0.0, 8.0]), [0.0, 0.0, 0.0], alpha=0.5)
    assert found.tolist() == [0.0, 1.0]
    assert rlcalc.mc_update(0.0, np.zeros((0, 3))).shape == (0,)


def test_gradients() -> None:
    returns = torch.tensor([6.0, 2.0, 4.0], dtype=torch.float64, requires_grad=True)
    value = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    alpha = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    rlcalc.mc_update(value, returns, alpha=alpha).backward()
    assert returns.grad.tolist() == [0.125, 0.25, 0.5]
    assert value.grad.item() == 0.125
    # d/dα of (1−α)^3·1 + α(1−α)^2·6 + α(1−α)·2 + 4α at α = 1/2
    assert alpha.grad.item() == pytest.approx(-0.75 + 6 * (0.25 - 0.5) + 0 + 4)
    (by_mean,) = torch.autograd.grad(rlcalc.mc_update(value, returns), returns)
    np.testing.assert_allclose(by_mean, [1 / 3] * 3)


def test_unknown_word_in_python() -> None:
    with pytest.raises(rlcalc.InputError) as caught:
        rlcalc.mc_update(0.0, [1.0], alpha="average")
    assert caught.value.code == "alpha_unknown"


def test_only_the_mean_forgets_its_start() -> None:
    def notes(alpha: str) -> list[str]:
        return rlcalc.derive("mc_update", value=1, returns=[6, 2], alpha=alpha).notes

    assert notes("1/2") == []
    assert notes("mean") == [
        "Step size 1/k: each value is the mean of the returns so far; the starting value is forgotten."
    ]
