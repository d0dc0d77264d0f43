"""Functions of one step of a sequence, of actions named one by one, of lists in a module with Torch."""

from __future__ import annotations

import math

import pytest
import torch

from rlcalc.conform import conform

from .altered import altered
from .as_it_stands import judging

# what a module that imports Torch has besides
TENSOR = torch.Tensor


def n_step_return_at(rewards, values, t: int, n: int, gamma: float) -> float:
    last = min(t + n, len(rewards))
    total = sum(gamma ** (k - t) * rewards[k] for k in range(t, last))
    return total + gamma ** (last - t) * values[last]


def n_step_return_of_an_episode(rewards, values, t: int, n: int, gamma: float) -> float:
    total = sum(gamma**k * rewards[t + k] for k in range(min(n, len(rewards) - t)))
    return total + gamma**n * values[t + n] if t + n < len(rewards) else total


def discounted_return_from(rewards, gamma: float, t: int = 0) -> float:
    return sum(gamma ** (k - t) * rewards[k] for k in range(t, len(rewards)))


def discounted_return_from_late(rewards, gamma: float, t: int = 0) -> float:
    return sum(gamma**k * rewards[k] for k in range(t, len(rewards)))


def q_target_of_two_actions(reward: float, next_q, done: bool, gamma: float) -> float:
    if done:
        return reward
    return reward + gamma * max(next_q[0], next_q[1])


def q_targets_of_two_actions(rewards, next_q, dones, gamma: float) -> list[float]:
    found = []
    for r, q, d in zip(rewards, next_q, dones, strict=True):
        best = q[0] if q[0] > q[1] else q[1]
        found.append(r + gamma * best * (1 - d))
    return found


def _softmax(h) -> list[float]:
    weights = [math.exp(x - max(h)) for x in h]
    return [w / sum(weights) for w in weights]


def update_preferences(H, action: int, reward: float, baseline: float, alpha: float):
    pi = _softmax(H)
    H = list(H)
    for a in range(len(H)):
        H[a] += alpha * (reward - baseline) * ((a == action) - pi[a])
    return H


update_preferences_of_all = altered(
    update_preferences, {"((a == action) - pi[a])": "(1 - pi[a] if a == action else pi[a])"}
)
q_target_of_the_worse = altered(q_target_of_two_actions, {"max(next_q": "min(next_q"})
n_step_return_without_the_power = altered(n_step_return_of_an_episode, {"gamma**n": "gamma"})

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
    def gradient_bandit(H, action: int, reward: float, baseline: float, alpha: float):
        pi = _softmax(H)
        for a in range(len(H)):
            H[a] += alpha * (reward - baseline) * ((a == action) - pi[a])
        return H

    assert conform(gradient_bandit, "gradient_bandit").verdict == "changes-inputs"


@pytest.mark.slow
def test_of_t_steps_no_step_is_asked_about() -> None:
    def discounted_return(rewards, gamma: float, T: int):
        out, later = [0.0] * T, 0.0
        for k in range(T - 1, -1, -1):
            out[k] = later = rewards[k] + gamma * later
        return out

    report = conform(discounted_return, "discounted_return")
    assert report.verdict == "conforms"
    assert report.binding is not None
    assert report.binding.inputs["T"] == "length"
