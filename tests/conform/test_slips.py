"""Slips of one line that had no name, each beside the line as it should be."""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from rlcalc.conform import conform
from rlcalc.conform.binding.remarks import SIDE_BY_SIDE
from tests.sweep import sweep

from .altered import altered


def k3(logp, ref_logp):
    r = ref_logp - logp
    return np.exp(r) - 1 - r


def _clipped(values, old_values, returns, clip: float):
    held = old_values + (values - old_values).clamp(-clip, clip)
    return torch.max((values - returns) ** 2, (held - returns) ** 2)


def value_loss_without_the_mask(values, old_values, returns, mask, clip: float = 0.2):
    return 0.5 * _clipped(values, old_values, returns, clip).mean()


def value_loss_by_all(values, old_values, returns, mask, clip: float = 0.2):
    return 0.5 * (_clipped(values, old_values, returns, clip) * mask).mean()


def value_loss(values, old_values, returns, mask, clip: float = 0.2):
    return 0.5 * (_clipped(values, old_values, returns, clip) * mask).sum() / mask.sum()


def simpo_loss(chosen_logps, rejected_logps, chosen_len, rejected_len, beta: float, gamma: float):
    margin = chosen_logps / chosen_len - rejected_logps / rejected_len
    return -F.logsigmoid(beta * margin - gamma).mean()


def ucb_in_bits(q, counts, t, c: float):
    return q + c * np.sqrt(np.log2(t) / counts)


def ucb_swapped(q, counts, t, c: float):
    return q + c * np.sqrt(np.log(counts) / t)


def ucb(q, counts, t, c: float):
    return q + c * np.sqrt(np.log(t) / counts)


def sarsa_of_the_likeliest(rewards, next_q, policy, dones, gamma: float):
    return rewards + gamma * (1 - dones) * next_q[np.arange(len(rewards)), policy.argmax(1)]


def sarsa_expected(rewards, next_q, policy, dones, gamma: float):
    return rewards + gamma * (1 - dones) * (next_q * policy).sum(1)


def pass_at_k_less(n: int, c: int, k: int) -> float:
    return 1 - comb(n - c, k - 1) / comb(n, k - 1)


def pass_at_k_above(n: int, c: int, k: int) -> float:
    return 1 - comb(n - c, k - 1) / comb(n, k)


def pass_at_k_longer(n: int, c: int, k: int) -> float:
    return 1.0 if n - c < k else 1.0 - float(np.prod(1.0 - k / np.arange(n - c, n + 1)))


def pass_at_k_shorter(n: int, c: int, k: int) -> float:
    return 1.0 if n - c < k else 1.0 - float(np.prod(1.0 - k / np.arange(n - c + 1, n)))


def pass_at_k(n: int, c: int, k: int) -> float:
    return 1.0 if n - c < k else 1.0 - float(np.prod(1.0 - k / np.arange(n - c + 1, n + 1)))


def returns_from_one(rewards, gamma: float):
    out, later = np.zeros_like(rewards), 0.0
    for t in range(len(rewards) - 1, 0, -1):
        later = out[t] = rewards[t] + gamma * later
    return out


def gae_from_one(rewards, values, dones, last_value, gamma: float, lam: float):
    out, later, after = np.zeros_like(rewards), 0.0, last_value
    for t in range(len(rewards) - 1, 0, -1):
        error = rewards[t] + gamma * after * (1 - dones[t]) - values[t]
        later = out[t] = error + gamma * lam * (1 - dones[t]) * later
        after = values[t]
    return out


def lambda_from_one(rewards, values, last_value, gamma: float, lam: float):
    out, later, after = np.zeros_like(rewards), last_value, last_value
    for t in range(len(rewards) - 1, 0, -1):
        later = out[t] = rewards[t] + gamma * ((1 - lam) * after + lam * later)
        after = values[t]
    return out


def dpo_of_a_sigmoid(policy_chosen_logps, policy_rejected_logps, ref_chosen_logps, ref_rejected_logps):
    """In Torch the derivative is nan where the logarithm is infinite."""
    margin = (policy_chosen_logps - ref_chosen_logps) - (policy_rejected_logps - ref_rejected_logps)
    return -torch.log(torch.sigmoid(0.1 * margin)).mean()


def value_loss_held(values, old_values, returns):
    """The width stands in the body: the bug is known under it alone."""
    held = old_values + torch.clamp(values - old_values, -0.2, 0.2)
    return 0.5 * ((held - returns) ** 2).mean()


