"""tianshou: returns of its algorithms, computed from a replay buffer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rlcalc.conform.peers import Adapter
from rlcalc.conform.peers.scope import any_of, finite_count, one_discount, one_sequence, one_value_per_state

DISTRIBUTION = "tianshou"
_PLACE = "tianshou.algorithm.algorithm_base.Algorithm"
_DOUBLE = "it computes in float64 whatever it is given"


def _buffer(rewards: Any, terminated: Any, truncated: Any) -> Any:
    """A buffer that holds one sequence of steps, which need not be a whole episode."""
    import numpy as np
    from tianshou.data import Batch, ReplayBuffer

    buffer = ReplayBuffer(len(rewards))
    for at, (reward, over, cut) in enumerate(zip(rewards, terminated, truncated, strict=True)):
        step = Batch(
            obs=np.array([at]), act=0, rew=reward, terminated=bool(over), truncated=bool(cut),
            obs_next=np.array([at + 1]), info={},
        )  # fmt: skip
        buffer.add(step)
    return buffer


def _gae() -> Callable[..., Any]:
    import numpy as np
    from tianshou.algorithm.algorithm_base import Algorithm

    def call(
        rewards: Any, values: Any, gamma: Any, lam: Any, terminated: Any, truncated: Any, next_values: Any
    ) -> Any:
        buffer, steps = _buffer(rewards, terminated, truncated), np.arange(len(rewards))
        returns, advantages = Algorithm.compute_episodic_return(
            buffer[steps], buffer, steps, next_values, values[:-1], gamma, lam
        )
        return {"advantages": advantages, "returns": returns}

    return call


def _lambda_return() -> Callable[..., Any]:
    import numpy as np
    from tianshou.algorithm.algorithm_base import Algorithm

    def call(
        rewards: Any,
        values: Any,
        gamma: Any,
        lam: Any,
        terminated: Any,
        truncated: Any,
        next_values: Any,
        alpha: Any = None,
    ) -> Any:
        buffer, steps = _buffer(rewards, terminated, truncated), np.arange(len(rewards))
        batch = buffer[steps]
        return Algorithm.compute_episodic_return(batch, buffer, steps, next_values, values[:-1], gamma, lam)[
            0
        ]

    return call


def _n_step() -> Callable[..., Any]:
    import numpy as np
    import torch
    from tianshou.algorithm.algorithm_base import Algorithm

    def call(
        rewards: Any,
        values: Any,
        gamma: Any,
        n: Any,
        terminated: Any,
        truncated: Any,
        next_values: Any,
        alpha: Any = None,
    ) -> Any:
        buffer, steps = _buffer(rewards, terminated, truncated), np.arange(len(rewards))

        def target(_: Any, after: Any) -> Any:
            return torch.tensor(next_values[after])

        batch = Algorithm.compute_nstep_return(buffer[steps], buffer, steps, target, gamma, n)
        return batch.returns.flatten()

    return call


def _to_go() -> Callable[..., Any]:
    from tianshou.algorithm.algorithm_base import episode_mc_return_to_go

    def call(rewards: Any, gamma: Any) -> Any:
        return episode_mc_return_to_go(rewards, gamma)

    return call


ADAPTERS = (
    Adapter(
        f"{_PLACE}.compute_episodic_return",
        "gae",
        _gae,
        note=_DOUBLE,
        dtypes=("float64",),
        helpers=(_buffer,),
        outside=any_of(one_sequence, one_discount),
    ),
    Adapter(
        f"{_PLACE}.compute_episodic_return",
        "lambda_return",
        _lambda_return,
        note=_DOUBLE,
        dtypes=("float64",),
        helpers=(_buffer,),
        outside=any_of(one_sequence, one_discount, one_value_per_state),
    ),
    Adapter(
        f"{_PLACE}.compute_nstep_return",
        "n_step_return",
        _n_step,
        note=_DOUBLE,
        dtypes=("float64",),
        helpers=(_buffer,),
        outside=any_of(one_sequence, one_discount, finite_count),
    ),
    Adapter(
        "tianshou.algorithm.algorithm_base.episode_mc_return_to_go",
        "discounted_return",
        _to_go,
        note=f"{_DOUBLE}; it documents one whole episode, so it is asked for no flags and no bootstrap",
        dtypes=("float64",),
        outside=any_of(one_sequence, one_discount),
    ),
)
