"""PPO losses as libraries write them: one number for a batch; right ones and wrong ones."""

from __future__ import annotations

import numpy as np


def _objective(ratio, adv, eps):
    return np.minimum(ratio * adv, np.clip(ratio, 1 - eps, 1 + eps) * adv)


def mean_loss(ratio, adv, eps):
    return -_objective(ratio, adv, eps).mean()


def sum_loss(ratio, adv, eps):
    return -_objective(ratio, adv, eps).sum()


def mean_objective(ratio, adv, eps):
    return _objective(ratio, adv, eps).mean()


def elementwise(ratio, adv, eps):
    return _objective(ratio, adv, eps)


def plain_float(ratio, adv, eps):
    return float(mean_loss(ratio, adv, eps))


def torch_loss(ratio, adv, eps):
    import torch

    return torch.max(-adv * ratio, -adv * torch.clamp(ratio, 1 - eps, 1 + eps)).mean()


def dual_clip_loss(ratio, adv, eps):
    plain = _objective(ratio, adv, eps)
    return -np.where(adv < 0, np.maximum(plain, 3 * adv), plain).mean()


def log_loss(new_log, old_log, adv, eps):
    """The signature of many a training script."""
    return mean_loss(np.exp(new_log - old_log), adv, eps)


def log_loss_of_ratio(ratio, adv, eps):
    """What the README says to write in front of it."""
    return log_loss(np.log(ratio), np.zeros_like(ratio), adv, eps)


def one_sample(ratio, adv, eps):
    """Takes numbers, never a batch."""
    return min(float(ratio * adv), float(max(1 - eps, min(ratio, 1 + eps)) * adv))


# wrong ones


def minimum_first(ratio, adv, eps):
    return -(np.minimum(ratio, np.clip(ratio, 1 - eps, 1 + eps)) * adv).mean()


def minimum_first_torch(ratio, adv, eps):
    import torch

    return -(torch.min(ratio, torch.clamp(ratio, 1 - eps, 1 + eps)) * adv).mean()


def minimum_first_sum(ratio, adv, eps):
    return -(np.minimum(ratio, np.clip(ratio, 1 - eps, 1 + eps)) * adv).sum()


def clip_forgotten_dual(ratio, adv, eps):
    plain = ratio * adv
    return -np.where(adv < 0, np.maximum(plain, 3 * adv), plain).mean()


def first_of_the_batch(ratio, adv, eps):
    """A number that is right for one sample, and for none of the others."""
    return _objective(ratio, adv, eps).ravel()[0]


def divided_by_one_less(ratio, adv, eps):
    """Right for one sample."""
    whole = _objective(ratio, adv, eps)
    return -whole.sum() / max(1, whole.size - 1)


def mean_over_the_last_axis(ratio, adv, eps):
    whole = _objective(ratio, adv, eps)
    return -(whole.mean(axis=-1) if whole.ndim else whole)


# the other formulas that libraries reduce


def mean_entropy(p):
    return np.where(p > 0, -p * np.log(np.where(p > 0, p, 1)), 0).sum(axis=-1).mean()


def entropy_loss(p):
    return -mean_entropy(p)


def sum_of_divergences(p, q):
    with np.errstate(divide="ignore"):
        logs = np.log(np.where(p > 0, p, 1)) - np.log(np.where(p > 0, q, 1))
    return np.where(p > 0, p * logs, 0).sum()
