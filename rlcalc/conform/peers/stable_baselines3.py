"""stable-baselines3: the rollout buffer's advantages, and its distributions."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from functools import partial

from rlcalc._lazy import np, torch
from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import one_discount, one_distribution, one_sequence, without_zeros

_COMMON = "stable_baselines3.common"
_rollout = partial(
    peer,
    function=f"{_COMMON}.buffers.RolloutBuffer.compute_returns_and_advantage",
    note="its arrays are float32; a truncation's bootstrap is added to the reward by collect_rollouts, "
    "outside this function, so it is asked for none",
    dtypes=("float32",),
    outside=[one_sequence, one_discount],
)
_distribution = partial(peer, backend="torch", outside=[one_distribution, without_zeros])


@_rollout()
def gae(compute, /, rewards, values, gamma, lam, terminated):
    from gymnasium.spaces import Box
    from stable_baselines3.common.buffers import RolloutBuffer

    box = Box(-1, 1, (1,), np.float32)
    buffer = RolloutBuffer(len(rewards), box, box, device="cpu", gae_lambda=lam, gamma=gamma)
    none, starts = np.zeros((1, 1), np.float32), True
    # a full buffer of one environment; a step that follows an end starts an episode
    for reward, value, over in zip(rewards, values[:-1], terminated, strict=True):
        known, chance = torch.tensor([value]), torch.zeros(1)
        buffer.add(none, none, np.array([reward]), np.array([starts]), known, chance)
        starts = bool(over)
    compute(buffer, torch.tensor([values[-1]]), np.array([starts]))
    return {"advantages": buffer.advantages[:, 0], "returns": buffer.returns[:, 0]}


@_rollout(helpers=(gae,))
def lambda_return(compute, /, rewards, values, gamma, lam, terminated, alpha=None):
    return gae(compute, rewards, values, gamma, lam, terminated)["returns"]


def _categorical(p):
    from stable_baselines3.common.distributions import CategoricalDistribution

    return CategoricalDistribution(p.shape[-1]).proba_distribution(p.log())


@_distribution(f"{_COMMON}.distributions.CategoricalDistribution.entropy", helpers=(_categorical,))
def entropy(function, /, p):
    return function(_categorical(p))


@_distribution(f"{_COMMON}.distributions.kl_divergence", helpers=(_categorical,))
def kl(function, /, p, q):
    return function(_categorical(p), _categorical(q))
