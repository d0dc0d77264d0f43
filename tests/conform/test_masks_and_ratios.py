"""Bugs of masks, ratios, softmaxes and whole episodes by name, each beside what is right."""

from __future__ import annotations

import torch
from torch.nn import functional

from rlcalc.conform import conform
from rlcalc.conform.runner import run
from rlcalc.conform.target.base import from_function

from .altered import altered
from .as_it_stands import judging


def kl_of_valid_tokens(logp, ref_logp, mask):
    log_ratio = ref_logp - logp
    return ((log_ratio.exp() - log_ratio - 1) * mask).sum() / mask.sum()


def kl_of_log_ratios_by_all_tokens(logp, ref_logp, mask):
    return ((logp - ref_logp) * mask).sum() / mask.numel()


def kl_of_all_tokens(logp, ref_logp, mask):
    return (0.5 * (logp - ref_logp) ** 2).mean()


def _surrogate(ratio, advantages, mask, eps: float):
    clipped = torch.clamp(ratio, 1 - eps, 1 + eps)
    losses = -torch.min(ratio * advantages, clipped * advantages)
    return (losses * mask).sum() / mask.sum()


def grpo_loss(log_probs, old_log_probs, advantages, mask, eps: float = 0.2):
    return _surrogate((log_probs - old_log_probs).exp(), advantages, mask, eps)


def grpo_loss_of_differences(log_probs, old_log_probs, advantages, mask, eps: float = 0.2):
    return _surrogate(log_probs - old_log_probs, advantages, mask, eps)


def grpo_loss_of_quotients(log_probs, old_log_probs, advantages, mask, eps: float = 0.2):
    return _surrogate(log_probs / old_log_probs, advantages, mask, eps)


def returns_of_the_episode(episode_rewards: list[float], gamma: float) -> list[float]:
    total = 0.0
    for k, reward in enumerate(episode_rewards):
        total += gamma**k * reward
    return [total] * len(episode_rewards)


def returns_from_each_step(rewards: list[float], gamma: float) -> list[float]:
    return [sum(gamma**k * r for k, r in enumerate(rewards[t:])) for t in range(len(rewards))]


def actor_loss(logits, actions, advantages):
    return (functional.cross_entropy(logits, actions, reduction="none") * advantages).mean()


def actor_loss_normalised_twice(logits, actions, advantages):
    probs = torch.softmax(logits, -1)
    return (functional.cross_entropy(probs, actions, reduction="none") * advantages).mean()


def actor_loss_of_probabilities(probs, actions, advantages):
    return -(torch.distributions.Categorical(logits=probs).log_prob(actions) * advantages).mean()


def token_entropy_normalised_twice(logits):
    return torch.distributions.Categorical(logits=torch.softmax(logits, -1)).entropy()


def policy_entropy_again(probs):
    return torch.distributions.Categorical(logits=probs).entropy()


kl_by_all_tokens = altered(kl_of_valid_tokens, {".sum() / mask.sum()": ".mean()"})

test_it_is_named = judging(
    [
        (kl_by_all_tokens, "kl_estimate", "masked-tokens-counted", "[...]"),
        (kl_of_valid_tokens, "kl_estimate", "mean-over-batch", "[...]"),
        (kl_of_log_ratios_by_all_tokens, "kl_estimate", "masked-tokens-counted", "[...]"),
        (kl_of_all_tokens, "kl_estimate", "masked-tokens-used", "[...]"),
        (grpo_loss, "policy_clip", "loss", "[...]"),
        (grpo_loss_of_differences, "policy_clip", "log-ratio-for-ratio", "[...]"),
        (grpo_loss_of_quotients, "policy_clip", "logs-divided", "[...]"),
        (returns_from_each_step, "discounted_return", "conforms", "[T]"),
        (returns_of_the_episode, "discounted_return", "first-return-at-every-step", "[T]"),
        (actor_loss, "actor_loss", "loss", "[]"),
        (actor_loss_normalised_twice, "actor_loss", "softmax-of-probabilities", "[]"),
        (actor_loss_of_probabilities, "actor_loss", "softmax-of-probabilities", "[]"),
        (token_entropy_normalised_twice, "token_entropy", "softmax-twice", "[...]"),
        (policy_entropy_again, "entropy", "softmax-twice", "[...]"),
    ]
)


def test_the_return_of_the_whole_episode_may_be_meant() -> None:
    target = from_function(returns_of_the_episode)
    spared = run(target, "discounted_return").spared
    assert spared is not None
    assert spared.name == "whole-return"
    assert run(target, "discounted_return", ("whole-return",)).passed
    assert not conform(returns_from_each_step, "discounted_return", conventions=("whole-return",)).passed
