"""The two-action bandit of section 4.4, from its exact definition in ``rlcalc.mdp.builtin``."""

from __future__ import annotations

import torch
from torch import Tensor

from rlcalc.mdp.reading import read_mdp
from rlcalc.ppo.envs.base import Actions, Copies, DiscreteActions, TorchEnv, Transition


class Bandit(TorchEnv):
    """N bandits: every step pays what its action pays and ends the episode.

    Observations [N, 2] are one-hot over (s, end); the policy only ever sees s.
    """

    name = "bandit"

    def __init__(self, copies: Copies) -> None:
        super().__init__(copies)
        mdp = read_mdp("bandit")
        tables = mdp.arrays("torch", self.dtype, self.device)
        states = torch.eye(len(mdp.states), dtype=self.dtype, device=self.device)
        self.observation_size = len(mdp.states)
        self.action: Actions = DiscreteActions(len(mdp.actions))
        self.solved_at: float | None = float(max(mdp.r[0]))
        self._pays = tables.r[0]
        self._before, self._after = (state.expand(self.num_envs, -1) for state in states.unbind())

    def _state(self) -> dict[str, Tensor]:
        return {}  # a bandit remembers nothing

    def reset(self) -> Tensor:
        """The one state there is, [N, 2]."""
        return self._before.clone()

    def step(self, action: Tensor) -> Transition:
        """Pay for action [N] int64 in {0: L, 1: R}."""
        reward = self._pays.index_select(0, action)
        terminated = torch.ones_like(action, dtype=torch.bool)
        return Transition(
            self._before.clone(), reward, terminated, torch.zeros_like(terminated), self._after.clone()
        )
