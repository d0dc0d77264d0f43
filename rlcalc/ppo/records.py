"""What passes between the parts of the trainer."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Rollout:
    """What one iteration collected. Time comes last in what formulas take, first elsewhere.

    Attributes:
        observation: [T+1, N, O], the last one not yet acted on.
        head: [T, N, H], the actor's output that ``action`` was drawn from.
        action: [T, N] or [T, N, size].
        successor: [T, N, O], the true next state, also where the episode ended.
        reward, terminated, truncated: [N, T].
    """

    observation: Tensor
    head: Tensor
    action: Tensor
    successor: Tensor
    reward: Tensor
    terminated: Tensor
    truncated: Tensor


@dataclass(frozen=True)
class Batch:
    """B steps to learn from, in any order; ``index`` says which of the rollout's N·T each one is."""

    index: Tensor
    observation: Tensor
    head: Tensor
    action: Tensor
    old_log: Tensor
    advantage: Tensor
    returns: Tensor
    values: Tensor

    def __getitem__(self, rows: Tensor | slice) -> Batch:
        parts = (getattr(self, name)[rows] for name in self.__dataclass_fields__)
        return Batch(*parts)


@dataclass(frozen=True)
class Losses:
    """The parts of the loss and their sum, each a scalar but ``ratio`` [M], as tensors."""

    ratio: Tensor
    clip: Tensor
    critic: Tensor
    entropy: Tensor
    loss: Tensor

    def detached(self) -> Losses:
        """The same numbers without the graph that led to them."""
        return Losses(*(getattr(self, name).detach() for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Work:
    """What the device did in one iteration: the batch that it learned from, and the iteration in numbers.

    Attributes:
        numbers: [2 + len(METRICS_SHOWN)], sums over all ranks: episodes that ended, their returns,
            then `METRICS_SHOWN`.
    """

    batch: Batch
    numbers: Tensor


METRICS_SHOWN = (
    "loss",
    "clip_objective",
    "critic_loss",
    "entropy",
    "kl",
    "clip_fraction",
    "explained_variance",
)


@dataclass(frozen=True)
class Metrics:
    """What an iteration shows, over all ranks; ``episode_return`` is None when no episode ended."""

    env_steps: int
    episodes: int
    episode_return: float | None
    loss: float
    clip_objective: float
    critic_loss: float
    entropy: float
    kl: float
    clip_fraction: float
    explained_variance: float
    learning_rate: float