def token_rewards_with_the_score_everywhere(scores, logprobs, ref_logprobs, mask, kl_coef: float):
    return (scores[:, None] - kl_coef * (logprobs - ref_logprobs)) * mask


k3_without_its_last_term = altered(k3, {"- 1 - r": "- 1"})
simpo_loss_of_one_length = altered(
    simpo_loss, {"rejected_logps / rejected_len": "rejected_logps / chosen_len"}
)

FAULTY = [
    (k3_without_its_last_term, "kl_estimate", "log-ratio-forgotten"),
    (pass_at_k_less, "pass_at_k", "one-draw-short"),
    (ucb_in_bits, "ucb", "logarithm-to-the-base-2"),
    (ucb_swapped, "ucb", "counts-and-time-swapped"),
    (value_loss_without_the_mask, "value_clip_loss", "mask-ignored"),
    (value_loss_by_all, "value_clip_loss", "padding-in-the-denominator"),
    (simpo_loss_of_one_length, "simpo_loss", "lengths-of-the-chosen-for-both"),
    (sarsa_of_the_likeliest, "expected_sarsa_target", "likeliest-action-alone"),
    (pass_at_k_above, "pass_at_k", "one-draw-short-above"),
    (pass_at_k_longer, "pass_at_k", "product-with-one-factor-more"),
    (pass_at_k_shorter, "pass_at_k", "product-without-its-last-factor"),
    (returns_from_one, "discounted_return", "first-step-left-out"),
    (gae_from_one, "gae", "first-step-left-out"),
    (lambda_from_one, "lambda_return", "first-step-left-out"),
    (dpo_of_a_sigmoid, "dpo_loss", "logarithm-of-the-sigmoid"),
    (token_rewards_with_the_score_everywhere, "token_rewards", "score-on-every-token"),
    (value_loss_held, "value_clip_loss", "plain-square-left-out"),
]
RIGHT = [
    (pass_at_k, "pass_at_k"),
    (k3, "kl_estimate"),
    (ucb, "ucb"),
    (value_loss, "value_clip_loss"),
    (simpo_loss, "simpo_loss"),
    (sarsa_expected, "expected_sarsa_target"),
]


@pytest.mark.parametrize(("function", "formula", "bug"), sweep(FAULTY, 4))
def test_a_slip_of_one_line_has_its_name(function: Any, formula: str, bug: str) -> None:
    report = conform(function, formula)
    assert report.verdict == "nonconforming"
    assert [fault.name for match in report.matches[:1] for fault in match.faults] == [bug]


@pytest.mark.parametrize(("function", "formula"), sweep(RIGHT, 2))
def test_the_line_as_it_should_be_conforms(function: Any, formula: str) -> None:
    assert conform(function, formula).verdict.startswith("conforms")


@pytest.mark.parametrize("function", [dpo_of_a_sigmoid])
def test_what_overflows_alone_is_said_to_be_right_but_for_extremes(function: Any) -> None:
    notes = conform(function, "dpo_loss").notes
    assert any("right but for extremes" in note for note in notes)
    others = conform(simpo_loss_of_one_length, "simpo_loss").notes
    assert not any("right but for extremes" in note for note in others)


def gae_of_sums_in_time(rewards, values, dones, last_value, gamma: float, lam: float):
    after = np.concatenate([values[1:], np.array([last_value])])
    errors = rewards + gamma * after * (1 - dones) - values
    out = np.zeros_like(rewards)
    for t in range(len(rewards)):
        terms, decay = [], 1.0
        for k in range(t, len(rewards)):
            terms.append(decay * errors[k])
            decay = decay * gamma * lam * (1 - dones[k])
        out[t] = np.array(terms).sum(axis=0)
    return out


# right for one sequence; of several side by side it adds up all of them
gae_of_sums = altered(gae_of_sums_in_time, {"sum(axis=0)": "sum()"})


@pytest.mark.slow
def test_of_rollouts_side_by_side_it_is_said_that_they_are_mixed() -> None:
    report = conform(gae_of_sums, "gae")
    assert report.verdict == "conforms"
    assert "batches" in report.not_tested
    assert report.binding is not None
    assert SIDE_BY_SIDE in report.binding.notes
    assert conform(gae_of_sums, "gae", require=["batches"]).verdict == "nonconforming"
    whole = conform(gae_of_sums_in_time, "gae")
    assert whole.verdict == "conforms"
    assert "batches" not in whole.not_tested
