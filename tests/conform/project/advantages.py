"""A project's own advantage estimation, as anyone might have it."""

import numpy as np


def my_gae(rewards, values, gamma, lam, terminated, truncated, next_values):
    carry = ~(terminated | truncated)
    gammas = np.broadcast_to(gamma, rewards.shape).astype(rewards.dtype)
    advantages = np.zeros_like(rewards)
    later = np.zeros_like(rewards[..., 0])
    for t in reversed(range(rewards.shape[-1])):
        after = np.where(terminated[..., t], 0, next_values[..., t])
        delta = rewards[..., t] + gammas[..., t] * after - values[..., t]
        later = delta + gammas[..., t] * lam * carry[..., t] * later
        advantages[..., t] = later
    return advantages.astype(rewards.dtype)
