"""The trainer's own losses at policies away from where training happens to be, against closed forms.

Each gives what it found and what it expected, by the name of the check.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from rlcalc.lm.check import closed_forms as forms
from rlcalc.lm.records import Batch, Counts, Pairs
from rlcalc.lm.task import VOCABULARY

Probe = tuple[str, str, Tensor, Tensor]  # check, what is compared, found, expected


def of_loss(
    trainer: Any,
    part: Batch,
    mask: Tensor,
    counts: Counts,
    logits: Tensor,
    values: Tensor,
    total: tuple[int, int],
) -> Iterator[Probe]:
    """Slopes of the loss of a few rows, and the same with garbage under the mask.

    Args:
        logits, values: where to probe. total: tokens and answers of the step.
    """  # fmt: skip
    s, tokens = trainer.settings, float(total[0])
    expected = forms.policy_slopes(s, logits, values, part, mask, *total, trainer.ranks.size)
    clear = expected.kink == 0
    loss, by_logits, by_values = _slopes(trainer, part, counts, logits, values)
    what = "slope by logits [row, token, symbol]"
    yield "loss_gradient", what, by_logits * clear * tokens, expected.logits * clear * tokens
    if s.algorithm == "ppo":
        yield "critic_gradient", "slope by values [row, token]", by_values * tokens, expected.values * tokens
    else:
        yield "loss_gradient", "loss", loss * tokens, expected.loss * tokens

    def altered(x: Tensor) -> Tensor:
        return torch.where(mask, x, torch.nan) if x.shape == mask.shape else x

    rows = torch.cat([mask, torch.zeros_like(mask[:, :1])], 1)[..., None]
    other = torch.where(mask, part.ids[:, 1:], (part.ids[:, 1:] + 1) % VOCABULARY)
    names = ("old_logp", "ref_logp", "advantage", "values", "returns")
    garbage = replace(
        part,
        ids=torch.cat([part.ids[:, :1], other], 1),
        **{name: altered(getattr(part, name)) for name in names},
    )
    away = torch.where(rows, logits, 30 * logits.flip(-1) + 7)
    again, by_away, by_altered = _slopes(trainer, garbage, counts, away, altered(values))
    yield "masked", "loss", again * tokens, loss * tokens
    yield "masked", what, by_away * tokens, by_logits * tokens
    yield "masked", "slope by values [row, token]", by_altered * tokens, by_values * tokens


def _slopes(
    trainer: Any, part: Batch, counts: Counts, logits: Tensor, values: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    at = logits.detach().clone().requires_grad_(), values.detach().clone().requires_grad_()
    with torch.enable_grad():
        loss = trainer.losses(*at, part, counts).loss
        found = torch.autograd.grad(loss, at, allow_unused=True)
    slopes = [torch.zeros_like(x) if g is None else g for g, x in zip(found, at, strict=True)]
    return loss.detach(), slopes[0], slopes[1]


def of_penalty(trainer: Any, logits: Tensor, ref_logits: Tensor) -> Iterator[Probe]:
    """The estimator over the whole vocabulary of a few heads [R, V], against the divergence itself."""
    s = trainer.settings
    head = (logits / s.temperature).detach().clone().requires_grad_()
    log_q = torch.log_softmax(ref_logits / s.temperature, -1)
    with torch.enable_grad():
        log_p = torch.log_softmax(head, -1)
        if s.algorithm == "grpo":
            each = trainer.penalty(log_p, log_q)
        else:
            nothing, ones = log_p.new_zeros(len(head)), torch.ones_like(log_p, dtype=torch.bool)
            each = -trainer.formulas.token_rewards(
                score=nothing, logp=log_p, ref_logp=log_q, mask=ones, beta=1.0, kind=s.kl
            )["rewards"]
        p, away = log_p.detach().double().exp(), (log_p - log_q).detach().double()
        whole = (p * each).sum()
        slope = torch.autograd.grad(whole, head, allow_unused=True)[0] if whole.requires_grad else None
    divergence = (p * away).sum(-1)
    mean = (p * away.square()).sum(-1) / 2 if s.kl == "k2" else divergence
    yield "kl_exact", "D(π‖π_ref) [head]", (p * each.detach().double()).sum(-1), mean
    if s.algorithm == "grpo":
        forward = p - log_q.double().exp()
        reverse = p * (away - divergence[:, None])
        found = torch.zeros_like(head) if slope is None else slope
        yield "kl_gradient", "slope [head, symbol]", found, reverse if s.kl == "k2" else forward


def of_pairs(
    trainer: Any, part: Pairs, masks: tuple[Tensor, Tensor], count: Tensor, logits: tuple[Tensor, Tensor]
) -> Iterator[Probe]:
    """Slopes of the preference loss of a few pairs, and the same with garbage under the masks."""
    s, total = trainer.settings, max(int(count), 1)
    *expected, whole = forms.pair_slopes(s, *logits, part, masks, int(count), trainer.ranks.size)
    loss, found = _pair_slopes(trainer, part, count, logits)
    for name, slope, right in zip(("chosen", "rejected"), found, expected, strict=True):
        yield (
            "pair_gradient",
            f"slope by logits of the {name} [pair, token, symbol]",
            slope * total,
            right * total,
        )
    yield "pair_gradient", "loss", loss * total, whole * total
    rows = [torch.cat([mask, torch.zeros_like(mask[:, :1])], 1)[..., None] for mask in masks]
    away = [torch.where(row, x, 30 * x.flip(-1) + 7) for row, x in zip(rows, logits, strict=True)]
    again, slopes = _pair_slopes(trainer, part, count, (away[0], away[1]))
    yield "masked", "loss of pairs", again * total, loss * total
    for slope, right in zip(slopes, found, strict=True):
        yield "masked", "slope by logits [pair, token, symbol]", slope * total, right * total


def _pair_slopes(
    trainer: Any, part: Pairs, count: Tensor, logits: tuple[Tensor, Tensor]
) -> tuple[Tensor, tuple[Tensor, ...]]:
    at = [x.detach().clone().requires_grad_() for x in logits]
    with torch.enable_grad():
        loss = trainer.pair_loss(*at, part, count)
        found = torch.autograd.grad(loss, at, allow_unused=True)
    return loss.detach(), tuple(
        torch.zeros_like(x) if g is None else g for g, x in zip(found, at, strict=True)
    )
