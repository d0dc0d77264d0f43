"""Slopes of the losses by logits and values, written out by hand, in float64.

With p = softmax(z/τ), the token taken y, x = log π − log π_old, r = exp x:

    ∂log π/∂z      = (1_y − p)/τ
    ∂loss/∂log π   = w·(−A·r·[not held] + β·∂k/∂log π)
    held           = A > 0 and r > 1 + ε_high, or A < 0 and r < 1 − ε_low
    ∂k/∂log π      = 1, x', 1 − exp(−x') for k1, k2, k3 of x' = log π − log π_ref
    w              = 1/tokens, 1/(rows·L) or 1/rows
    ∂loss/∂V       = c1·(V − G)/tokens·[not held by its clip]
    DPO            = −β·σ(−h)/pairs for the chosen answer, the opposite for the rejected one

A whole answer has one ratio under RLOO, the exponential of the sum of its
tokens' x. None of it calls a formula under test.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rlcalc.lm.records import Batch, Pairs
from rlcalc.lm.settings import Settings

NEAR = 1e-4  # a ratio this close to its bound may fall on either side


@dataclass(frozen=True)
class Slopes:
    """Expected slopes of a micro-batch.

    Attributes:
        logits: [M, K, V]. values: [M, K−1].
        kink: the same as ``logits``, how much of it rounding may take away or add.
        weights: [M, K−1], of each token in the loss; of each answer [M, 1] under RLOO.
        loss: what all of it comes to, without the critic.
    """

    logits: Tensor
    kink: Tensor
    values: Tensor
    weights: Tensor
    loss: Tensor


def log_policy(logits: Tensor, ids: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """log π of each token but the first [M, K−1], and its slope by the logits before it [M, K−1, V]."""
    logs = torch.log_softmax(logits[:, :-1].detach().double() / temperature, -1)
    taken = torch.nn.functional.one_hot(ids[:, 1:], logits.shape[-1]).double()
    return (logs * taken).sum(-1), (taken - logs.exp()) / temperature


def policy_slopes(
    s: Settings, logits: Tensor, values: Tensor, part: Batch, mask: Tensor, tokens: int, rows: int, ranks: int
) -> Slopes:
    """For one micro-batch of stage 4 by GRPO, PPO or RLOO.

    Args:
        mask, tokens, rows: the answers, and how many tokens and answers a step is of, as the caller counts.
    """
    zero = torch.zeros((), dtype=torch.float64, device=logits.device)
    logp, score = log_policy(logits, part.ids, s.temperature)
    whole = s.algorithm == "rloo"
    gap = torch.where(mask, logp - part.old_logp.double(), zero)
    if whole:
        gap = gap.sum(-1, keepdim=True)
    ratio, adv = gap.exp(), part.advantage.detach().double()
    low, high = 1 - s.clip_low, 1 + s.clip_high
    held = ((adv > 0) & (ratio > high)) | ((adv < 0) & (ratio < low))
    near = ((ratio - high).abs() < NEAR) | ((ratio - low).abs() < NEAR)
    slope = torch.where(held, zero, -adv * ratio)
    loss = torch.where(held, -adv * ratio.clamp(low, high), -adv * ratio)
    weights = _weights(s, mask, tokens, rows) * ranks
    if s.algorithm == "grpo":
        away = torch.where(mask, logp - part.ref_logp.double(), zero)
        value, by_logp = penalty(away, s.kl)
        slope, loss = slope + s.beta * by_logp, loss + s.beta * value
    each = torch.where(mask, weights * slope, zero)
    unsure = torch.where(mask & near, (weights * adv * ratio).abs(), zero)
    last = torch.zeros_like(score[:, :1])
    error = values.detach().double() - part.returns.double()
    moved = values.detach().double() - part.values.double()
    clipped = part.values.double() + moved.clamp(-s.clip_values, s.clip_values) - part.returns.double()
    critic_held = (moved.abs() > s.clip_values) & (clipped.abs() > error.abs())
    return Slopes(
        logits=torch.cat([each[..., None] * score, last], 1),
        kink=torch.cat([unsure[..., None] * score.abs(), last], 1),
        values=torch.where(mask & ~critic_held, ranks * s.c1 * error / tokens, zero),
        weights=weights,
        loss=torch.where(mask.any(-1, keepdim=True) if whole else mask, weights * loss, zero).sum(),
    )


def _weights(s: Settings, mask: Tensor, tokens: int, rows: int) -> Tensor:
    number = mask.double()
    if s.algorithm == "rloo":
        return mask.any(-1, keepdim=True).double() / rows
    if s.aggregation == "token-mean":
        return number / tokens
    lengths = number.sum(-1, keepdim=True).clamp_min(1)
    return number / rows / (lengths if s.aggregation == "seq-mean-token-mean" else 1)


def penalty(away: Tensor, kind: str) -> tuple[Tensor, Tensor]:
    """The estimators of a divergence from x = log π − log π_ref, and their slopes by log π."""
    if kind == "k1":
        return away, torch.ones_like(away)
    if kind == "k2":
        return away.square() / 2, away
    return torch.expm1(-away) + away, -torch.expm1(-away)


def label_slopes(logits: Tensor, ids: Tensor, learned: Tensor, count: int, ranks: int) -> Tensor:
    """For the cross-entropy of what is learned [M, K] of texts: [M, K, V]."""
    _, score = log_policy(logits, ids, 1.0)
    each = torch.where(learned[:, 1:, None], -ranks * score / count, torch.zeros_like(score))
    return torch.cat([each, torch.zeros_like(each[:, :1])], 1)


def pair_slopes(
    s: Settings,
    chosen: Tensor,
    rejected: Tensor,
    part: Pairs,
    masks: tuple[Tensor, Tensor],
    count: int,
    ranks: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """For the preference loss of pairs: by the logits of both answers, [M, K, V] each, and the loss."""
    zero = torch.zeros((), dtype=torch.float64, device=chosen.device)
    logp, score = zip(
        log_policy(chosen, part.chosen, s.temperature),
        log_policy(rejected, part.rejected, s.temperature),
        strict=True,
    )
    better, worse = (torch.where(mask, x, zero).sum(-1) for mask, x in zip(masks, logp, strict=True))
    ahead = s.dpo_beta * (better - part.ref_chosen.double() - worse + part.ref_rejected.double())
    weight = ranks * part.valid.double() / max(count, 1)
    by_better = -s.dpo_beta * torch.sigmoid(-ahead) * weight
    slopes = [
        torch.cat([torch.where(mask[..., None], sign * by_better[:, None, None] * slope, zero),
                   torch.zeros_like(slope[:, :1])], 1)
        for mask, slope, sign in zip(masks, score, (1, -1), strict=True)
    ]  # fmt: skip
    return slopes[0], slopes[1], (weight * torch.nn.functional.softplus(-ahead)).sum()
