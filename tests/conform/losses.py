"""PPO losses as libraries write them: one number for a batch; right ones and wrong ones."""

from __future__ import annotations

from typing import Any

import numpy as np


def _objective(ratio: Any, adv: Any, eps: Any) -> Any:
    return np.minimum(ratio * adv, np.clip(ratio, 1 - eps, 1 + eps) * adv)


def mean_loss(ratio, adv, eps):  # type: ignore[no-untyped-def]
    return -_objective(ratio, adv, eps).mean()


def sum_loss(ratio, adv, eps):  # type: ignore[no-untyped-def]
    return -_objective(ratio, adv, eps).sum()


def mean_objective(ratio, adv, eps):  # type: ignore[no-untyped-def]
    return _objective(ratio, adv, eps).mean()


def elementwise(ratio, adv, eps):  # type: ignore[no-untyped-def]
    return _objective(ratio, adv, eps)


def plain_float(ratio, adv, eps):  # type: ignore[no-untyped-def]
    return float(mean_loss(ratio, adv, eps))


def torch_loss(ratio, adv, eps):  # type: ignore[no-untyped-def]
    import torch

    return torch.max(-adv * ratio, -adv * torch.clamp(ratio, 1 - eps, 1 + eps)).mean()


def dual_clip_loss(ratio, adv, eps):  # type: ignore[no-untyped-def]
    plain = _objective(ratio, adv, eps)
    return -np.where(adv < 0, np.maximum(plain, 3 * adv), plain).mean()


def log_loss(new_log, old_log, adv, eps):  # type: ignore[no-untyped-def]
    """The signature of many a training script."""
    return mean_loss(np.exp(new_log - old_log), adv, eps)


def log_loss_of_ratio(ratio, adv, eps):  # type: ignore[no-untyped-def]
    """What the README says to write in front of it."""
    return log_loss(np.log(ratio), np.zeros_like(ratio), adv, eps)


def one_sample(ratio, adv, eps):  # type: ignore[no-untyped-def]
    """Takes numbers, never a batch."""
    return min(float(ratio * adv), float(max(1 - eps, min(ratio, 1 + eps)) * adv))


# wrong ones


def minimum_first(ratio, adv, eps):  # type: ignore[no-untyped-def]
    return -(np.minimum(ratio, np.clip(ratio, 1 - eps, 1 + eps)) * adv).mean()


def minimum_first_torch(ratio, adv, eps):  # type: ignore[no-untyped-def]
    import torch

    return -(torch.min(ratio, torch.clamp(ratio, 1 - eps, 1 + eps)) * adv).mean()


def minimum_first_sum(ratio, adv, eps):  # type: ignore[no-untyped-def]
    return -(np.minimum(ratio, np.clip(ratio, 1 - eps, 1 + eps)) * adv).sum()


def clip_forgotten_dual(ratio, adv, eps):  # type: ignore[no-untyped-def]
    plain = ratio * adv
    return -np.where(adv < 0, np.maximum(plain, 3 * adv), plain).mean()


def first_of_the_batch(ratio, adv, eps):  # type: ignore[no-untyped-def]
    """A number that is right for one sample, and for none of the others."""
    return _objective(ratio, adv, eps).ravel()[0]


def divided_by_one_less(ratio, adv, eps):  # type: ignore[no-untyped-def]
    """Right for one sample."""
    whole = _objective(ratio, adv, eps)
    return -whole.sum() / max(1, whole.size - 1)


def mean_over_the_last_axis(ratio, adv, eps):  # type: ignore[no-untyped-def]
    whole = _objective(ratio, adv, eps)
    return -(whole.mean(axis=-1) if whole.ndim else whole)


# the other formulas that libraries reduce


def mean_entropy(p):  # type: ignore[no-untyped-def]
    return np.where(p > 0, -p * np.log(np.where(p > 0, p, 1)), 0).sum(axis=-1).mean()


def entropy_loss(p):  # type: ignore[no-untyped-def]
    return -mean_entropy(p)


def sum_of_divergences(p, q):  # type: ignore[no-untyped-def]
    with np.errstate(divide="ignore"):
        logs = np.log(np.where(p > 0, p, 1)) - np.log(np.where(p > 0, q, 1))
    return np.where(p > 0, p * logs, 0).sum()
