"""rejax: the advantages of its PPO."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import one_discount, one_sequence


@peer(
    "rejax.algos.ppo.PPO.calculate_gae",
    backend="jax",
    note="its environments reset themselves with done alone, so that it is asked for no truncation",
    outside=[one_sequence, one_discount],
)
def gae(compute, /, rewards, values, gamma, lam, terminated):
    from collections import namedtuple
    from types import SimpleNamespace

    Steps = namedtuple("Steps", ["reward", "value", "done"])
    steps = Steps(rewards, values[:-1], terminated)
    agent = SimpleNamespace(gamma=gamma, gae_lambda=lam)
    advantages, returns = compute(agent, steps, values[-1])
    return {"advantages": advantages, "returns": returns}
