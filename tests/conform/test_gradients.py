"""Policy losses whose numbers are right and whose gradients are not: the sign, and what is not detached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from rlcalc.conform import conform

from .altered import altered
from .as_it_stands import bugs, judging


def ppo_loss(ratio, adv, eps: float = 0.2):
    """The minus is forgotten."""
    return torch.min(ratio * adv, ratio.clamp(1 - eps, 1 + eps) * adv).mean()


def grpo_loss(logp, old_logp, advantages, mask):
    """The minus is forgotten."""
    ratio = (logp - old_logp).exp()
    each = torch.min(ratio * advantages, ratio.clamp(0.8, 1.2) * advantages)
    return (each * mask).sum() / mask.sum()


def a2c_loss(logits, actions, values, returns):
    log_probs = torch.log_softmax(logits, -1).gather(-1, actions[:, None]).squeeze(-1)
    adv = returns - values
    return -(log_probs * adv.detach()).mean() + 0.5 * adv.pow(2).mean()


def a2c_loss_of_hubers(logits, actions, values, returns):
    """The same with another loss of values."""
    log_probs = torch.distributions.Categorical(logits=logits).log_prob(actions)
    error = torch.nn.functional.smooth_l1_loss(values, returns)
    return error - (log_probs * (returns - values)).mean()


def loss_of_steps(log_probs, values, returns):
    """Squares with a weight in the body, beside log-probabilities that were made elsewhere."""
    adv = returns - values
    return -(log_probs * adv.detach()).mean() + 0.5 * adv.pow(2).mean()


def loss_of_steps_all_turned(log_probs, values, returns):
    """The squares are negated with the objective."""
    adv = returns - values
    return -((log_probs * adv.detach()).mean() + 0.5 * adv.pow(2).mean())


def whole_loss(critic: float, entropy: float) -> Callable[..., Any]:
    """A loss of PPO that adds so much of a loss of values and of an entropy."""

    def loss(logprobs, old_logprobs, advantages, state_values, rewards, dist_entropy):
        squares = torch.nn.functional.mse_loss(state_values, rewards)
        ratios = torch.exp(logprobs - old_logprobs.detach())
        clipped = torch.min(ratios * advantages, torch.clamp(ratios, 0.8, 1.2) * advantages)
        return (-clipped + critic * squares + entropy * dist_entropy).mean()

    loss.__name__ = "ppo_total_loss"
    return loss


TURNED = "loss-with-the-sign-of-an-objective"
# the advantages carry a gradient to the critic, whose loss is in it
a2c_loss_not_detached = altered(a2c_loss, {"adv.detach()": "adv"})
loss_of_steps_not_detached = altered(loss_of_steps, {"adv.detach()": "adv"})

# function, formula, what is said of it, layout
CASES = [
    (a2c_loss_not_detached, "actor_loss", "advantage-not-detached", "[]"),
    (a2c_loss, "actor_loss", "conforms-under-convention", "[]"),
    (grpo_loss, "policy_clip", TURNED, "[...]"),
    (a2c_loss_of_hubers, "actor_loss", "advantage-not-detached", "[]"),
    (whole_loss(0.5, -0.01), "ppo_clip", "conforms-under-convention", "[...]"),
    (whole_loss(0.5, 0.01), "ppo_clip", "entropy-sign", "[...]"),
    (whole_loss(-0.5, -0.01), "ppo_clip", "critic-sign", "[...]"),
    (loss_of_steps, "actor_loss", "conforms-under-convention", "[]"),
    (loss_of_steps_not_detached, "actor_loss", "advantage-not-detached", "[]"),
    (loss_of_steps_all_turned, "actor_loss", "critic-sign", "[]"),
]
test_a_loss_is_judged_by_what_an_optimiser_makes_of_it = judging(CASES, 2)


def test_an_objective_that_is_called_a_loss_is_declared() -> None:
    found = conform(ppo_loss, "ppo_clip", random=0)
    assert bugs(found) == [TURNED]
    assert found.spared is not None
    names = ("mean-over-batch", found.spared.name)
    assert not conform(ppo_loss, "ppo_clip", conventions=names[:1], random=0).passed
    assert conform(ppo_loss, "ppo_clip", conventions=names, random=0).passed


def test_an_objective_and_a_loss_by_their_names_are_right() -> None:
    def clipped_objective(ratio, adv, eps: float = 0.2):
        return torch.min(ratio * adv, ratio.clamp(1 - eps, 1 + eps) * adv)

    def clipped_loss(ratio, adv, eps: float = 0.2):
        return -torch.min(ratio * adv, ratio.clamp(1 - eps, 1 + eps) * adv)

    for function in (clipped_objective, clipped_loss):
        assert conform(function, "ppo_clip", random=0).verdict.startswith("conforms"), function


def test_whoever_calls_a_term_of_the_policy_may_have_detached_its_values() -> None:
    def actor_loss(log_probs, values, returns):
        return -(log_probs * (returns - values)).mean()

    report = conform(actor_loss, "actor_loss", random=0)
    assert report.verdict == "conforms-under-convention"
    assert any("detaches" in note for note in report.notes)
