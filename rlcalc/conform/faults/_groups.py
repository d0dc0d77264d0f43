"""What faults of advantages within groups of answers read."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np


def same_group(groups: Any) -> Any:
    """Which answers [..., N, N] belong to the same group."""
    return groups[..., :, None] == groups[..., None, :]


def sums(same: Any, values: Any) -> Any:
    """Sums over the answers that belong together, one for each answer."""
    return np.where(same, values[..., None, :], 0).sum(-1)
