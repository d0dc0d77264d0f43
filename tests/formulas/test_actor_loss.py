"""The actor's objective against logarithms worked by hand, autograd, and its reductions."""

from __future__ import annotations

import torch

import rlcalc


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
