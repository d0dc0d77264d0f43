"""pfrl: what PPO computes. It has no public function for it, so its own inner ones are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rlcalc.conform.peers import Adapter
from rlcalc.conform.peers.scope import (
    any_of,
    one_discount,
    one_sequence,
    one_value_per_state,
    positive_ratio,
)

DISTRIBUTION = "pfrl"
_INNER = "an inner function of PPO; the library has no public one"


def _episodes(rewards: Any, values: Any, terminated: Any, truncated: Any, next_values: Any) -> Any:
    """Episodes as PPO keeps them: cut after a step that is done or reset."""
    episodes: list[list[dict[str, Any]]] = [[]]
    for at, reward in enumerate(rewards):
        step = {"reward": reward, "nonterminal": 0.0 if terminated[at] else 1.0}
        episodes[-1].append({**step, "v_pred": values[at], "next_v_pred": next_values[at]})
        if terminated[at] or truncated[at]:
            episodes.append([])
    return [episode for episode in episodes if episode]


def _gae() -> Callable[..., Any]:
    import numpy as np
    from pfrl.agents.ppo import _add_advantage_and_value_target_to_episodes

    def call(
        rewards: Any, values: Any, gamma: Any, lam: Any, terminated: Any, truncated: Any, next_values: Any
    ) -> Any:
        episodes = _episodes(rewards, values, terminated, truncated, next_values)
        _add_advantage_and_value_target_to_episodes(episodes, gamma, lam)
        steps = [step for episode in episodes for step in episode]
        names = {"advantages": "adv", "returns": "v_teacher"}
        return {name: np.array([step[key] for step in steps]) for name, key in names.items()}

    return call


def _lambda_return() -> Callable[..., Any]:
    import numpy as np
    from pfrl.agents.ppo import _add_advantage_and_value_target_to_episodes

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
        episodes = _episodes(rewards, values, terminated, truncated, next_values)
        _add_advantage_and_value_target_to_episodes(episodes, gamma, lam)
        return np.array([step["v_teacher"] for episode in episodes for step in episode])

    return call


def _ppo_clip() -> Callable[..., Any]:
    from types import SimpleNamespace

    import torch
    from pfrl.agents import PPO

    def call(ratio: Any, adv: Any, eps: Any) -> Any:
        agent = SimpleNamespace(
            clip_eps=eps, clip_eps_vf=None, value_func_coef=0.0, entropy_coef=0.0,
            value_loss_record=[], policy_loss_record=[],
        )  # fmt: skip
        ratio, adv = torch.broadcast_tensors(ratio, adv)  # type: ignore[no-untyped-call]
        none = torch.zeros(ratio.numel(), dtype=ratio.dtype)
        return PPO._lossfun(
            agent,
            entropy=none,
            vs_pred=none,
            log_probs=ratio.log().reshape(-1),
            vs_pred_old=none,
            log_probs_old=none,
            advs=adv.reshape(-1),
            vs_teacher=none,
        )

    return call


ADAPTERS = (
    Adapter(
        "pfrl.agents.ppo._add_advantage_and_value_target_to_episodes",
        "gae",
        _gae,
        note=_INNER,
        helpers=(_episodes,),
        outside=any_of(one_sequence, one_discount),
    ),
    Adapter(
        "pfrl.agents.ppo._add_advantage_and_value_target_to_episodes",
        "lambda_return",
        _lambda_return,
        note=_INNER,
        helpers=(_episodes,),
        outside=any_of(one_sequence, one_discount, one_value_per_state),
    ),
    Adapter(
        "pfrl.agents.PPO._lossfun",
        "ppo_clip",
        _ppo_clip,
        backend="torch",
        conventions=("loss", "mean-over-batch"),
        note=f"{_INNER}; its name says that it is a loss; the terms of value and entropy have weight 0",
        outside=positive_ratio,
    ),
)
