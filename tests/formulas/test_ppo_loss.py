"""The combined loss: its signs, its slopes, and no weight that is guessed."""

from __future__ import annotations

import pytest
import torch

import rlcalc

PARTS = {"clip": 6, "critic": 34, "entropy": 0, "c1": "1/2", "c2": "1/100"}
ALL = ("sympy", "numpy", "torch")


def test_slopes_are_the_weights_with_the_right_signs() -> None:
    parts = [torch.tensor([x, x], dtype=torch.float64, requires_grad=True) for x in (6.0, 34.0, 0.7)]
    found = rlcalc.compute("ppo_loss", clip=parts[0], critic=parts[1], entropy=parts[2], c1=0.5, c2=0.01)
    up = torch.autograd.grad(found["objective"].sum(), parts, retain_graph=True)
    down = torch.autograd.grad(found["loss"].sum(), parts)
    assert [slope.tolist() for slope in up] == [[1.0, 1.0], [-0.5, -0.5], [0.01, 0.01]]
    assert [slope.tolist() for slope in down] == [[-1.0, -1.0], [0.5, 0.5], [-0.01, -0.01]]


def test_gradient_through_all_three_parts() -> None:
    """The whole loss of two samples from logits, against the same expression written out."""
    dtype = torch.float64
    theta = torch.tensor([0.3, -0.2], dtype=dtype, requires_grad=True)
    value = torch.tensor(10.0, dtype=dtype, requires_grad=True)
    adv, returns = torch.tensor([5.0, -3.0], dtype=dtype), torch.tensor([15.0, 7.0], dtype=dtype)
    old = torch.tensor([-0.7, -0.7], dtype=dtype)

    logs = torch.log_softmax(theta, -1)
    ratio = rlcalc.ratio(new_log=logs, old_log=old)
    clip = rlcalc.ppo_clip(ratio, adv, 0.2).mean()
    critic = rlcalc.critic_loss(value, returns, reduction="mean")
    spread = -(logs.exp() * logs).sum()
    loss = rlcalc.compute("ppo_loss", clip=clip, critic=critic, entropy=spread, c1=0.5, c2=0.01)["loss"]
    mine = torch.autograd.grad(loss, [theta, value])

    r = (torch.log_softmax(theta, -1) - old).exp()
    surrogate = torch.minimum(r * adv, r.clamp(0.8, 1.2) * adv).mean()
    entropy = torch.distributions.Categorical(logits=theta).entropy()
    written = -surrogate + 0.5 * ((value - returns) ** 2).mean() - 0.01 * entropy
    theirs = torch.autograd.grad(written, [theta, value])
    torch.testing.assert_close(loss, written)
    torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("name", ["c1", "c2"])
def test_a_missing_weight_is_asked_for_with_the_usual_values(name: str) -> None:
    parts = {key: value for key, value in PARTS.items() if key != name}
    with pytest.raises(rlcalc.InputError) as caught:
        rlcalc.derive("ppo_loss", **parts)
    assert caught.value.code == f"{name}_missing"
    assert "lecture names no value" in caught.value.hint
    assert f"{name} = " in caught.value.hint
