"""What the trainer knows of an environment.

N copies run side by side, on one device, in one dtype. ``terminated`` (the
task ended, there is no successor) and ``truncated`` (it was cut off, the
successor still has a value) are kept apart from the first line to the loss;
a step that is both is terminated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class DiscreteActions:
    """Actions 0 … count−1, given as int64 [N]."""

    count: int


@dataclass(frozen=True)
class BoxActions:
    """Real vectors [N, size] between ``low`` and ``high``, one bound per component; may be infinite."""

    size: int
    low: tuple[float, ...]
    high: tuple[float, ...]


Actions = DiscreteActions | BoxActions


@dataclass(frozen=True)
class Transition:
    """One step of all N copies, on the environment's device.

    Attributes:
        observation: [N, observation_size], what the policy sees next; where
            an episode ended, the first observation of the new one.
        reward: [N], R_{t+1}, in the environment's dtype.
        terminated: [N] bool, the step reached a terminal state.
        truncated: [N] bool, the step was the last that time allowed.
        successor: [N, observation_size], the true next observation, before
            any reset; where neither flag is set it equals ``observation``.
    """

    observation: Tensor
    reward: Tensor
    terminated: Tensor
    truncated: Tensor
    successor: Tensor


class VectorEnv(Protocol):
    """N copies of an environment that begin anew by themselves.

    Tensors handed out are never written to again: the trainer may keep them.

    Attributes:
        solved_at: mean return of evaluation episodes that counts as solved,
            or ``None`` where no such number is agreed on.
    """

    name: str
    num_envs: int
    observation_size: int
    action: Actions
    device: torch.device
    dtype: torch.dtype
    solved_at: float | None

    @property
    def generator(self) -> torch.Generator | None:
        """Where all chance comes from, on the device; ``None`` where something else makes the steps."""
        ...

    def reset(self) -> Tensor:
        """Begin all episodes anew; the first observations [N, observation_size]."""
        ...

    def step(self, action: Tensor) -> Transition:
        """Take one action in every copy, without waiting for the device."""
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """Everything that the future depends on, random numbers included."""
        ...

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on exactly where ``state_dict`` was called."""
        ...
