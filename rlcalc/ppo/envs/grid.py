"""The 2×2 grid of section 3.4, from its exact definition in ``rlcalc.mdp.builtin``."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from rlcalc.errors import InputError, shown
from rlcalc.mdp.reading import read_mdp
from rlcalc.ppo.envs.base import Actions, Copies, DiscreteActions, TorchEnv, Transition, check_time_limit


class Grid(TorchEnv):
    """N robots on the grid; +1 on entering the goal, where the episode is terminated.

    Observations [N, 4] are one-hot over the cells (0,0), (0,1), (1,0), (1,1);
    actions are U, D, L, R, and bumping stays.

    Args:
        slip: probability, as text or a number, that the action is replaced by
            one of all four, drawn uniformly.
        exploring_starts: begin in any cell but the goal, all equally likely,
            instead of in (0,0).
        time_limit: steps after which an episode is truncated; ``None`` for no limit.
    """

    name = "grid2x2"

    def __init__(
        self,
        copies: Copies,
        slip: Any = 0,
        exploring_starts: bool = False,
        time_limit: int | None = None,
    ) -> None:
        super().__init__(copies)
        count, device, dtype = copies.count, copies.device, copies.dtype
        if time_limit is not None:
            check_time_limit(time_limit)
        if not isinstance(exploring_starts, bool):
            raise InputError(
                "env_option_out_of_range",
                f"exploring_starts is true or false, not {shown(exploring_starts)}.",
            )
        self.mdp = mdp = read_mdp(f"grid2x2:slip={slip}")
        self.observation_size = len(mdp.states)
        self.action: Actions = DiscreteActions(len(mdp.actions))
        # every robot that gets there earns 1, from wherever it began
        self.solved_at: float | None = 1.0
        live = torch.tensor(mdp.non_terminal, device=device)
        first = torch.tensor([s for s, chance in enumerate(mdp.start) if chance], device=device)
        self._starts = live if exploring_starts else first
        self._goal = torch.tensor(mdp.terminal, device=device)
        self._cells = torch.eye(len(mdp.states), dtype=dtype, device=device)
        # Σ_{j<=s'} P(j|s,a) but the last, which is 1: the successor is how many of them a draw reaches;
        # summed exactly, or a cell of probability 0 could be reached by a rounding error
        cumulative = [[float(p) for p in accumulate(row)][:-1] for rows in mdp.p for row in rows]
        self._cumulative = torch.tensor(cumulative, dtype=dtype, device=device)
        self._draws = torch.empty(count, 2, dtype=dtype, device=device)
        self._chance, self._start = self._draws[:, :1], self._draws[:, 1]
        self._limit = 2**63 - 1 if time_limit is None else time_limit
        self._cell = torch.zeros(count, dtype=torch.int64, device=device)
        self._steps = torch.zeros(count, dtype=torch.int64, device=device)
        self.reset()

    def _state(self) -> dict[str, Tensor]:
        return {"cell": self._cell, "steps": self._steps}

    def _impossible(self, state: Mapping[str, Tensor]) -> str:
        inside = all(cell in self.mdp.non_terminal for cell in state["cell"].tolist())
        return "" if inside and (state["steps"] >= 0).all() else "a robot is not on the grid"

    def _first_cells(self) -> Tensor:
        """Where the next episodes begin, [N], from draws in [0, 1)."""
        return self._starts.index_select(0, (self._start * len(self._starts)).long())

    def reset(self) -> Tensor:
        """Start all episodes again; observations [N, 4]."""
        self._draws.uniform_(generator=self.generator)
        self._cell.copy_(self._first_cells())
        self._steps.zero_()
        return self._cells.index_select(0, self._cell)

    def step(self, action: Tensor) -> Transition:
        """Move by action [N] int64, an index into U, D, L, R."""
        self._draws.uniform_(generator=self.generator)
        cumulative = self._cumulative.index_select(0, self._cell * len(self.mdp.actions) + action)
        there = (self._chance >= cumulative).sum(1)
        terminated = self._goal.index_select(0, there)
        self._steps.add_(1)
        truncated = self._steps >= self._limit
        ended = terminated | truncated
        successor = self._cells.index_select(0, there)
        self._cell.copy_(torch.where(ended, self._first_cells(), there))
        self._steps.masked_fill_(ended, 0)
        observation = self._cells.index_select(0, self._cell)
        return Transition(observation, terminated.to(self.dtype), terminated, truncated, successor)
