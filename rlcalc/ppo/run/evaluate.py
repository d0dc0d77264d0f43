"""How good a policy is: the mean return of whole episodes, each from its own start.

The policy takes its likeliest action. Every copy counts its first episode
only, so that short ones are not counted more often than long ones.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rlcalc.ppo.envs.base import VectorEnv
from rlcalc.ppo.run.capture import Graph

LONGEST = 10_000  # steps after which an episode that does not end is taken as it is
LOOK_EVERY = 32  # steps between two looks at whether all have ended: each waits for the device

Act = Callable[[Tensor], Tensor]


class Episodes:
    """One episode in every copy of an environment, as often as asked.

    Args:
        act: observations [N, O] -> actions.
        env: its copies are reset.
        graph: the second evaluation and later ones replay the steps, recorded
            with it; ``act`` must then read the same parameters in the same place.
    """

    def __init__(self, act: Act, env: VectorEnv, graph: Graph | None = None) -> None:
        self._act, self._env, self._graph = act, env, graph
        self._observation = torch.zeros(
            env.num_envs, env.observation_size, dtype=env.dtype, device=env.device
        )
        self._alive = torch.ones(env.num_envs, dtype=env.dtype, device=env.device)
        self._total = torch.zeros_like(self._alive)
        self._advance = self._steps
        self._runs = 0

    @torch.no_grad()
    def mean_return(self) -> float:
        """Reset every copy and play to the end."""
        if self._graph is not None and self._runs == 1:
            self._graph.record(self._steps)
            self._advance = self._graph.replay
        self._runs += 1
        self._observation.copy_(self._env.reset())
        self._alive.fill_(1.0)
        self._total.zero_()
        for _ in range(0, LONGEST, LOOK_EVERY):
            self._advance()
            if not self._alive.any():
                break
        return self._total.mean().item()

    def _steps(self) -> None:
        observation = self._observation
        for _ in range(LOOK_EVERY):
            found = self._env.step(self._act(observation))
            observation = found.observation
            self._total.addcmul_(self._alive, found.reward)
            self._alive.mul_(~(found.terminated | found.truncated))
        self._observation.copy_(observation)


class Evaluator:
    """Says whether a task is solved; the rule is the same wherever it is asked.

    Solved means a mean return of at least ``env.solved_at`` over the
    evaluation episodes, and once more over as many new ones: the best of many
    evaluations is luck as well as skill, the one after it is not.

    Args:
        act: observations [N, O] -> the actions of the policy, as it is when asked.
        env: evaluation copies, one per episode, with random numbers of their own.
        every: environment steps of training between two evaluations.
        graph: see `Episodes`.
    """

    def __init__(self, act: Act, env: VectorEnv, every: int, graph: Graph | None = None) -> None:
        self.env, self.every, self.next_at = env, every, every
        self.history: list[tuple[int, float]] = []
        self._episodes = Episodes(act, env, graph)

    def due(self, env_steps: int) -> bool:
        if env_steps < self.next_at:
            return False
        self.next_at = (env_steps // self.every + 1) * self.every
        return True

    def solved(self, env_steps: int) -> bool:
        """Evaluate, and again where it looks solved; the last mean is in ``history``."""
        goal = self.env.solved_at
        for _ in range(2):
            found = self._episodes.mean_return()
            self.history.append((env_steps, found))
            if goal is None or not found >= goal:  # which NaN is not either
                return False
        return True
