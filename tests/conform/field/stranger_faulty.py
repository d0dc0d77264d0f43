"""Faulty functions of someone who did not know the table of names, see ``truth.toml``."""

import numpy as np
import torch

from tests.conform.altered import altered
from tests.conform.field import stranger_right


def gae_shift(rewards, values, dones, last_value, gamma=0.99, lam=0.95):
    adv = np.zeros_like(rewards)
    acc = 0
    for t in reversed(range(len(rewards))):
        nv = last_value if t == len(rewards) - 1 else values[t + 1]
        delta = rewards[t] + gamma * nv * (1 - dones[t]) - values[t]
        acc = delta + gamma * lam * acc
        adv[t] = acc
    return adv


def gae_lam_only(rewards, values, dones, next_value, gamma, lam):
    adv = torch.zeros_like(rewards)
    acc = 0
    for t in reversed(range(rewards.shape[0])):
        nv = next_value if t == rewards.shape[0] - 1 else values[t + 1]
        delta = rewards[t] + gamma * nv * (1 - dones[t]) - values[t]
        acc = delta + lam * (1 - dones[t]) * acc
        adv[t] = acc
    return adv, adv + values


def returns_wrong(rewards, gamma):
    out = []
    g = 0
    for i, r in enumerate(rewards):
        g = g + (gamma**i) * r
        out.append(g)
    return out


def clip_loss_signs(log_probs, old_log_probs, advantages, eps=0.2):
    ratio = torch.exp(old_log_probs - log_probs)
    return -torch.min(ratio * advantages, torch.clamp(ratio, 1 - eps, 1 + eps) * advantages).mean()


def no_min(logp, old_logp, adv, clip_eps=0.2):
    ratio = (logp - old_logp).exp().clamp(1 - clip_eps, 1 + clip_eps)
    return -(ratio * adv).mean()


def group_global(rewards, eps=1e-6):
    return (rewards - rewards.mean()) / (rewards.std() + eps)


def entropy_base2(probs):
    return -(probs * np.log2(probs + 1e-12)).sum(-1)


def kl_swapped(p, q):
    return (q * (np.log(q) - np.log(p))).sum(-1)


def value_loss_broadcast(values, returns):
    return ((values[:, None] - returns[None, :]) ** 2).mean()


nstep_no_discount = altered(stranger_right.nstep, {"disc * next_values[last]": "next_values[last]"})
