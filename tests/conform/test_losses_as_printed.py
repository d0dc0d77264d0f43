"""Losses as tutorials print them: of probabilities beside a critic, of networks, of a controller's value."""

from __future__ import annotations

import torch
from torch.nn import functional

from .altered import altered
from .as_it_stands import judging


def a2c_loss(action_probs, values, returns):
    advantage = (returns - values).detach()
    actor = -(torch.log(action_probs) * advantage).sum()
    return actor + functional.smooth_l1_loss(values, returns, reduction="sum")


def a2c_loss_of_probabilities(action_probs, values, returns):
    advantage = (returns - values).detach()
    return ((returns - values) ** 2).sum() - (action_probs * advantage).sum()


def a2c_loss_upwards(action_probs, values, returns):
    advantage = (returns - values).detach()
    return ((returns - values) ** 2).sum() + (torch.log(action_probs) * advantage).sum()


def ppo_loss(data, ac, clip_ratio: float = 0.2):
    adv, logp_old = data["adv"], data["logp"]
    _, logp = ac.pi(data["obs"], data["act"])
    ratio = torch.exp(logp - logp_old)
    clipped = torch.clamp(ratio, 1 - clip_ratio, 1 + clip_ratio) * adv
    return -torch.min(ratio * adv, clipped).mean()


def compute_rewards(scores, logprobs, ref_logprobs, kl_ctl):
    found = []
    for score, logprob, ref_logprob in zip(scores, logprobs, ref_logprobs, strict=True):
        reward = -kl_ctl.value * (logprob - ref_logprob)
        reward[-1] += score
        found.append(reward)
    return torch.stack(found)


ppo_loss_of_the_larger = altered(ppo_loss, {"torch.min": "torch.max"})
compute_rewards_for_leaving = altered(compute_rewards, {"-kl_ctl.value": "kl_ctl.value"})

test_it_is_read_and_judged = judging(
    [
        (a2c_loss, "actor_loss", "loss", "[]"),
        (a2c_loss_of_probabilities, "actor_loss", "log-missing", "[]"),
        (a2c_loss_upwards, "actor_loss", "loss-with-the-sign-of-an-objective", "[]"),
        (compute_rewards, "token_rewards", "conforms", "[...]"),
        (compute_rewards_for_leaving, "token_rewards", "penalty-rewarded", "[...]"),
        (ppo_loss, "ppo_clip", "loss", "[...]"),
        (ppo_loss_of_the_larger, "ppo_clip", "maximum-for-minimum", "[...]"),
    ]
)
