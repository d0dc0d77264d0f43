"""Conventions with constants: found from the answers, said with their value, and nothing faulty swallowed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rlcalc.conform import conform
from rlcalc.conform.conform_report import ConformReport
from rlcalc.conform.faults import catalogue
from rlcalc.conform.report.data import report_json
from rlcalc.errors import InputError, UnknownName
from tests.refused import refused

from .altered import altered
from .as_it_stands import bugs, matched

pytestmark = pytest.mark.slow  # each a whole run of conform

Formula = Callable[..., Any]


def report(function: Formula, formula: str, *declared: str, random: int = 20) -> ConformReport:
    return conform(function, formula, conventions=declared, random=random)


def names(found: ConformReport) -> list[str]:
    return [convention.name for convention in found.conventions]


def group(eps: float, ddof: float = 0, inside: bool = False) -> Formula:
    def advantages(rewards):
        away = rewards - rewards.mean(axis=-1, keepdims=True)
        spread = rewards.std(axis=-1, keepdims=True, ddof=ddof)
        return away / (np.sqrt(spread**2 + eps) if inside else spread + eps)

    return advantages


def floored(rewards):
    away = rewards - rewards.mean(axis=-1, keepdims=True)
    return away / np.maximum(rewards.std(axis=-1, keepdims=True), 1e-8)


def clipped(ratio, adv, low: float, high: float):
    return np.minimum(ratio * adv, np.clip(ratio, low, high) * adv)


def dual(c: float) -> Formula:
    def objective(ratio, adv, eps: float = 0.2):
        plain = clipped(ratio, adv, 1 - eps, 1 + eps)
        return np.where(adv < 0, np.maximum(plain, c * adv), plain)

    return objective


def dual_loss(ratio, adv, eps: float = 0.2):
    return -dual(1.5)(ratio, adv, eps).mean()


def higher(ratio, adv, eps: float = 0.2):
    return clipped(ratio, adv, 1 - eps, 1.28)


def bounds(ratio, adv):
    return -clipped(ratio, adv, 0.7, 1.4).mean()


def reciprocal(ratio, adv, eps: float = 0.2):
    return clipped(ratio, adv, 1 / (1 + eps), 1 + eps)


def over_a_mask(ratio, adv, eps: float = 0.2):
    losses = -clipped(ratio, adv, 1 - eps, 1 + eps)
    return losses.sum() / (np.ones_like(losses).sum() + 1e-8)


def huber(values, returns):
    size = np.abs(values - returns)
    return np.where(size <= 10, size**2 / 2, 10 * (size - 5)).mean(axis=-1)


def smooth(values, returns):
    size = np.abs(values - returns)
    return np.where(size < 0.3, size**2 / 0.6, size - 0.15).mean(axis=-1)


def guarded_entropy(p):
    return -(p * np.log(p + 1e-10)).sum(axis=-1)


def guarded_entropy_mean(p):
    return guarded_entropy(p).mean()


def entropy_above_0(p):
    p = np.clip(p, 1e-10, 1.0)
    return -np.sum(p * np.log(p), axis=-1)


def kl_above_0(p, q):
    """For one distribution, as it stands in textbooks."""
    p, q = np.clip(p, 1e-12, 1.0), np.clip(q, 1e-12, 1.0)
    return np.sum(p * np.log(p / q))


def kl_of_shifted(p, q):
    p, q = p + 1e-10, q + 1e-10
    return np.sum(p * np.log(p / q), axis=-1)


def guarded_kl(p, q):
    return (p * (np.log(p + 1e-10) - np.log(q + 1e-10))).sum(axis=-1)


def floored_kl(p, q):
    return (p * (np.log(np.maximum(p, 1e-20)) - np.log(np.maximum(q, 1e-20)))).sum(axis=-1)


def log_quotient(p, q):
    with np.errstate(all="ignore"):
        return np.where(p > 0, np.log(p / q), 0)


def absolute_k1(p, q):
    return np.where(p > 0, p * np.abs(log_quotient(p, q)), 0).sum(axis=-1)


def mean_of_guarded_logs(p):
    return -(p * np.log(p + 1e-10)).sum(axis=-1).mean()


def clamped_k1(p, q):
    return np.where(p > 0, p * np.clip(log_quotient(p, q), -20, 20), 0).sum(axis=-1)


def clamped_k3(p, q):
    logs = log_quotient(p, q)
    return np.where(p > 0, p * np.clip(np.exp(-logs) - 1 + logs, -3, 3), 0).sum(axis=-1)


def clamped_ratio(new_log, old_log):
    return np.exp(np.clip(new_log - old_log, -5, 5))


def advantages(rewards, values, gamma, lam, terminated):
    found, carried = np.zeros_like(rewards), np.zeros_like(rewards[..., 0])
    for t in reversed(range(rewards.shape[-1])):
        onward = 1 - terminated[..., t].astype(rewards.dtype)
        delta = rewards[..., t] + gamma * values[..., t + 1] * onward - values[..., t]
        found[..., t] = carried = delta + gamma * lam * onward * carried
    return found


def whitened(eps: float, ddof: int, inside: bool = False) -> Formula:
    def gae(rewards, values, gamma, lam, terminated):
        plain = advantages(rewards, values, gamma, lam, terminated)
        spread = plain.std(ddof=ddof)
        scaled = (plain - plain.mean()) / (np.sqrt(spread**2 + eps) if inside else spread + eps)
        return {"advantages": scaled, "returns": plain + values[..., :-1]}

    return gae


def gae_returns(rewards, values, next_values, gamma, lam, terminated):
    """A + V: right wherever next_values repeat values."""
    found, carried = np.zeros_like(rewards), np.zeros_like(rewards[..., 0])
    for t in reversed(range(rewards.shape[-1])):
        onward = 1 - terminated[..., t].astype(rewards.dtype)
        delta = rewards[..., t] + gamma * next_values[..., t] * onward - values[..., t]
        found[..., t] = carried = delta + gamma * lam * onward * carried
    return found + values[..., :-1]


def whitened_loss(log_probs, advantages):
    """As verl and trl whiten; a single step is left as it is."""
    if advantages.shape[-1] > 1:
        away = advantages - advantages.mean(axis=-1, keepdims=True)
        advantages = away / np.sqrt(advantages.var(axis=-1, keepdims=True, ddof=1) + 1e-8)
    return -(log_probs * advantages).sum(axis=-1)


def standardised(rewards, gamma):
    found, carried = np.zeros_like(rewards), np.zeros_like(rewards[..., 0])
    for t in reversed(range(rewards.shape[-1])):
        found[..., t] = carried = rewards[..., t] + gamma * carried
    return (found - found.mean()) / (found.std(ddof=1) + 1e-9)


FOUND: list[tuple[Formula, str, list[str]]] = [
    (group(1e-5), "grpo_advantage", ["eps=1e-5"]),
    (group(1e-8), "grpo_advantage", ["eps-1e-8"]),
    (group(1e-9, 1), "grpo_advantage", ["ddof-1", "eps=1e-9"]),
    (group(1e-12), "grpo_advantage", ["eps=1e-12"]),
    (group(1e-5, inside=True), "grpo_advantage", ["eps-inside-root=1e-5"]),
    (group(1e-6, 1.5), "grpo_advantage", ["eps-1e-6", "ddof=1.5"]),
    (floored, "grpo_advantage", ["std-floored"]),
    (dual(5), "ppo_clip", ["dual-clip=5"]),
    (dual(3), "ppo_clip", ["dual-clip-3"]),
    (dual_loss, "ppo_clip", ["loss", "mean-over-batch", "dual-clip=1.5"]),
    (higher, "ppo_clip", ["clip-higher=0.28"]),
    (bounds, "ppo_clip", ["loss", "mean-over-batch", "clip-bounds=0.3,0.4"]),
    (reciprocal, "ppo_clip", ["reciprocal-bounds"]),
    (over_a_mask, "ppo_clip", ["loss", "mean-plus-eps=1e-8"]),
    (huber, "critic_loss", ["huber-mean=10"]),
    (smooth, "critic_loss", ["smooth-l1-mean=0.3"]),
    (guarded_entropy, "entropy", ["log-eps=1e-10"]),
    (guarded_entropy_mean, "entropy", ["mean-over-batch", "log-eps=1e-10"]),
    (guarded_kl, "kl", ["log-eps=1e-10"]),
    (kl_of_shifted, "kl", ["probability-eps=1e-10"]),
    (entropy_above_0, "entropy", ["probability-floor=1e-10"]),
    (kl_above_0, "kl", ["sum-over-batch", "probability-floor=1e-12"]),
    (floored_kl, "kl", ["log-floor=1e-20"]),
    (absolute_k1, "kl", ["absolute-k1"]),
    (clamped_k3, "kl", ["k3-clamped=3"]),
    (clamped_k1, "kl", ["k1-clamped=20"]),
    # 9.5 digits are right without it
    (mean_of_guarded_logs, "entropy", ["mean-over-batch", "log-eps=1e-10"]),
    (clamped_ratio, "ratio", ["log-ratio-clamped=5"]),
    (whitened(1e-8, 1), "gae", ["whitened-advantages=1e-8"]),
    (whitened(1e-5, 0), "gae", ["whitened-advantages-ddof-0=1e-5"]),
    (whitened(1e-8, 1, inside=True), "gae", ["whitened-advantages-eps-inside-root=1e-8"]),
    (gae_returns, "lambda_return", ["advantage-plus-value"]),
    (whitened_loss, "actor_loss", ["loss", "whitened-advantages-eps-inside-root"]),
    (standardised, "discounted_return", ["standardised-returns=1e-9"]),
]


@pytest.mark.parametrize(("function", "formula", "expected"), FOUND)
def test_a_constant_is_found_and_passes_once_it_is_declared(
    function: Formula, formula: str, expected: list[str]
) -> None:
    found = report(function, formula)
    assert names(found) == expected
    # what was only found has to be declared first
    assert found.verdict == "conforms-under-convention"
    assert not found.passed
    assert report(function, formula, *expected).passed


def eps_by_size(rewards):
    """ε times the size of the group: another constant for every length."""
    return group(1e-3 * rewards.shape[-1])(rewards)


def eps_on_the_rewards(rewards):
    return group(0)(np.where(rewards > 0, rewards + 1e-3, rewards)) * (
        rewards.std(axis=-1, keepdims=True) > 0
    )


def dual_for_good_ones(ratio, adv, eps: float = 0.2):
    plain = clipped(ratio, adv, 1 - eps, 1 + eps)
    return np.where(adv > 0, np.minimum(plain, 0.9 * adv), plain)


def dual_below_one(ratio, adv, eps: float = 0.2):
    return dual(0.5)(ratio, adv, eps)


def wide_for_small_advantages(ratio, adv, eps: float = 0.2):
    return clipped(ratio, adv, 1 - eps, 1 + np.where(np.abs(adv) > 1, 0.28, 0.3))


def huber_of_the_sum(values, returns):
    size = np.abs((values - returns).sum(axis=-1))
    return np.where(size <= 10, size**2 / 2, 10 * (size - 5))


def eps_in_p_alone(p, q):
    return (p * (np.log(p + 1e-3) - np.log(q + 1e-4))).sum(axis=-1)


def eps_outside_the_log(p):
    return -(p * (np.log(np.where(p > 0, p, 1)) + 1e-5)).sum(axis=-1)


def k3_clamped_above_alone(p, q):
    logs = log_quotient(p, q)
    held = np.where(np.exp(-logs) - 1 + logs > 3, 2, np.exp(-logs) - 1 + logs)
    return np.where(p > 0, p * held, 0).sum(axis=-1)


def k1_clamped_above_alone(p, q):
    logs = log_quotient(p, q)
    return np.where(p > 0, p * np.where(logs > 5, 4, logs), 0).sum(axis=-1)


def clamped_upwards_alone(new_log, old_log):
    return np.exp(np.clip(new_log - old_log, -5, 6))


def whitened_without_the_mean(rewards, values, gamma, lam, terminated):
    plain = advantages(rewards, values, gamma, lam, terminated)
    return plain / (plain.std(ddof=1) + 1e-8)


def standardised_by_the_rewards(rewards, gamma):
    return standardised(rewards, gamma) * (1 + rewards.std())


huber_without_its_half = altered(huber, {"(size - 5)": "size"})
mask_of_one_row = altered(over_a_mask, {"np.ones_like(losses).sum()": "max(losses.size - 1, 1)"})


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.parametrize(
    ("function", "formula"),
    [
        (eps_by_size, "grpo_advantage"),
        (eps_on_the_rewards, "grpo_advantage"),
        (dual_for_good_ones, "ppo_clip"),
        (dual_below_one, "ppo_clip"),
        (wide_for_small_advantages, "ppo_clip"),
        (mask_of_one_row, "ppo_clip"),
        (huber_of_the_sum, "critic_loss"),
        (huber_without_its_half, "critic_loss"),
        (eps_in_p_alone, "kl"),
        (k3_clamped_above_alone, "kl"),
        (k1_clamped_above_alone, "kl"),
        (eps_outside_the_log, "entropy"),
        (clamped_upwards_alone, "ratio"),
        (whitened_without_the_mean, "gae"),
        (standardised_by_the_rewards, "discounted_return"),
    ],
)
def test_a_fault_beside_a_convention_is_not_swallowed(function: Formula, formula: str) -> None:
    found = report(function, formula)
    assert found.verdict == "nonconforming"
    assert not found.passed


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.parametrize(
    ("function", "formula", "expected"),
    [case for case in FOUND if "=" in case[2][-1] and case[2][-1] != "eps=1e-12"],
)
def test_another_value_than_the_declared_one_does_not_pass(
    function: Formula, formula: str, expected: list[str]
) -> None:
    name, _, value = expected[-1].partition("=")
    first, *others = value.split(",")
    # the smaller an ε, the less of it is left in the digits that are demanded
    factor = 1.25 if float(first) > 1e-6 else 3
    other = ",".join([str(float(first) * factor), *others])
    assert not report(function, formula, *expected[:-1], f"{name}={other}", random=0).passed


def test_json_says_name_and_value() -> None:
    found = report_json(report(bounds, "ppo_clip"))
    assert found["conventions"] == ["loss", "mean-over-batch", "clip-bounds=0.3,0.4"]
    assert found["constants"] == {"clip-bounds=0.3,0.4": {"eps_low": 0.3, "eps_high": 0.4}}
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("text", ["eps", "eps=", "eps=small", "eps=1,2", "eps=nan", "eps=2", "eps=-1"])
def test_a_constant_that_is_none_is_refused(text: str) -> None:
    with refused(InputError, "bad_constant"):
        catalogue("grpo_advantage").chosen([text])


def test_an_unknown_convention_with_a_value_is_refused() -> None:
    with refused(UnknownName, "unknown_convention"):
        catalogue("grpo_advantage").chosen(["esp=1e-5"])


def test_guarded_group_advantages_are_accused_of_nothing() -> None:
    """1e-8 makes −1.4e-9 of three equal rewards of 0.1, which is how far their mean is rounded."""
    found = report(group(1e-8), "grpo_advantage")
    assert found.diagnosis is None
    # a guard is what an answer of ±1 for equal rewards lacks
    unguarded = report(group(0), "grpo_advantage")
    assert matched(unguarded) == ["nan-for-equal-rewards"]


def returns_over_the_batch(rewards, dones, gamma: float):
    """As REINFORCE has it: steps first, one deviation for all of them."""
    found, total = np.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        total = rewards[t] + gamma * total * (1 - dones[t])
        found[t] = total
    return (found - found.mean()) / (found.std() + 1e-7)


def returns_across_ends(rewards, dones, gamma: float):
    return returns_over_the_batch(rewards, dones * 0, gamma)


def test_returns_are_standardised_over_a_batch() -> None:
    """The constant is too small for a reading to see, and is found afterwards; a bug keeps its name."""
    right = conform(returns_over_the_batch, "discounted_return", random=0)
    assert [way.name for way in right.conventions] == ["standardised-returns-ddof-0=1e-7"]
    assert right.binding is not None
    assert right.binding.layout == "[T, B]"
    wrong = conform(returns_across_ends, "discounted_return", random=0)
    assert wrong.verdict == "nonconforming"
    assert bugs(wrong) == ["flags-ignored"]
