"""Faults of the group-relative advantage."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form

Outputs = dict[str, Any]


def _pieces(rewards: Any, ddof: Any, eps: Any) -> tuple[Any, Any, int, Any]:
    """Mean and standard deviation as they come, with ddof and ε filled in."""
    import numpy as np

    taken = 0 if ddof is None else int(ddof)
    padding = rewards.dtype.type(0) if eps is None else eps
    std = np.std(rewards, axis=-1, ddof=taken, keepdims=True)
    return rewards.mean(axis=-1, keepdims=True), std, taken, padding


def leave_one_out_divided_by_zero(form: Form, rewards: Any, ddof: Any, eps: Any) -> Outputs:
    import numpy as np

    padding = _pieces(rewards, ddof, eps)[3]
    count = rewards.shape[-1]
    others = np.broadcast_to(rewards[..., None, :], (*rewards.shape, count))
    others = others[..., ~np.eye(count, dtype=bool)].reshape(*rewards.shape, count - 1)
    spread = np.std(others, axis=-1, ddof=1) if count > 2 else np.zeros_like(rewards)
    # others that are equal have a standard deviation of 0, whatever their mean was rounded to
    spread = np.where(others.max(axis=-1) == others.min(axis=-1), 0, spread)
    return {"advantages": (rewards - others.mean(axis=-1)) / (spread + padding)}


def one_pass_variance(form: Form, rewards: Any, ddof: Any, eps: Any) -> Outputs:
    import numpy as np

    mean, _, taken, padding = _pieces(rewards, ddof, eps)
    count = rewards.shape[-1]
    variance = (np.square(rewards).mean(axis=-1, keepdims=True) - np.square(mean)) * count / (count - taken)
    return {"advantages": (rewards - mean) / (np.sqrt(variance) + padding)}


def mean_not_subtracted(form: Form, rewards: Any, ddof: Any, eps: Any) -> Outputs:
    _, std, _, padding = _pieces(rewards, ddof, eps)
    return {"advantages": rewards / (std + padding)}


def nan_for_equal_rewards(form: Form, rewards: Any, ddof: Any, eps: Any) -> Outputs:
    """0/0, or ±1 where the mean of equal rewards was rounded."""
    mean, std, _, padding = _pieces(rewards, ddof, eps)
    return {"advantages": (rewards - mean) / (std + padding)}


def divided_by_the_variance(form: Form, rewards: Any, ddof: Any, eps: Any) -> Outputs:
    import numpy as np

    mean, std, _, padding = _pieces(rewards, ddof, eps)
    equal = rewards.max(axis=-1, keepdims=True) == rewards.min(axis=-1, keepdims=True)
    return {
        "advantages": np.where(equal, 0, rewards - mean) / np.where(equal, 1, np.square(std) + padding),
    }


def mean_added_back(form: Form, **arrays: Any) -> Outputs:
    found = form(**arrays)
    return {"advantages": found["advantages"] + arrays["rewards"].mean(axis=-1, keepdims=True)}
