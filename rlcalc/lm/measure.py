"""An update of own answers in numbers."""

from __future__ import annotations

import torch
from torch import Tensor

from rlcalc.lm.base import Base
from rlcalc.lm.records import Answers, Batch, over_rows


@torch.no_grad()
def measure(trainer: Base, answers: Answers, ref_logp: Tensor, batch: Batch | None) -> dict[str, float]:
    """What `Metrics` shows of an update, over all ranks.

    Divergence, entropy and clip fraction are of the policy after the update
    and of each rank's first micro-batch: another pass of all rows would cost
    a tenth of the run.

    Args:
        batch: what was learned from, where ratios were clipped.
    """
    s, f, rows = trainer.settings, trainer.formulas, next(trainer.micro_rows(len(answers.mask)))
    ids, mask = answers.ids[rows], answers.mask[rows]
    logits = trainer.model(ids)
    logp = f.token_logprobs(logits=logits, ids=ids, temperature=s.temperature)["logps"]
    entropy = f.token_entropy(logits=logits[:, :-1], temperature=s.temperature)["entropy"]
    found = {
        "kl": over_rows(logp - ref_logp[rows], mask).sum() / mask.sum(),
        "entropy": over_rows(entropy, mask).sum() / mask.sum(),
        "length": answers.mask.sum() / len(answers.mask),
        "reward": answers.reward.mean(),
        "form": trainer.task.well_formed(answers.problem, answers.ids).to(trainer.dtype).mean(),
    }
    if batch is not None:
        gap = torch.where(mask, logp - batch.old_logp[rows], 0.0)
        ratio = (gap.sum(-1, keepdim=True) if s.algorithm == "rloo" else gap).exp()
        held = (ratio > 1 + s.clip_high) | (ratio < 1 - s.clip_low)
        counted = mask.any(-1, keepdim=True) if s.algorithm == "rloo" else mask
        found["clip_fraction"] = (held & counted).sum() / counted.sum()
    means = trainer.ranks.sum(torch.stack([x.to(trainer.dtype) for x in found.values()])) / trainer.ranks.size
    return dict(zip(found, means.tolist(), strict=True))
