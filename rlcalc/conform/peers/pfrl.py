"""pfrl: what PPO computes. It has no public function for it, so its own inner ones are called."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Any

from rlcalc._lazy import np, torch
from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import one_discount, one_sequence, one_value_per_state, positive_ratio

_INNER = "an inner function of PPO; the library has no public one"
_ESTIMATE = "pfrl.agents.ppo._add_advantage_and_value_target_to_episodes"


def _episodes(rewards, values, terminated, truncated, next_values):
    """Episodes as PPO keeps them: cut after a step that is done or reset."""
    episodes: Any = [[]]
    for at, reward in enumerate(rewards):
        step = {"reward": reward, "nonterminal": 0.0 if terminated[at] else 1.0}
        episodes[-1].append({**step, "v_pred": values[at], "next_v_pred": next_values[at]})
        if terminated[at] or truncated[at]:
            episodes.append([])
    return [episode for episode in episodes if episode]


@peer(_ESTIMATE, note=_INNER, helpers=(_episodes,), outside=[one_sequence, one_discount])
def gae(function, /, rewards, values, gamma, lam, terminated, truncated, next_values):
    episodes = _episodes(rewards, values, terminated, truncated, next_values)
    function(episodes, gamma, lam)
    steps = [step for episode in episodes for step in episode]
    names = {"advantages": "adv", "returns": "v_teacher"}
    return {name: np.array([step[key] for step in steps]) for name, key in names.items()}


@peer(
    _ESTIMATE,
    note=_INNER,
    helpers=(_episodes, gae),
    outside=[one_sequence, one_discount, one_value_per_state],
)
def lambda_return(function, /, rewards, values, gamma, lam, terminated, truncated, next_values, alpha=None):
    return gae(function, rewards, values, gamma, lam, terminated, truncated, next_values)["returns"]


@peer(
    "pfrl.agents.PPO._lossfun",
    backend="torch",
    convention="loss mean-over-batch",
    note=f"{_INNER}; its name says that it is a loss; the terms of value and entropy have weight 0",
    outside=positive_ratio,
)
def ppo_clip(function, /, ratio, adv, eps):
    from types import SimpleNamespace

    weights = {"clip_eps_vf": None, "value_func_coef": 0.0, "entropy_coef": 0.0}
    agent = SimpleNamespace(clip_eps=eps, **weights, value_loss_record=[], policy_loss_record=[])
    ratio, adv = torch.broadcast_tensors(ratio, adv)
    none = torch.zeros(ratio.numel(), dtype=ratio.dtype)
    logs = {"log_probs": ratio.log().reshape(-1), "log_probs_old": none}
    values = {"vs_pred": none, "vs_pred_old": none, "vs_teacher": none}
    return function(agent, entropy=none, advs=adv.reshape(-1), **logs, **values)
