"""One step of REINFORCE: the lecture's numbers, the baseline, and what stays the same."""

from __future__ import annotations

import pytest
import torch

import rlcalc
from rlcalc.exact import equal


def test_steps_are_those_of_the_lecture() -> None:
    text = rlcalc.derive("reinforce_step", theta=[0, 0], action=0, return_=10).text()
    assert "θ_0^new = θ_0 + α·G·∂ log π(0)/∂θ_0 = 0 + 1/10·10·1/2" in text


def test_symbolic_step_keeps_the_sum() -> None:
    moved = rlcalc.derive("reinforce_step", theta=["a", "b"], action=0, return_="g", alpha="k").answer
    symbols = rlcalc.derive("reinforce_step", theta=["a", "b"], action=0, return_=0).answer
    assert equal(sum(moved), sum(symbols))


@pytest.mark.parametrize("gained", ["10", "-3/7", "sqrt(2)"])
def test_a_return_equal_to_the_baseline_moves_nothing(gained: str) -> None:
    answer = rlcalc.derive(
        "reinforce_step", theta=["1", "0"], action=1, return_=gained, baseline=gained
    ).answer
    assert [str(x) for x in answer] == ["1", "0"]


def test_the_step_is_gradient_ascent_on_the_log_probability() -> None:
    theta = torch.tensor([0.3, -0.2, 1.1], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(4.0 * torch.log_softmax(theta, -1)[2], theta)
    moved = rlcalc.reinforce_step(theta, 2, return_=7.0, alpha=0.25, baseline=3.0)
    assert torch.allclose(moved, theta + 0.25 * slope, atol=1e-15)


def test_a_step_size_above_one_is_noted() -> None:
    notes = rlcalc.derive("reinforce_step", theta=[0, 0], action=0, return_=1, alpha="3/2").notes
    assert any("above 1" in note for note in notes)
