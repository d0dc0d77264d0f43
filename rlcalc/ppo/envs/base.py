"""What the trainer knows of an environment.

N copies run side by side, on one device, in one dtype. ``terminated`` (the
task ended, there is no successor) and ``truncated`` (it was cut off, the
successor still has a value) are kept apart from the first line to the loss;
a step that is both is terminated.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from rlcalc.errors import InputError
from rlcalc.training.settings import check_integer
from rlcalc.training.state import restore


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
    """N copies of an environment whose episodes start again by themselves.

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
        """Start all episodes again; the first observations [N, observation_size]."""
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


def check_time_limit(value: Any) -> None:
    """A time limit counts steps: an integer from 1 that int32 can hold."""
    check_integer(value, "time_limit", "env_option_out_of_range", 1, 2**31 - 2)


@dataclass(frozen=True)
class Copies:
    """How many copies of an environment there are, with which luck, and of which tensors.

    Attributes:
        count: copies that run side by side, N.
        seed: of the environment's own random numbers; 0 ≤ seed < 2⁶³.
        device: where all tensors live.
        dtype: of observations and rewards, ``torch.float32`` or ``torch.float64``.

    Raises:
        InputError: ``env_count_out_of_range``, ``env_seed_out_of_range``, ``env_dtype_unsupported``.
    """

    count: int
    seed: int
    device: torch.device
    dtype: torch.dtype

    def __post_init__(self) -> None:
        check_integer(self.count, "num_envs", "env_count_out_of_range", 1, 1 << 24)
        check_integer(self.seed, "seed", "env_seed_out_of_range", 0, 2**63 - 1)
        if self.dtype not in (torch.float32, torch.float64):
            raise InputError("env_dtype_unsupported", f"dtype must be float32 or float64, not {self.dtype}.")


class TorchEnv(ABC):
    """What the environments written in Torch have in common.

    A subclass names the tensors that its future depends on in ``_state``; the
    generator is saved with them.
    """

    name: str

    def __init__(self, copies: Copies) -> None:
        self.num_envs, self.device, self.dtype = copies.count, copies.device, copies.dtype
        self.generator = torch.Generator(copies.device).manual_seed(copies.seed)

    @abstractmethod
    def _state(self) -> dict[str, Tensor]:
        """The private buffers themselves, not copies."""

    def _impossible(self, state: Mapping[str, Tensor]) -> str:
        """What no episode could have led to in a saved state, or ""."""
        del state
        return ""

    def state_dict(self) -> dict[str, Tensor]:
        """Copies of the private buffers, and the generator's state (uint8, on the CPU)."""
        saved = {key: value.clone() for key, value in self._state().items()}
        return {**saved, "generator": self.generator.get_state()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on exactly where ``state_dict`` was called.

        Raises:
            DataError: ``env_state_foreign``, when it is not a state of this
                environment; nothing is changed then.
        """
        own: dict[str, Tensor | torch.Generator] = {**self._state(), "generator": self.generator}
        restore(own, state, f"{self.num_envs} copies of {self.name}", "env_state_foreign", self._impossible)
