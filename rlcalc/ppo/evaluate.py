"""How good a policy is: the mean return of whole episodes, each from its own start.

The policy takes its likeliest action. Every copy counts its first episode
only, so that short ones are not counted more often than long ones.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rlcalc.ppo.envs.base import VectorEnv

LONGEST = 10_000  # steps after which an episode that does not end is taken as it is
LOOK_EVERY = 32  # steps between two looks at whether all have ended: each waits for the device


@torch.no_grad()
def mean_return(act: Callable[[Tensor], Tensor], env: VectorEnv) -> float:
    """Mean undiscounted return of one episode in every copy.

    Args:
        act: observations [N, O] -> actions.
        env: its copies are begun anew.
    """
    observation = env.reset()
    alive = torch.ones(env.num_envs, dtype=env.dtype, device=env.device)
    total = torch.zeros_like(alive)
    for step in range(LONGEST):
        found = env.step(act(observation))
        observation = found.observation
        total.addcmul_(alive, found.reward)
        alive.mul_(~(found.terminated | found.truncated))
        if step % LOOK_EVERY == LOOK_EVERY - 1 and not alive.any():
            break
    return total.mean().item()


class Judge:
    """Says whether a task is solved; the rule is the same wherever it is asked.

    Solved means a mean return of at least ``env.solved_at`` over the
    evaluation episodes, and once more over as many new ones: the best of many
    evaluations is luck as well as skill, the one after it is not.

    Args:
        env: evaluation copies, one per episode, with random numbers of their own.
        every: environment steps of training between two evaluations.
    """

    def __init__(self, env: VectorEnv, every: int) -> None:
        self.env, self.every, self.next_at = env, every, every
        self.history: list[tuple[int, float]] = []

    def due(self, env_steps: int) -> bool:
        if env_steps < self.next_at:
            return False
        self.next_at = (env_steps // self.every + 1) * self.every
        return True

    def solved(self, act: Callable[[Tensor], Tensor], env_steps: int) -> bool:
        """Evaluate, and again where it looks solved; the last mean is in ``history``."""
        goal = self.env.solved_at
        for _ in range(2):
            found = mean_return(act, self.env)
            self.history.append((env_steps, found))
            if goal is None or found < goal:
                return False
        return True
