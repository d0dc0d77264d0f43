"""An environment under watch, so that a rollout can be compared with what really happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from rlcalc.errors import InputError
from rlcalc.ppo.envs.base import Transition, VectorEnv

HINT = "Repair the environment; --no-checks trains on what it gives."


class WatchedEnv:
    """An environment that remembers what it gave and was given since the last look.

    Attributes:
        replayed: no step is taken in Python any more; the tensors of the
            rollout that was recorded hold each new one.
    """

    def __init__(self, env: VectorEnv) -> None:
        self._env = env
        self.first: Tensor | None = None
        self.given: list[Tensor] = []
        self.gave: list[Transition] = []
        self.replayed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)

    def reset(self) -> Tensor:
        self.first = self._env.reset()
        self._check("observation", self.first)
        return self.first

    def step(self, action: Tensor) -> Transition:
        found = self._env.step(action)
        self._check("reward", found.reward)
        for observation in (found.successor, found.observation):
            self._check("observation", observation)
        self.given.append(action)
        self.gave.append(found)
        return found

    def _check(self, what: str, found: Tensor) -> None:
        """Refuse NaN and infinities of an environment on the host, which is not our code.

        Raises:
            InputError: ``env_not_finite``.
        """
        if self._env.generator is None and not found.isfinite().all():
            wrong = found.flatten()[~found.flatten().isfinite()][0].item()
            raise InputError("env_not_finite", f"{self._env.name} gave the {what} {wrong}.", HINT)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        self._env.load_state_dict(state)
        self.first = None
        self.given, self.gave = [], []

    def forget(self) -> None:
        self.first = self.gave[-1].observation.clone()
        if not self.replayed:
            self.given, self.gave = [], []

    def stacked(self) -> dict[str, Tensor]:
        """What it gave: successor [T, N, O], the others [N, T]."""
        return {
            "successor": torch.stack([step.successor for step in self.gave]),
            "reward": torch.stack([step.reward for step in self.gave], -1),
            "terminated": torch.stack([step.terminated for step in self.gave], -1),
            "truncated": torch.stack([step.truncated for step in self.gave], -1),
        }
