"""tianshou: returns of its algorithms, computed from a replay buffer, in float64 whatever it is given."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from functools import partial

from rlcalc._lazy import np, torch
from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import finite_count, one_discount, one_sequence, one_value_per_state

_PLACE = "tianshou.algorithm.algorithm_base"
_DOUBLE = "it computes in float64 whatever it is given"
_peer = partial(peer, dtypes=("float64",))


def _buffer(rewards, terminated, truncated):
    """A buffer that holds one sequence of steps, which need not be a whole episode."""
    from tianshou.data import Batch, ReplayBuffer

    buffer = ReplayBuffer(len(rewards))
    for at, (reward, over, cut) in enumerate(zip(rewards, terminated, truncated, strict=True)):
        ends = {"terminated": bool(over), "truncated": bool(cut)}
        buffer.add(Batch(obs=np.array([at]), act=0, rew=reward, obs_next=np.array([at + 1]), info={}, **ends))
    return buffer


@_peer(
    f"{_PLACE}.Algorithm.compute_episodic_return",
    note=_DOUBLE,
    helpers=(_buffer,),
    outside=[one_sequence, one_discount],
)
def gae(function, /, rewards, values, gamma, lam, terminated, truncated, next_values):
    buffer, steps = _buffer(rewards, terminated, truncated), np.arange(len(rewards))
    returns, advantages = function(buffer[steps], buffer, steps, next_values, values[:-1], gamma, lam)
    return {"advantages": advantages, "returns": returns}


@_peer(
    f"{_PLACE}.Algorithm.compute_episodic_return",
    note=_DOUBLE,
    helpers=(_buffer, gae),
    outside=[one_sequence, one_discount, one_value_per_state],
)
def lambda_return(function, /, rewards, values, gamma, lam, terminated, truncated, next_values, alpha=None):
    return gae(function, rewards, values, gamma, lam, terminated, truncated, next_values)["returns"]


@_peer(
    f"{_PLACE}.Algorithm.compute_nstep_return",
    note=_DOUBLE,
    helpers=(_buffer,),
    outside=[one_sequence, one_discount, finite_count],
)
def n_step_return(function, /, rewards, values, gamma, n, terminated, truncated, next_values, alpha=None):
    buffer, steps = _buffer(rewards, terminated, truncated), np.arange(len(rewards))

    def target(_, after):
        return torch.tensor(next_values[after])

    return function(buffer[steps], buffer, steps, target, gamma, n).returns.flatten()


@_peer(
    f"{_PLACE}.episode_mc_return_to_go",
    note=f"{_DOUBLE}; it documents one whole episode, so it is asked for no flags and no bootstrap",
    outside=[one_sequence, one_discount],
)
def discounted_return(function, /, rewards, gamma):
    return function(rewards, gamma)
