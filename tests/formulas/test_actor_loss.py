"""The actor's objective against logarithms worked by hand, autograd, and its reductions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rlcalc
from rlcalc.exact import equal, parse_number

ALL = ("sympy", "numpy", "torch")


@pytest.mark.parametrize(
    ("inputs", "objective"),
    [
        ({"probs": ["1/2", "1/2"], "advantages": [5, -3]}, "-2*log(2)"),
        ({"probs": ["1/2", "1/2"], "advantages": [5, -3], "reduction": "mean"}, "-log(2)"),
        ({"probs": ["1/2", "1/8"], "advantages": [6, -2]}, "0"),
        ({"log_probs": [-1, -2], "advantages": [5, -3]}, "1"),
        ({"probs": ["p", "q"], "advantages": [5, "a"]}, "5*log(p) + a*log(q)"),
    ],
)
def test_by_hand(inputs: dict[str, object], objective: str) -> None:
    outputs = rlcalc.derive("actor_loss", **inputs).outputs
    assert equal(outputs["objective"], parse_number(objective))
    assert equal(outputs["loss"], parse_number(f"-({objective})"))


def test_both_forms_of_calling_agree() -> None:
    probs, advs = np.array([0.5, 0.25, 0.9]), np.array([5.0, -3.0, 1.0])
    assert rlcalc.actor_loss(probs, advs) == pytest.approx(
        rlcalc.actor_loss(log_probs=np.log(probs), advantages=advs), rel=1e-15
    )


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_gradient_by_the_log_probability_is_the_advantage(reduction: str) -> None:
    advs = torch.tensor([5.0, -3.0, 0.0, 2.0], dtype=torch.float64)
    logs = torch.tensor([-0.1, -2.0, -1.0, -7.0], dtype=torch.float64, requires_grad=True)
    found = rlcalc.compute("actor_loss", log_probs=logs, advantages=advs, reduction=reduction)
    (slope,) = torch.autograd.grad(found["objective"], logs, retain_graph=True)
    (down,) = torch.autograd.grad(found["loss"], logs)
    scale = 4 if reduction == "mean" else 1
    torch.testing.assert_close(slope, advs / scale)
    torch.testing.assert_close(down, -advs / scale)


def test_gradient_by_the_probability_is_the_advantage_over_it() -> None:
    probs = torch.tensor([0.5, 0.2], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(rlcalc.actor_loss(probs, [5.0, -3.0]), probs)
    assert slope.tolist() == pytest.approx([10.0, -15.0])


def test_gradient_through_a_softmax_is_the_policy_gradient() -> None:
    """∇ log softmax(θ)_a = e_a − π, worked by hand for θ = 0 and two actions."""
    theta = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    logs = torch.log_softmax(theta, -1)[torch.tensor([0, 1])]
    (slope,) = torch.autograd.grad(rlcalc.actor_loss(log_probs=logs, advantages=[5.0, -3.0]), theta)
    # 5·(1/2, −1/2) − 3·(−1/2, 1/2)
    assert slope.tolist() == pytest.approx([4.0, -4.0])


def test_no_gradient_reaches_the_critic_through_the_advantage() -> None:
    value = torch.tensor([10.0, 10.0], dtype=torch.float64, requires_grad=True)
    logs = torch.tensor([-1.0, -2.0], dtype=torch.float64, requires_grad=True)
    adv = rlcalc.advantage(torch.tensor([15.0, 7.0], dtype=torch.float64), value)
    assert adv.requires_grad
    rlcalc.actor_loss(log_probs=logs, advantages=adv).backward()
    assert logs.grad.tolist() == [5.0, -3.0]
    assert value.grad is None
    # the fault that this prevents: with the graph left on, the actor's loss would move the critic
    (leak,) = torch.autograd.grad((logs * (torch.tensor([15.0, 7.0]) - value)).sum(), value)
    assert leak.tolist() == [1.0, 2.0]


def test_logarithms_far_below_the_smallest_float() -> None:
    assert rlcalc.actor_loss(log_probs=[-1000.0, -2000.0], advantages=[0.5, -0.125]) == -250.0
