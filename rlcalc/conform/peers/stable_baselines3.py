"""stable-baselines3: the rollout buffer's advantages, and its distributions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rlcalc.conform.peers import Adapter
from rlcalc.conform.peers.scope import any_of, one_discount, one_distribution, one_sequence, without_zeros

DISTRIBUTION = "stable-baselines3"
_BUFFER = (
    "its arrays are float32; a truncation's bootstrap is added to the reward by collect_rollouts, "
    "outside this function, so it is asked for none"
)


def _filled(rewards: Any, values: Any, gamma: Any, lam: Any, terminated: Any) -> Any:
    """A full buffer of one environment; a step that follows an end starts an episode."""
    import numpy as np
    import torch
    from gymnasium.spaces import Box
    from stable_baselines3.common.buffers import RolloutBuffer

    box = Box(-1, 1, (1,), np.float32)
    buffer = RolloutBuffer(len(rewards), box, box, device="cpu", gae_lambda=lam, gamma=gamma)
    none, starts = np.zeros((1, 1), np.float32), True
    for reward, value, over in zip(rewards, values[:-1], terminated, strict=True):
        known, chance = torch.tensor([value]), torch.zeros(1)
        buffer.add(none, none, np.array([reward]), np.array([starts]), known, chance)
        starts = bool(over)
    buffer.compute_returns_and_advantage(torch.tensor([values[-1]]), np.array([starts]))
    return buffer


def _gae() -> Callable[..., Any]:
    def call(rewards: Any, values: Any, gamma: Any, lam: Any, terminated: Any) -> Any:
        buffer = _filled(rewards, values, gamma, lam, terminated)
        return {"advantages": buffer.advantages[:, 0], "returns": buffer.returns[:, 0]}

    return call


def _lambda_return() -> Callable[..., Any]:
    def call(rewards: Any, values: Any, gamma: Any, lam: Any, terminated: Any, alpha: Any = None) -> Any:
        return _filled(rewards, values, gamma, lam, terminated).returns[:, 0]

    return call


def _entropy() -> Callable[..., Any]:
    from stable_baselines3.common.distributions import CategoricalDistribution

    def call(p: Any) -> Any:
        return CategoricalDistribution(p.shape[-1]).proba_distribution(p.log()).entropy()

    return call


def _kl() -> Callable[..., Any]:
    from stable_baselines3.common.distributions import CategoricalDistribution, kl_divergence

    def call(p: Any, q: Any) -> Any:
        count = p.shape[-1]
        left = CategoricalDistribution(count).proba_distribution(p.log())
        right = CategoricalDistribution(count).proba_distribution(q.log())
        return kl_divergence(left, right)

    return call


ADAPTERS = (
    Adapter(
        "stable_baselines3.common.buffers.RolloutBuffer.compute_returns_and_advantage",
        "gae",
        _gae,
        note=_BUFFER,
        dtypes=("float32",),
        helpers=(_filled,),
        outside=any_of(one_sequence, one_discount),
    ),
    Adapter(
        "stable_baselines3.common.buffers.RolloutBuffer.compute_returns_and_advantage",
        "lambda_return",
        _lambda_return,
        note=_BUFFER,
        dtypes=("float32",),
        helpers=(_filled,),
        outside=any_of(one_sequence, one_discount),
    ),
    Adapter(
        "stable_baselines3.common.distributions.CategoricalDistribution.entropy",
        "entropy",
        _entropy,
        backend="torch",
        outside=any_of(one_distribution, without_zeros),
    ),
    Adapter(
        "stable_baselines3.common.distributions.kl_divergence",
        "kl",
        _kl,
        backend="torch",
        outside=any_of(one_distribution, without_zeros),
    ),
)
