"""Faulty functions whose bug had no name, or a wrong one, each a kind of its own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rlcalc.conform import conform
from rlcalc.conform.binding.bind import bind
from rlcalc.conform.diagnose import Match
from rlcalc.conform.faults import catalogue
from rlcalc.conform.naming.confirm import refuting
from rlcalc.conform.target.base import from_function
from rlcalc.conform.trial import Trial
from rlcalc.conform.vectors import golden_vectors
from rlcalc.specs import load_formula

from .as_it_stands import judging


def gae(reward, value, next_value, done, gamma: float, lmbda: float):
    """All entries are wrong, so that their number does not tell what next_value is."""
    out, later = np.zeros_like(reward), 0.0
    for t in reversed(range(len(reward))):
        error = value[t] - reward[t] - gamma * next_value[t] * (1 - done[t])
        later = out[t] = error + gamma * lmbda * (1 - done[t]) * later
    return out


def double_dqn_target(rewards, dones, next_q_online, next_q_target, gamma: float):
    """Flags are given where the vector has none."""
    best = next_q_online.argmax(axis=1)
    return rewards + gamma * dones * next_q_target[np.arange(len(best)), best]


def dqn_target(reward, done, next_q, gamma: float):
    """γ is rounded to float32 with the mask, and the answer is float64."""
    return reward + gamma * (1 - torch.as_tensor(done).float()) * next_q.mean(dim=1)


def clipped_value_loss(values, old_values, returns, clip: float = 0.2):
    """All that must be given has the formula's own name, and the option another one."""
    held = old_values + (values - old_values).clamp(-clip, clip)
    return 0.25 * torch.max((values - returns) ** 2, (held - returns) ** 2).mean()


def epsilon_greedy_probs(q_values, epsilon: float):
    """argmax is a convention, under which bugs are bugs all the same."""
    probs = np.full(len(q_values), epsilon / max(len(q_values) - 1, 1))
    probs[np.argmax(q_values)] = 1 - epsilon
    return probs


def lambda_returns(rewards, next_values, terminated, gamma: float, lam: float):
    """By its own names the formula has values of all states, or none, which hides what is wrong with them."""
    out, later = np.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        after = (1 - lam) * next_values[t] + lam * later
        later = out[t] = rewards[t] + gamma * (1 - terminated[t]) * after
    return out


def dpo_loss(chosen, rejected, ref_chosen, ref_rejected, beta: float):
    """Two bugs, each of which is computed as a whole."""
    margin = (chosen - ref_chosen) - (rejected - ref_rejected)
    return -beta * np.log(1 / (1 + np.exp(-margin))).mean()


def simpo_loss(chosen, rejected, chosen_lengths, rejected_lengths, beta: float, gamma: float):
    """A bug that was known of another loss of pairs."""
    margin = beta * chosen / chosen_lengths - rejected / rejected_lengths - gamma
    return np.logaddexp(0, -margin).mean()


def reward_model_loss(chosen_rewards, rejected_rewards):
    return np.logaddexp(0, rejected_rewards - chosen_rewards).sum()


def kl_divergence(probs, old_probs):
    """Not a number where a probability is 0, and wrong elsewhere."""
    return (old_probs * (np.log(probs) - np.log(old_probs))).sum(-1)


def value_loss(v, target):
    """Of which a root of a square is the size alone."""
    return (target - v).mean()


def group_advantages(rewards, group_size: int):
    groups = rewards.reshape(-1, group_size)
    spread = groups.std(axis=1, ddof=1, keepdims=True)
    return ((groups.mean(axis=1, keepdims=True) - groups) / (spread + 1e-6)).reshape(-1)


def group_advantages_by_id(rewards, group_ids):
    """Of one group alone, as the textbook has it, nothing is wrong; names of groups that are text give 0."""
    out = np.zeros(len(rewards))
    for group in np.unique(group_ids):
        own = group_ids == group
        out[own] = (rewards[own] - rewards.mean()) / (rewards[own].std(ddof=1) + 1e-6)
    return out


