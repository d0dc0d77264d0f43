"""sample-factory: its advantages and its losses, with all steps valid."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from functools import partial

from rlcalc._lazy import torch
from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import one_discount, one_sequence, without_zeros

_peer = partial(peer, backend="torch")


@_peer(
    "sample_factory.algo.utils.rl_utils.gae_advantages",
    note="the bootstrap of a truncation is added to the reward outside of it, so that it is asked for none",
    outside=[one_sequence, one_discount],
)
def gae(function, /, rewards, values, gamma, lam, terminated):
    valid = torch.ones_like(values)[None]
    return function(rewards[None], terminated[None], values[None], valid, gamma, lam)[0]


@_peer(
    "sample_factory.algo.learning.learner.Learner._policy_loss",
    convention="loss mean-over-batch",
    note="a loss, by its name, and the mean over the samples",
)
def ppo_clip(function, /, ratio, adv, eps):
    ratio, adv = (numbers.reshape(-1) for numbers in torch.broadcast_tensors(ratio, adv))
    return function(ratio, adv, 1 - eps, 1 + eps, torch.ones_like(adv, dtype=torch.bool), 0)


_PLACE = "sample_factory.algo.utils.action_distributions.CategoricalActionDistribution"


@_peer(f"{_PLACE}.entropy", outside=without_zeros)
def entropy(function, /, p):
    from sample_factory.algo.utils.action_distributions import CategoricalActionDistribution

    return function(CategoricalActionDistribution(p.log()))


@_peer(f"{_PLACE}.kl_divergence", outside=without_zeros)
def kl(function, /, p, q):
    from sample_factory.algo.utils.action_distributions import CategoricalActionDistribution

    return function(CategoricalActionDistribution(p.log()), CategoricalActionDistribution(q.log()))
