"""Targets of transitions as engineers write them: read without an adapter, right and wrong ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from tests.sweep import sweep

from .as_it_stands import judged


def dqn_target(rewards: Any, next_q: Any, dones: Any, gamma: float) -> Any:
    return rewards + gamma * next_q.max(axis=1) * (1 - dones)


def dqn_target_in_columns(reward: Any, q_next: Any, done: Any, gamma: float = 0.99) -> Any:
    best = torch.max(q_next, dim=1, keepdim=True)[0]
    return reward + gamma * best * (1 - done)


def dqn_target_without_flags(rewards: Any, next_q: Any, dones: Any, gamma: float) -> Any:
    return rewards + gamma * next_q.max(axis=1)


def dqn_target_of_the_batch(rewards: Any, next_q: Any, dones: Any, gamma: float) -> Any:
    return rewards + gamma * next_q.max() * (1 - dones)


def dqn_target_along_the_batch(rewards: Any, next_q: Any, dones: Any, gamma: float) -> Any:
    return rewards + gamma * (1 - dones) * next_q.max(0)[0]


def dqn_target_of_one_state(reward: Any, next_q: Any, done: Any, gamma: float) -> Any:
    return reward + gamma * (1 - done) * next_q.max(0)


def dqn_target_with_limits(rewards: Any, next_q: Any, terminated: Any, truncated: Any, gamma: float) -> Any:
    return rewards + gamma * next_q.max(axis=1) * (1.0 - (terminated | truncated))


def q_learning(r: float, q_next: Any, done: bool, gamma: float) -> float:
    return r if done else r + gamma * max(q_next)


def rainbow_q_target(rewards: Any, next_q: Any, not_done: Any, gamma: float) -> Any:
    return rewards + gamma**3 * not_done * next_q.max(axis=1)


def double_dqn_target(r: Any, next_q_online: Any, next_q_target: Any, done: Any, gamma: float) -> Any:
    best = next_q_online.argmax(dim=1, keepdim=True)
    return r + gamma * (1 - done) * next_q_target.gather(1, best).squeeze(1)


def double_dqn_by_one(r: Any, next_q_online: Any, next_q_target: Any, done: Any, gamma: float) -> Any:
    best = next_q_target.argmax(dim=1, keepdim=True)
    return r + gamma * (1 - done) * next_q_target.gather(1, best).squeeze(1)


def sarsa(r: Any, q_next: Any, next_action: Any, done: Any, gamma: float) -> Any:
    return r + gamma * q_next[np.arange(len(r)), next_action] * (1 - done)


def expected_sarsa_epsilon(rewards: Any, next_q: Any, dones: Any, gamma: float, epsilon: float) -> Any:
    best = next_q == next_q.max(1, keepdims=True)
    probs = epsilon + (1 - epsilon) * best / best.sum(1, keepdims=True)
    return rewards + gamma * (1 - dones) * (probs * next_q).sum(1)


def td3_target(reward: Any, target_q1: Any, target_q2: Any, not_done: Any, discount: float) -> Any:
    return reward + not_done * discount * torch.min(target_q1, target_q2)


def sac_target_outside(
    reward: Any, next_q1: Any, next_q2: Any, next_log_pi: Any, done: Any, gamma: float, alpha: float
) -> Any:
    return reward + gamma * (1 - done) * torch.min(next_q1, next_q2) - alpha * next_log_pi


def discrete_sac_target(
    reward: Any, next_q1: Any, next_q2: Any, next_probs: Any, done: Any, gamma: float, alpha: float
) -> Any:
    soft = torch.min(next_q1, next_q2) - alpha * torch.log(next_probs.clamp_min(1e-30))
    return reward + gamma * (1 - done) * (next_probs * soft).sum(-1)


def c51_floor_and_ceiling(next_dist: Any, rewards: Any, dones: Any, gamma: float, support: Any) -> Any:
    step = (support[-1] - support[0]) / (len(support) - 1)
    moved = rewards[:, None] + gamma * (1 - dones[:, None]) * support
    place = (moved.clamp(support[0], support[-1]) - support[0]) / step
    lower, upper = place.floor().long(), place.ceil().long()
    found = torch.zeros_like(next_dist)
    found.scatter_add_(1, lower, next_dist * (upper - place))
    return found.scatter_add_(1, upper, next_dist * (place - lower))


CASES: list[tuple[Callable[..., Any], str, str, str]] = [
    (dqn_target, "q_target", "conforms", "[N]"),
    (dqn_target_in_columns, "q_target", "conforms", "[N, 1]"),
    (dqn_target_without_flags, "q_target", "bootstrap-after-terminal", "[N]"),
    (dqn_target_of_the_batch, "q_target", "largest-of-the-batch", "[..., T]"),
    (dqn_target_along_the_batch, "q_target", "largest-along-the-batch", "[N]"),
    (dqn_target_of_one_state, "q_target", "conforms", "[]"),
    (dqn_target_with_limits, "q_target", "truncation-as-termination", "[N]"),
    (q_learning, "q_target", "conforms", "[]"),
    (rainbow_q_target, "q_target", "n-step=3", "[N]"),
    (double_dqn_target, "double_q_target", "conforms", "[N]"),
    (double_dqn_by_one, "double_q_target", "target-network-chooses", "[N]"),
    (sarsa, "sarsa_target", "conforms", "[N]"),
    (expected_sarsa_epsilon, "expected_sarsa_target", "epsilon-for-every-action", "[N]"),
    (td3_target, "sac_target", "td3", "[..., T]"),
    (sac_target_outside, "sac_target", "entropy-outside-the-discount", "[..., T]"),
    (discrete_sac_target, "sac_target", "conforms", "[..., T]"),
    (c51_floor_and_ceiling, "c51_projection", "mass-lost-on-atoms", "[N]"),
]


@pytest.mark.parametrize(
    ("function", "formula", "said", "layout"), sweep(CASES, 4, lambda case: case[0].__name__)
)
def test_it_is_read_and_judged_as_it_stands(
    function: Callable[..., Any], formula: str, said: str, layout: str
) -> None:
    report = judged(function, formula, said, layout)
    if said != "conforms":
        assert report.verdict == ("conforms-under-convention" if report.conventions else "nonconforming")
