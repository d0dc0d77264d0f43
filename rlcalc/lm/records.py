"""What passes between the parts of the trainer. N rows, K tokens each.

Whatever is of a token of an answer is [N, K−1]: column t is of token t + 1,
whose probability stands in row t of the logits.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Answers:
    """What one update sampled.

    Attributes:
        problem, group: [N], which problem a row answers, and which prompt of the update that was.
        ids: [N, K], prompt, answer and padding.
        mask: [N, K−1], the tokens that the policy wrote, its end token among them.
        sampled_logp: [N, K−1], their log-probabilities as the sampler saw them; 0 elsewhere.
        reward: [N].
    """

    problem: Tensor
    group: Tensor
    ids: Tensor
    mask: Tensor
    sampled_logp: Tensor
    reward: Tensor


@dataclass(frozen=True)
class Batch:
    """Rows to learn from.

    Attributes:
        ids, mask: as in `Answers`.
        old_logp, ref_logp: [N, K−1], of the policy that began the update and of the reference.
        advantage: [N, K−1] in PPO; else [N, 1], one for all tokens of a row.
        values, returns: [N, K−1], of PPO's critic before the update, and what it shall learn; else 0.
    """

    ids: Tensor
    mask: Tensor
    old_logp: Tensor
    ref_logp: Tensor
    advantage: Tensor
    values: Tensor
    returns: Tensor

    def __getitem__(self, rows: slice) -> Batch:
        return Batch(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Pairs:
    """Two answers to one prompt, of which the first is preferred; M pairs.

    Attributes:
        chosen, rejected: [M, K] texts, with masks [M, K−1].
        ref_chosen, ref_rejected: [M], log-probabilities of the answers by the reference.
        valid: [M], whether one of them is preferred at all.
    """

    chosen: Tensor
    chosen_mask: Tensor
    rejected: Tensor
    rejected_mask: Tensor
    ref_chosen: Tensor
    ref_rejected: Tensor
    valid: Tensor

    def __getitem__(self, rows: slice | Tensor) -> Pairs:
        return Pairs(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Counts:
    """Denominators of a minibatch: over all of its micro-batches and all ranks."""

    tokens: Tensor
    rows: Tensor


@dataclass(frozen=True)
class Losses:
    """The parts of the loss of a micro-batch, as tensors.

    Attributes:
        loss: what is differentiated; the gradients of the micro-batches of a minibatch are added.
        ratio: [M, K−1] of tokens, or [M, 1] of whole answers; what is clipped.
        held: the same, whether the clip holds it.
        weights: the same, the weight of each in the loss.
        kl: [M, K−1], the estimate of the divergence from the reference, where it is in the loss.
    """

    loss: Tensor
    ratio: Tensor
    held: Tensor
    weights: Tensor
    kl: Tensor
    critic: Tensor


@dataclass(frozen=True)
class Metrics:
    """What an update shows, over all ranks; ``None`` where there is no such thing.

    Attributes:
        iteration: updates done, of all stages.
        reward: mean reward of the sampled answers.
        accuracy: share of all problems whose likeliest answer is right, when it was last looked at.
        kl: mean of log π − log π_ref over the tokens, after the update.
        length: mean number of tokens of an answer, the end token among them.
        entropy: mean entropy of the next token, in nats.
        form: share of answers without a leading zero that end.
    """

    iteration: int
    stage: str
    loss: float
    accuracy: float | None = None
    reward: float | None = None
    kl: float | None = None
    length: float | None = None
    entropy: float | None = None
    clip_fraction: float | None = None
    critic_loss: float | None = None
    form: float | None = None


def over_rows(x: Tensor, mask: Tensor) -> Tensor:
    """The sum over the tokens of each row [N]; what stands under the mask counts nothing, whatever it is."""
    return torch.where(mask, x, 0.0).sum(-1)