def policy_evaluation(P, R, policy, gamma: float):
    """The change is looked at with its sign, and so but once."""
    values = np.zeros(len(R))
    while True:
        change = 0.0
        for s in range(len(R)):
            old, values[s] = values[s], (policy[s] * (R[s] + gamma * P[s] @ values)).sum()
            change = max(change, 0 * (old - values[s]))
        if change < 1e-9:
            return values


CASES = [
    (gae, "gae", "sign-flipped", "[T, B]"),
    (double_dqn_target, "double_q_target", "flags-inverted", "[N]"),
    (dqn_target, "q_target", "mean-over-actions", "[N]"),
    (clipped_value_loss, "value_clip_loss", "half-twice", "[...]"),
    (lambda_returns, "lambda_return", "starts-from-zero", "[T, B]"),
    (dpo_loss, "dpo_loss", "beta-outside-the-sigmoid", "[...]"),
    (simpo_loss, "simpo_loss", "rejected-without-beta", "[...]"),
    (reward_model_loss, "reward_model_loss", "sum-for-mean", "[...]"),
    (kl_divergence, "kl", "weighted-by-q", "[...]"),
    (value_loss, "critic_loss", "square-missing", "[...]"),
    (group_advantages, "grpo_advantage", "sign-flipped", "[N]"),
    (group_advantages_by_id, "grpo_advantage", "mean-of-the-batch", "[N]"),
    (policy_evaluation, "policy_eval", "one-sweep-in-place", "P sat, R sa, policy by rows"),
    (epsilon_greedy_probs, "epsilon_greedy", "explores-the-others-only", "[]"),
]
test_the_bug_has_its_name = judging(CASES)


def retrace(rewards, q, next_v, dones, ratios, gamma: float, lam: float):
    """Weighs what follows by the ratio of its own step; on the vectors that is as if there were no ratios."""
    found, carried = np.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        error = rewards[t] + gamma * (1 - dones[t]) * next_v[t] - q[t]
        carried = error + gamma * (1 - dones[t]) * lam * np.minimum(ratios[t], 1) * carried * (t < len(q) - 1)
        found[t] = q[t] + carried
    return found


@pytest.mark.slow
def test_a_name_that_generated_cases_refute_does_not_stand() -> None:
    formula = load_formula("retrace")
    trial = Trial(bind(from_function(retrace), formula), golden_vectors("retrace"))
    for name, stands in (("ratios-ignored", False), ("ratio-of-own-step", True)):
        fault = next(f for f in catalogue("retrace").faults if f.name == name)
        assert (refuting(trial, formula, Match((fault,), (), (), 0), ()) is None) == stands


def grpo_advantages(rewards, group_size: int):
    """The other axis: of a single group nothing but nan comes out, as of many bugs at once."""
    groups = rewards.view(-1, group_size)
    return ((groups - groups.mean(dim=0)) / (groups.std(dim=0) + 1e-4)).view(-1)


@pytest.mark.slow
def test_two_bugs_are_not_known_by_nan_alone() -> None:
    report = conform(grpo_advantages, "grpo_advantage")
    assert report.verdict == "nonconforming"
    assert all(len(match.faults) == 1 for match in report.matches)


def whiten_or_refuse(values, mask):
    """Of two refusals each has vectors of its own, and none has a number."""
    count = mask.sum()
    if count < 2:
        raise ValueError("one token has no variance" if count else "no token")
    mean = (values * mask).sum() / count
    variance = (((values - mean) ** 2) * mask).sum() / (count - 1)
    return (values - mean) * torch.rsqrt(variance + 1e-8) * mask


@pytest.mark.slow
def test_two_refusals_are_two_bugs_under_what_else_is_declared() -> None:
    matches = conform(whiten_or_refuse, "masked_whiten").matches
    assert [match.name for match in matches] == [
        "one-token-refused + nothing-valid-refused (under eps-1e-8-inside-root)"
    ]
