"""Functions of one step of a sequence, of actions named one by one, of lists in a module with Torch."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from rlcalc.conform.runner import run
from rlcalc.conform.target.base import from_function

from .as_it_stands import judging

# what a module that imports Torch has besides
TENSOR = torch.Tensor


def n_step_return_at(rewards: Any, values: Any, t: int, n: int, gamma: float) -> float:
    last = min(t + n, len(rewards))
    total = sum(gamma ** (k - t) * rewards[k] for k in range(t, last))
    return total + gamma ** (last - t) * values[last]  # type: ignore[no-any-return]


def n_step_return_of_an_episode(rewards: Any, values: Any, t: int, n: int, gamma: float) -> float:
    total = sum(gamma**k * rewards[t + k] for k in range(min(n, len(rewards) - t)))
    return total + gamma**n * values[t + n] if t + n < len(rewards) else total  # type: ignore[no-any-return]


def n_step_return_without_the_power(rewards: Any, values: Any, t: int, n: int, gamma: float) -> float:
    total = sum(gamma**k * rewards[t + k] for k in range(min(n, len(rewards) - t)))
    return total + gamma * values[t + n] if t + n < len(rewards) else total  # type: ignore[no-any-return]


def discounted_return_from(rewards: Any, gamma: float, t: int = 0) -> float:
    return sum(gamma ** (k - t) * rewards[k] for k in range(t, len(rewards)))


def discounted_return_from_late(rewards: Any, gamma: float, t: int = 0) -> float:
    return sum(gamma**k * rewards[k] for k in range(t, len(rewards)))


def q_target_of_two_actions(reward: float, next_q: Any, done: bool, gamma: float) -> float:
    if done:
        return reward
    return reward + gamma * max(next_q[0], next_q[1])  # type: ignore[no-any-return]


def q_target_of_the_worse(reward: float, next_q: Any, done: bool, gamma: float) -> float:
    if done:
        return reward
    return reward + gamma * min(next_q[0], next_q[1])  # type: ignore[no-any-return]


def q_targets_of_two_actions(rewards: Any, next_q: Any, dones: Any, gamma: float) -> list[float]:
    found = []
    for r, q, d in zip(rewards, next_q, dones, strict=True):
        best = q[0] if q[0] > q[1] else q[1]
        found.append(r + gamma * best * (1 - d))
    return found


def _softmax(h: Any) -> list[float]:
    weights = [math.exp(x - max(h)) for x in h]
    return [w / sum(weights) for w in weights]


def update_preferences(H: Any, action: int, reward: float, baseline: float, alpha: float) -> Any:
    pi = _softmax(H)
    H = list(H)
    for a in range(len(H)):
        H[a] += alpha * (reward - baseline) * ((a == action) - pi[a])
    return H


def update_preferences_of_all(H: Any, action: int, reward: float, baseline: float, alpha: float) -> Any:
    pi = _softmax(H)
    H = list(H)
    for a in range(len(H)):
        H[a] += alpha * (reward - baseline) * (1 - pi[a] if a == action else pi[a])
    return H


CASES = [
    (n_step_return_at, "n_step_return", "conforms", "[T, B]"),
    (n_step_return_without_the_power, "n_step_return", "gamma-not-to-the-n", "[T, B]"),
    (n_step_return_of_an_episode, "n_step_return", "no-bootstrap", "[T, B]"),
    (discounted_return_from, "discounted_return", "conforms", "[T, B]"),
    (discounted_return_from_late, "discounted_return", "discounted-from-the-start", "[T, B]"),
    (q_target_of_two_actions, "q_target", "conforms", "[]"),
    (q_target_of_the_worse, "q_target", "smallest-action", "[]"),
    (q_targets_of_two_actions, "q_target", "conforms", "[N]"),
    (update_preferences, "gradient_bandit", "conforms", "[]"),
    (update_preferences_of_all, "gradient_bandit", "others-raised", "[]"),
]

test_it_is_asked_for_what_it_is_of = judging(CASES, 2)


def test_a_list_that_is_written_over_is_changed() -> None:
    def gradient_bandit(H: Any, action: int, reward: float, baseline: float, alpha: float) -> Any:
        pi = _softmax(H)
        for a in range(len(H)):
            H[a] += alpha * (reward - baseline) * ((a == action) - pi[a])
        return H

    assert run(from_function(gradient_bandit), "gradient_bandit").verdict == "changes-inputs"


@pytest.mark.slow
def test_of_t_steps_no_step_is_asked_about() -> None:
    def discounted_return(rewards: Any, gamma: float, T: int) -> Any:
        out, later = [0.0] * T, 0.0
        for k in range(T - 1, -1, -1):
            out[k] = later = rewards[k] + gamma * later
        return out

    report = run(from_function(discounted_return), "discounted_return")
    assert report.verdict == "conforms"
    assert report.binding is not None
    assert report.binding.inputs["T"] == "length"
