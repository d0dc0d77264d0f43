"""The enumerable language task of section 5.4: an answer, token by token, with one reward at its end.

Words and rewards are those of the MDP ``tokens`` in ``rlcalc.mdp.builtin``.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from rlcalc.mdp.reading import read_mdp
from rlcalc.ppo.envs.base import Actions, Copies, DiscreteActions, TorchEnv, Transition


class Tokens(TorchEnv):
    """N answers of L words out of V; the answer ends with its last word.

    Observations [N, 1 + L·V] hold the whole text so far: 1 for the prompt,
    then per position a one-hot word, all zeros where nothing is written yet.
    """

    name = "tokens"

    def __init__(self, copies: Copies) -> None:
        super().__init__(copies)
        mdp = read_mdp("tokens")
        length = mdp.longest()
        assert length is not None
        self.words = mdp.actions
        self.observation_size = 1 + length * len(self.words)
        self.action: Actions = DiscreteActions(len(self.words))
        self.solved_at: float | None = float(max(max(row) for row in mdp.r))
        # the reward of the last word does not depend on the words before it
        self._pays = mdp.arrays("torch", self.dtype, self.device).r[mdp.successors(0, 0)[0]]
        self._slots = torch.eye(self.observation_size, dtype=self.dtype, device=self.device)
        self._prompt = self._slots[0].expand(self.num_envs, -1)
        self._length = length
        self._text = self._prompt.clone()
        self._written = torch.zeros(self.num_envs, dtype=torch.int64, device=self.device)

    def _state(self) -> dict[str, Tensor]:
        return {"text": self._text, "written": self._written}

    def _impossible(self, state: Mapping[str, Tensor]) -> str:
        text, written = state["text"], state["written"]
        right = (written >= 0) & (written < self._length) & (text.sum(1) == 1 + written)
        return "" if right.all() and ((text == 0) | (text == 1)).all() else "an answer has words too many"

    def reset(self) -> Tensor:
        """Start all answers again; the prompts [N, 1 + L·V]."""
        self._text.copy_(self._prompt)
        self._written.zero_()
        return self._prompt.clone()

    def step(self, action: Tensor) -> Transition:
        """Append the word of index action [N] int64."""
        slot = 1 + self._written * len(self.words) + action
        successor = self._text + self._slots.index_select(0, slot)
        self._written.add_(1)
        terminated = self._written == self._length
        reward = self._pays.index_select(0, action) * terminated
        observation = torch.where(terminated.unsqueeze(1), self._prompt, successor)
        self._text.copy_(observation)
        self._written.masked_fill_(terminated, 0)
        return Transition(observation, reward, terminated, torch.zeros_like(terminated), successor)
