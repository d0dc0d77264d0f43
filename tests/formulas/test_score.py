"""Score: it sums to 0, its mean is 0, and it is the derivative that autograd finds."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rlcalc
from rlcalc.exact import equal
from tests.strategies import logits


@settings(deadline=None, max_examples=40)
@given(logits, st.data())
def test_forms_agree_with_autograd(theta: list[Fraction], data: st.DataObject) -> None:
    action = data.draw(st.integers(0, len(theta) - 1))
    e = rlcalc.evaluate("score", {"theta": theta, "action": action}, ("sympy", "numpy", "torch"))
    x = torch.tensor([float(t) for t in theta], dtype=torch.float64, requires_grad=True)
    (want,) = torch.autograd.grad(torch.log_softmax(x, -1)[action], x)
    for found in (e.answer.numpy, e.answer.torch, [float(v) for v in e.answer.exact]):
        assert found == pytest.approx(want.tolist(), abs=1e-14)
    assert sum(e.answer.numpy) == pytest.approx(0, abs=1e-15)


def test_symbolic_score_sums_to_zero_and_has_mean_zero() -> None:
    scores = [rlcalc.derive("score", theta=["a", "b"], action=k).answer for k in (0, 1)]
    policy = rlcalc.derive("softmax", theta=["a", "b"]).answer
    assert equal(scores[0][0] + scores[0][1], 0)
    for entry in (0, 1):
        assert equal(policy[0] * scores[0][entry] + policy[1] * scores[1][entry], 0)


@pytest.mark.parametrize("gap", [20.0, 40.0, 300.0])
def test_no_cancellation_where_the_action_is_all_but_certain(gap: float) -> None:
    want = math.exp(-gap) / (1 + math.exp(-gap))
    theta = np.array([gap, 0.0])
    policy = rlcalc.softmax(theta)
    broken = 1 - policy[0]
    assert rlcalc.score(theta, 0)[0] == pytest.approx(want, rel=1e-14)
    assert rlcalc.score(torch.tensor(theta), 0)[0].item() == pytest.approx(want, rel=1e-14)
    assert abs(broken - want) > 1e-9 * want


def test_second_derivative_is_minus_the_covariance() -> None:
    theta = torch.tensor([0.2, -0.4, 1.0], dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda x: rlcalc.score(x, 1), theta)
    pi = torch.softmax(theta, -1)
    assert torch.allclose(jacobian, torch.outer(pi, pi) - torch.diag(pi), atol=1e-15)
