"""Targets of transitions as engineers write them: read without an adapter, right and wrong ones."""

from __future__ import annotations

import numpy as np
import torch

from rlcalc.conform.conform_report import ConformReport

from .altered import altered
from .as_it_stands import judging


def dqn_target(rewards, next_q, dones, gamma: float):
    return rewards + gamma * next_q.max(axis=1) * (1 - dones)


def dqn_target_in_columns(reward, q_next, done, gamma: float = 0.99):
    best = torch.max(q_next, dim=1, keepdim=True)[0]
    return reward + gamma * best * (1 - done)


def dqn_target_without_flags(rewards, next_q, dones, gamma: float):
    return rewards + gamma * next_q.max(axis=1)


def dqn_target_of_the_batch(rewards, next_q, dones, gamma: float):
    return rewards + gamma * next_q.max() * (1 - dones)


def dqn_target_along_the_batch(rewards, next_q, dones, gamma: float):
    return rewards + gamma * (1 - dones) * next_q.max(0)[0]


def dqn_target_of_one_state(reward, next_q, done, gamma: float):
    return reward + gamma * (1 - done) * next_q.max(0)


def dqn_target_with_limits(rewards, next_q, terminated, truncated, gamma: float):
    return rewards + gamma * next_q.max(axis=1) * (1.0 - (terminated | truncated))


def q_learning(r: float, q_next, done: bool, gamma: float) -> float:
    return r if done else r + gamma * max(q_next)


def rainbow_q_target(rewards, next_q, not_done, gamma: float):
    return rewards + gamma**3 * not_done * next_q.max(axis=1)


def double_dqn_target(r, next_q_online, next_q_target, done, gamma: float):
    best = next_q_online.argmax(dim=1, keepdim=True)
    return r + gamma * (1 - done) * next_q_target.gather(1, best).squeeze(1)


def sarsa(r, q_next, next_action, done, gamma: float):
    return r + gamma * q_next[np.arange(len(r)), next_action] * (1 - done)


def expected_sarsa_epsilon(rewards, next_q, dones, gamma: float, epsilon: float):
    best = next_q == next_q.max(1, keepdims=True)
    probs = epsilon + (1 - epsilon) * best / best.sum(1, keepdims=True)
    return rewards + gamma * (1 - dones) * (probs * next_q).sum(1)


def td3_target(reward, target_q1, target_q2, not_done, discount: float):
    return reward + not_done * discount * torch.min(target_q1, target_q2)


def sac_target_outside(reward, next_q1, next_q2, next_log_pi, done, gamma: float, alpha: float):
    return reward + gamma * (1 - done) * torch.min(next_q1, next_q2) - alpha * next_log_pi


def discrete_sac_target(reward, next_q1, next_q2, next_probs, done, gamma: float, alpha: float):
    soft = torch.min(next_q1, next_q2) - alpha * torch.log(next_probs.clamp_min(1e-30))
    return reward + gamma * (1 - done) * (next_probs * soft).sum(-1)


def c51_floor_and_ceiling(next_dist, rewards, dones, gamma: float, support):
    step = (support[-1] - support[0]) / (len(support) - 1)
    moved = rewards[:, None] + gamma * (1 - dones[:, None]) * support
    place = (moved.clamp(support[0], support[-1]) - support[0]) / step
    lower, upper = place.floor().long(), place.ceil().long()
    found = torch.zeros_like(next_dist)
    found.scatter_add_(1, lower, next_dist * (upper - place))
    return found.scatter_add_(1, upper, next_dist * (place - lower))


double_dqn_by_one = altered(double_dqn_target, {"next_q_online.argmax": "next_q_target.argmax"})

CASES = [
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


def is_consistent(report: ConformReport) -> bool:
    wrong = "conforms-under-convention" if report.conventions else "nonconforming"
    return report.verdict in ("conforms", wrong)


test_it_is_read_and_judged_as_it_stands = judging(CASES, 4, is_consistent)
