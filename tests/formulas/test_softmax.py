"""Softmax: closed forms, invariance under a shift, and no overflow anywhere."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings

import rlcalc
from rlcalc.exact import to_decimal, to_text
from tests.strategies import logits, numbers


def naive(theta: list[float]) -> list[float]:
    powers = [math.exp(x) for x in theta]
    return [power / sum(powers) for power in powers]


def test_the_policy_after_the_lectures_update_has_a_short_form() -> None:
    first, second = rlcalc.derive("softmax", theta=["1/2", "-1/2"]).answer
    assert to_text(first) == "1/(1 + exp(-1))"
    assert to_text(second) == "1/(1 + exp(1))"
    assert to_decimal(first) == "0.73105857863000487925"


def test_steps_show_the_definition() -> None:
    text = rlcalc.derive("softmax", theta=["1/2", "-1/2"]).text()
    assert "π(0) = exp(θ_0) / (exp(θ_0) + exp(θ_1))" in text
    assert "exp(1/2) / (exp(1/2) + exp(−1/2))" in text


def test_symbols_give_the_logistic_function() -> None:
    assert [to_text(p) for p in rlcalc.derive("softmax", theta=["x", "0"]).answer] == [
        "1/(1 + exp(-x))",
        "1/(exp(x) + 1)",
    ]


def test_logs_of_weights_are_weights() -> None:
    answer = rlcalc.derive("softmax", theta=["0", "log(2)", "log(3)"]).answer
    assert [str(p) for p in answer] == ["1/6", "1/3", "1/2"]


@settings(deadline=None, max_examples=50)
@given(logits)
def test_forms_agree_and_sum_to_one(theta: list[Fraction]) -> None:
    e = rlcalc.evaluate("softmax", {"theta": theta}, ("sympy", "numpy", "torch"))
    want = naive([float(x) for x in theta])
    assert e.answer.numpy == pytest.approx(want, rel=1e-13)
    assert e.answer.torch == pytest.approx(want, rel=1e-13)
    assert [float(p) for p in e.answer.exact] == pytest.approx(want, rel=1e-13)
    assert sum(e.answer.numpy) == pytest.approx(1, abs=1e-14)


@settings(deadline=None, max_examples=30)
@given(logits, numbers)
def test_a_shift_changes_nothing_exactly(theta: list[Fraction], shift: Fraction) -> None:
    plain = rlcalc.derive("softmax", theta=theta).answer
    assert plain == rlcalc.derive("softmax", theta=[x + shift for x in theta]).answer


@pytest.mark.parametrize("size", [1e3, 1e4, -1e3, 3e38])
def test_no_overflow(size: float) -> None:
    for dtype in (np.float32, np.float64):
        assert rlcalc.softmax(np.array([size, 0.0], dtype)).tolist() == ([1, 0] if size > 0 else [0, 1])
    assert rlcalc.softmax(torch.tensor([size, 0.0])).tolist() == ([1, 0] if size > 0 else [0, 1])
    with np.errstate(over="ignore", invalid="ignore"):
        powers = np.exp(np.array([abs(size), 0.0]))
        assert math.isnan((powers / powers.sum())[0])  # what the definition does when typed as it stands


def test_small_probabilities_keep_their_digits() -> None:
    want = math.exp(-40) / (1 + math.exp(-40))
    assert rlcalc.softmax([40.0, 0.0])[1] == pytest.approx(want, rel=1e-14)


def test_gradient_is_the_jacobian() -> None:
    theta = torch.tensor([0.3, -1.0, 2.0], dtype=torch.float64)
    pi = rlcalc.softmax(theta)
    jacobian = torch.autograd.functional.jacobian(rlcalc.softmax, theta)
    assert torch.allclose(jacobian, torch.diag(pi) - torch.outer(pi, pi), atol=1e-15)
