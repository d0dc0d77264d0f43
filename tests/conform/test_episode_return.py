"""Functions that answer one number an episode: the return from its first step."""

from __future__ import annotations

import numpy as np

from .altered import altered
from .as_it_stands import judging


def discounted_return(rewards, gamma: float):
    """By the formula's own names."""
    return sum(gamma**k * reward for k, reward in enumerate(rewards))


def episode_return(rewards, gamma: float = 0.99):
    """Of a batch of episodes, time last."""
    return (rewards * gamma ** np.arange(rewards.shape[-1])).sum(-1)


def n_step_return(rewards, values, gamma: float, n: int):
    last = min(n, len(rewards))
    return sum(gamma**k * rewards[k] for k in range(last)) + gamma**last * values[last]


def lambda_return(rewards, values, gamma: float, lam: float):
    later = values[-1]
    for t in reversed(range(len(rewards))):
        later = rewards[t] + gamma * ((1 - lam) * values[t + 1] + lam * later)
    return later


def return_from_one(rewards, gamma: float):
    """Powers that begin with γ."""
    return sum(gamma ** (k + 1) * reward for k, reward in enumerate(rewards))


def n_step_of_a_window(rewards, gamma: float, n: int, bootstrap_value: float):
    """The one value is that of the state that n rewards lead to."""
    later = bootstrap_value
    for reward in reversed(rewards[:n]):
        later = reward + gamma * later
    return later


def n_step_by_powers(rewards, gamma: float, n: int, bootstrap_value: float):
    """Raises for fewer rewards than n, which is nothing that it has."""
    return sum(gamma**k * rewards[k] for k in range(n)) + gamma**n * bootstrap_value


def n_step_discounted_once(rewards, gamma: float, n: int, bootstrap_value: float):
    return sum(gamma**k * rewards[k] for k in range(n)) + gamma * bootstrap_value


def n_step_one_power_short(rewards, gamma: float, n: int, bootstrap_value: float):
    return sum(gamma**k * rewards[k] for k in range(n)) + gamma ** (n - 1) * bootstrap_value


lambda_return_of_the_rest = altered(
    lambda_return, {"(1 - lam) * values[t + 1] + lam * later": "lam * values[t + 1] + (1 - lam) * later"}
)

CASES = [
    (discounted_return, "discounted_return", "conforms", "[T, B]"),
    (episode_return, "discounted_return", "conforms", "[..., T]"),
    (n_step_return, "n_step_return", "conforms", "[T, B]"),
    (lambda_return, "lambda_return", "conforms", "[T, B]"),
    (lambda_return_of_the_rest, "lambda_return", "lam-and-rest-swapped", "[T, B]"),
    (return_from_one, "discounted_return", "first-reward-discounted", "[T, B]"),
    (n_step_of_a_window, "n_step_return", "conforms", "[T, B]"),
    (n_step_by_powers, "n_step_return", "conforms", "[T, B]"),
    (n_step_discounted_once, "n_step_return", "gamma-not-to-the-n", "[T, B]"),
    (n_step_one_power_short, "n_step_return", "value-power-one-short", "[T, B]"),
]
test_one_number_an_episode_is_its_return = judging(
    CASES, as_well=lambda report: report.binding.outputs == {"return": ""}
)
