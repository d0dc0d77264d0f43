"""Faults beside conventions: inside of them or around, two at once, and under constants that were found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rlcalc.conform import conform, diagnose, runner
from rlcalc.conform.runner import run
from rlcalc.conform.target.base import from_function

from .as_it_stands import bugs, matched

pytestmark = pytest.mark.slow  # each a whole run of conform

Function = Callable[..., Any]


def estimate(p, q, bound: float = np.inf):
    """The estimator k3 under p."""
    with np.errstate(all="ignore"):
        logs = np.where(p > 0, np.log(p / q), 0)
        each = np.clip(np.exp(-logs) - 1 + logs, -bound, bound)
        return np.where(p > 0, p * each, 0).sum(axis=-1)


def negative_k3(p, q):
    return -estimate(p, q)


def negative_k2(p, q):
    with np.errstate(all="ignore"):
        return -np.where(p > 0, p * np.log(p / q) ** 2 / 2, 0).sum(axis=-1)


def swapped_k3(p, q):
    return estimate(q, p)


def negative_clamped_k3(p, q):
    return -estimate(p, q, 3)


def mean_added_back(rewards):
    mean = rewards.mean(axis=-1, keepdims=True)
    return (rewards - mean) / (rewards.std(axis=-1, keepdims=True) + 1e-5) + mean


def by_the_variance(rewards):
    mean = rewards.mean(axis=-1, keepdims=True)
    return (rewards - mean) / (rewards.var(axis=-1, keepdims=True) + 1e-5)


def two_at_once(rewards, values, gamma, lam, dones):
    """Starts one step too early, and carries on across ends."""
    found, carried = np.zeros_like(rewards), np.zeros_like(rewards[..., 0])
    for t in reversed(range(rewards.shape[-1] - 1)):
        delta = rewards[..., t] + gamma * values[..., t + 1] * (1 - dones[..., t]) - values[..., t]
        found[..., t] = carried = delta + gamma * lam * carried
    return found


def two_with_one_flag(rewards, values, gamma, lam, terminated, truncated):
    return two_at_once(rewards, values, gamma, lam, terminated | truncated)


BOTH = {"last-advantage-zero", "recursion-crosses-ends"}


@pytest.mark.parametrize(
    ("function", "formula", "name"),
    [
        (negative_k3, "kl", "negative-divergence (under k3)"),
        (negative_k2, "kl", "negative-divergence (under k2)"),
        (swapped_k3, "kl", "arguments-swapped (under k3)"),
        (negative_clamped_k3, "kl", "negative-divergence (under k3-clamped=3)"),
        (mean_added_back, "grpo_advantage", "mean-added-back (under eps=1e-5)"),
        (by_the_variance, "grpo_advantage", "divided-by-the-variance (under eps=1e-5)"),
    ],
)
def test_a_fault_around_a_convention_is_matched(function: Function, formula: str, name: str) -> None:
    assert matched(conform(function, formula)) == [name]


@pytest.mark.parametrize(
    ("function", "under"), [(two_at_once, ""), (two_with_one_flag, "truncation-as-termination")]
)
def test_two_faults_are_named_once_also_under_a_convention(
    function: Function, under: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # whether they are named is asked, and not how soon on a busy machine
    monkeypatch.setattr(diagnose, "LONGEST", 60.0)
    monkeypatch.setattr(runner, "NAMING", 60.0)
    (name,) = matched(conform(function, "gae"))
    faults, _, way = name.partition(" (under ")
    assert set(faults.split(" + ")) == BOTH
    assert way == (f"{under})" if under else "")


def odd_far_from_the_end(rewards, values, gamma, lam, terminated, truncated):
    """One flag for both, and something that nobody has a name for."""
    over = terminated | truncated
    found, carried = np.zeros_like(rewards), np.zeros_like(rewards[..., 0])
    for t in reversed(range(rewards.shape[-1])):
        delta = rewards[..., t] + gamma * values[..., t + 1] * (1 - over[..., t]) - values[..., t]
        weight = 0.9 if t == 0 and rewards.shape[-1] > 3 else 1.0
        found[..., t] = carried = delta + gamma * lam * (1 - over[..., t]) * carried * weight
    return found


def test_without_a_name_the_case_shows_what_no_convention_explains() -> None:
    found = conform(odd_far_from_the_end, "gae")
    assert not found.passed
    assert matched(found) == []
    assert [c.name for c in found.tried_under] == ["truncation-as-termination"]
    # the truncated steps are out of the way: what is left fails where the sequence is long
    assert all(j.vector.arrays["rewards"].shape[-1] > 3 for j in found.failures)
    assert any("truncation-as-termination explains" in note for note in found.notes)
    assert found.conventions == ()


def doubles(rewards, values, gamma, terminated, truncated):
    """1.0 − flags is float64, whatever the rewards are."""
    live = 1.0 - (terminated | truncated)
    return rewards + gamma * values[..., 1:] * live - values[..., :-1]


def test_a_wrong_dtype_hides_no_convention() -> None:
    found = conform(doubles, "td_error")
    assert found.verdict == "conforms-under-convention"
    assert [c.name for c in found.conventions] == ["truncation-as-termination"]


def whitened_without_guard(crosses_ends: bool):
    def gae(rewards, values, gamma, lam, terminated):
        found, run = np.zeros(len(rewards)), 0.0
        for t in reversed(range(len(rewards))):
            live = 1.0 - terminated[t]
            delta = rewards[t] + gamma * values[t + 1] * live - values[t]
            found[t] = run = delta + gamma * lam * (1.0 if crosses_ends else live) * run
        with np.errstate(all="ignore"):
            return (found - found.mean()) / found.std()

    return gae


@pytest.mark.parametrize("crosses_ends", [False, True])
def test_advantages_that_are_equal_but_for_rounding_may_be_divided_by_0(crosses_ends: bool) -> None:
    found = run(from_function(whitened_without_guard(crosses_ends), dtypes=("float64",)), "gae")
    assert bugs(found) == ["recursion-crosses-ends"] * crosses_ends
    assert [way.name for way in found.tried_under] == ["whitened-advantages-ddof-0=0"]
