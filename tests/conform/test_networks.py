"""Functions that ask a network for the values: observations are the values, and it gives them back."""

from __future__ import annotations

import numpy as np
import torch

from .altered import altered
from .as_it_stands import judging


def summed(errors, decays):
    out, total = torch.zeros_like(errors), 0.0
    for t in reversed(range(len(errors))):
        out[t] = total = errors[t] + decays[t] * total
    return out


def compute_gae(critic, states, next_states, rewards, dones, gamma: float = 0.99, lam: float = 0.95):
    """A network in the place of an argument, with a column for each state."""
    values, later = critic(states).squeeze(-1), critic(next_states).squeeze(-1)
    errors = rewards + gamma * later * (1 - dones) - values
    return summed(errors, gamma * lam * (1 - dones))


def gae_of_one_episode(critic, states, rewards, gamma: float, lam: float):
    """Nothing comes after the last step."""
    values = np.append(critic(states), 0.0)
    out, total = np.zeros(len(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        out[t] = total = rewards[t] + gamma * values[t + 1] - values[t] + gamma * lam * total
    return out


def td_target(target_critic, rewards, next_states, dones, gamma: float = 0.99):
    return rewards + gamma * target_critic(next_states).squeeze(-1) * (1 - dones)


# the value of the next state counts after the end of an episode as well
gae_past_the_end = altered(compute_gae, {"later * (1 - dones)": "later"})

CASES = [
    (compute_gae, "gae", "conforms", "[T, B]"),
    (gae_of_one_episode, "gae", "no-bootstrap", "[T]"),
    (gae_past_the_end, "gae", "bootstrap-after-terminal", "[T, B]"),
    (td_target, "n_step_return", "conforms", "[..., T]"),
]
test_observations_stand_for_their_values = judging(
    CASES, as_well=lambda report: "network" in report.binding.roles
)
