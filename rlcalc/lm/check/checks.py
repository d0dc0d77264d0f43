"""Checks on every update of a language model: cheap, independent of the trainer, on by default.

``Checks`` looks on as the trainer's watcher. What it expects comes from
elsewhere than what it checks: masks, counts and rewards from the letters of
the texts, log-probabilities, advantages and slopes from closed forms in
float64, a divergence from the whole vocabulary, a row from the exact backend.
Slopes are probed at policies away from the old one, where clipping bites, and
what is under a mask is replaced by NaN there, which must change nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rlcalc.formulas.sft_loss import NO_LABEL
from rlcalc.lm.base import Place, Watcher
from rlcalc.lm.check import closed_forms as forms
from rlcalc.lm.check import probes, texts
from rlcalc.lm.check.advantages import expected_of_groups, expected_of_tokens, expected_rewards
from rlcalc.lm.records import Answers, Batch, Counts, Losses, Metrics, Pairs
from rlcalc.lm.task import VOCABULARY
from rlcalc.training.comparisons import Comparisons, exact_outputs, tolerance

ABOUT = {
    "labels": "what is learned of a text is its answer to the end token, in pre-training all but padding",
    "label_count": "the mean of a step is over its labels, counted in the texts, less those never predicted",
    "answer_mask": "the mask is the answer: from the equals sign to the end token or the last place",
    "padding": "nothing but padding follows an answer",
    "reward": "the reward is 1 for the right sum and nothing else, in plain Python",
    "sampler": "the sampler's log-probabilities are the trainer's",
    "old_policy": "old log-probabilities are those of the policy that wrote, and stay so",
    "reference": "the reference is the policy that began the stage, and its log-probabilities are its own",
    "first_ratio": "the ratio is exactly 1 before the first step on a batch",
    "constants": "no gradient flows into advantages, targets, old and reference log-probabilities",
    "counts": "tokens and answers of a step are those of its texts",
    "weights": "the weights of a step are those of its aggregation, and add up",
    "centred": "advantages of a group add up to 0",
    "advantages": "advantages are those of a calculation by hand in float64",
    "returns": "the critic's targets are those of a calculation by hand in float64",
    "exact_row": "the targets of a sampled answer agree with the exact backend",
    "kl_exact": "the estimator's mean over the vocabulary is the divergence of a sampled head",
    "kl_gradient": "the expected slope of the penalty is that of a divergence",
    "loss_gradient": "autograd's slopes by the logits of sampled rows are the closed form",
    "critic_gradient": "autograd's slopes by the values of sampled rows are the closed form",
    "masked": "what is under a mask changes neither loss nor slopes",
    "accumulated": "the gradient of a step is the sum of the closed forms over all its micro-batches",
    "pairs": "of each pair one answer to one prompt is preferred, and each answer is of one pair at most",
    "pair_gradient": "autograd's slopes by the logits of sampled pairs are the closed form",
    "descent": "the first step of a stage goes against the gradient",
    "kl": "the policy is not absurdly far from the reference",
    "entropy": "the entropy is between 0 and that of the uniform policy",
    "length": "the mean length is that of the texts",
    "finite": "parameters and losses are finite",
}
PROBED = 8  # rows whose slopes are probed on every update


@dataclass
class _Step:
    """What the micro-batches of one step add up to.

    Attributes:
        slopes, slack, size: [V], sums over rows and tokens of the expected slopes by the logits; of what
            rounding may take away of them; and of their absolute values.
        labels, claimed: labels as they are counted in the texts, and the trainer's count.
        weight, total: weights of the loss, and what they must come to.
    """

    slopes: Tensor | float = 0.0
    slack: Tensor | float = 0.0
    size: Tensor | float = 0.0
    labels: int = 0
    claimed: Tensor | None = None
    weight: Tensor | float = 0.0
    total: float | None = None

    def add(self, slopes: Tensor, slack: Tensor | None = None) -> None:
        self.slopes = self.slopes + slopes.sum((0, 1))
        self.size = self.size + slopes.abs().sum((0, 1))
        if slack is not None:
            self.slack = self.slack + slack.sum((0, 1))


class Checks(Watcher, Comparisons):
    """A watcher that stops the run when something is wrong."""

    def __init__(self, seed: int = 0) -> None:
        Comparisons.__init__(self, ABOUT)
        self._generator = torch.Generator().manual_seed(seed + 77)
        self._stage = ""
        self._began_with = self._mask = self._old = self._advantage = torch.empty(0)
        self._length, self._pairs = 0.0, 0
        self._step = _Step()

    # --- stages 1 and 2 ----------------------------------------------------------------------------------

    def imitated(self, trainer: Any, ids: Tensor, labels: Tensor, count: Tensor, logits: Tensor) -> None:
        self._stage_of(trainer)
        whole = trainer.stage()[0] == "pre-training"
        expected = texts.labels(ids, trainer.task.longest, whole, NO_LABEL)
        self.equal("labels", "label [row, token]", labels, expected, 0.0)
        learned = expected != NO_LABEL
        self._step.labels += int(learned[:, 1:].sum())
        self._step.claimed = count
        slopes = forms.label_slopes(logits, ids, learned, int(count), trainer.ranks.size)
        self._step.add(slopes)
        probe = logits[:PROBED].detach().clone().requires_grad_()
        with torch.enable_grad():
            loss = trainer.label_loss(probe, labels[:PROBED], count)
            (slope,) = torch.autograd.grad(loss, probe)
        what, size = "slope by logits [row, token, symbol]", float(count)
        self._all(trainer, [("loss_gradient", what, slope * size, slopes[:PROBED] * size)])

    # --- own answers -------------------------------------------------------------------------------------

    def sampled(self, trainer: Any, answers: Answers) -> None:
        self._stage_of(trainer)
        longest, ids = trainer.task.longest, answers.ids
        self._mask = texts.answer_mask(ids, longest)
        self._length = float(self._mask.sum()) / len(self._mask)
        self.equal("answer_mask", "mask [row, token]", answers.mask, self._mask, 0.0)
        alone = texts.padded(ids, longest)
        self.equal("padding", "padded [row]", alone, torch.ones_like(alone), 0.0)
        if trainer.stage()[0] == "reasoning":
            right = torch.tensor(texts.rewards(ids), device=ids.device)
            self.equal("reward", "reward [row]", answers.reward, right, 0.0)
        old = self._log_policy(trainer, trainer.model, ids) * self._mask
        loose = tolerance(answers.sampled_logp, 1e-4, 1e-10)
        self.equal("sampler", "log π [row, token]", answers.sampled_logp, old, loose)

    def prepared(self, trainer: Any, answers: Answers, batch: Batch) -> None:
        s, mask, loose = trainer.settings, self._mask, tolerance(batch.old_logp, 1e-4, 1e-10)
        for name, model, found in (
            ("old_policy", trainer.model, batch.old_logp),
            ("reference", trainer.reference, batch.ref_logp),
        ):
            right = self._log_policy(trainer, model, batch.ids) * mask
            self.equal(name, "log π [row, token]", found.double() * mask, right, loose)
        self._old, self._advantage = batch.old_logp.clone(), batch.advantage.clone()
        free = [x.requires_grad for x in (batch.advantage, batch.returns, batch.old_logp, batch.ref_logp)]
        self.equal("constants", "requires_grad", torch.tensor(free).float(), torch.zeros(4), 0.0)
        rewards = expected_rewards(s, answers.reward, batch.old_logp, batch.ref_logp, mask)
        wide = tolerance(batch.old_logp, 1e-3, 1e-9)
        if s.algorithm != "ppo":
            right = expected_of_groups(s, answers.reward, rewards)
            self.equal("advantages", "A [row]", batch.advantage, right, wide)
            sums = batch.advantage.double().view(-1, s.group).mean(-1)
            self.equal("centred", "mean of A [prompt]", sums, torch.zeros_like(sums), loose)
            return
        with torch.no_grad():
            values = torch.where(mask, trainer.critic(batch.ids)[:, :-1, 0].double(), 0.0)
        everyones = [trainer.everyones(x) for x in (rewards, values, mask)]
        right, returns = (trainer.own(x) for x in expected_of_tokens(s, *everyones))
        self.equal("advantages", "A [row, token]", batch.advantage, right, wide)
        self.equal("returns", "G [row, token]", batch.returns, returns, wide)
        self._exact_row(trainer, rewards, values, batch.returns)

    def _exact_row(self, trainer: Any, rewards: Tensor, values: Tensor, returns: Tensor) -> None:
        """The targets of one sampled answer, by the exact backend."""
        row = int(torch.randint(len(rewards), (), generator=self._generator))
        at = self._mask[row]
        given = {"rewards": [rewards[row][at].tolist()], "values": [values[row][at].tolist()]}
        if not all(map(math.isfinite, given["rewards"][0] + given["values"][0])):
            return  # `finite` says so
        mask = [[1] * int(at.sum())]
        exact = exact_outputs("token_gae", **given, mask=mask, gamma=1, lam=trainer.settings.lam)["returns"]
        right = torch.tensor([float(x) for x in exact[0]], dtype=torch.float64)
        loose = tolerance(returns, 1e-3, 1e-9)
        self.equal("exact_row", f"G of answer {row} [token]", returns[row][at].double().cpu(), right, loose)

    # --- stage 4 by GRPO, PPO and RLOO -------------------------------------------------------------------

    def micro_batch(
        self, trainer: Any, place: Place, part: Batch, counts: Counts, logits: Tensor, values: Tensor,
        losses: Losses,
    ) -> None:  # fmt: skip
        s, (epoch, number, at), ranks = trainer.settings, place, trainer.ranks.size
        size = len(self._old) // s.minibatches
        step = self._mask[number * size : (number + 1) * size]
        rows = slice(number * size + at * s.micro, number * size + at * s.micro + len(part.ids))
        own = torch.stack([step.sum(), step.any(-1).sum()]).double()
        tokens, answers = (int(x) for x in trainer.ranks.sum(own).tolist())
        total = tokens, answers
        found = torch.stack([counts.tokens, counts.rows])
        self.equal("counts", "[tokens, answers]", found, torch.tensor(total, device=found.device), 0.0)
        mask = self._mask[rows]
        right = forms.policy_slopes(s, logits, values, part, mask, tokens, answers, ranks)
        self._all(trainer, [("weights", "w [row, token]", losses.weights * tokens, right.weights * tokens)])
        self._step.weight = self._step.weight + losses.weights.double().sum() / ranks
        summed = s.aggregation == "seq-mean-token-sum" and s.algorithm != "rloo"
        self._step.total = tokens / answers if summed else 1.0
        self._step.add(right.logits, right.kink)
        if epoch == 0 and number == 0:
            ratio = losses.ratio.detach()
            self.equal("first_ratio", "r [row, token]", ratio, torch.ones_like(ratio), 0.0)
        self.equal("old_policy", "log π_old [row, token]", part.old_logp, self._old[rows], 0.0)
        self.equal("advantages", "A as before the passes [row, token]", part.advantage,
                   self._advantage[rows], 0.0)  # fmt: skip
        if place == (0, 0, 0):
            few = slice(0, PROBED)
            probed = values[few] + torch.randn(values[few].shape, generator=self._generator).to(values)
            away = self._away(logits[few])
            self._all(trainer, probes.of_loss(trainer, part[few], mask[few], counts, away, probed, total))
            with torch.no_grad():
                reference = trainer.reference(part.ids[few])
            row = torch.arange(len(away), device=away.device)
            last = torch.where(mask[few], torch.arange(mask.shape[1], device=row.device), 0).max(-1).values
            self._all(trainer, probes.of_penalty(trainer, away[row, last], reference[row, last]))

    # --- pairs -------------------------------------------------------------------------------------------

    def paired(self, trainer: Any, answers: Answers, score: Tensor, pairs: Pairs) -> None:
        longest = trainer.task.longest
        sides = (
            ("chosen", pairs.chosen, pairs.chosen_mask, pairs.ref_chosen),
            ("rejected", pairs.rejected, pairs.rejected_mask, pairs.ref_rejected),
        )
        for name, ids, found, reference in sides:
            mask = texts.answer_mask(ids, longest)
            self.equal("answer_mask", f"mask of the {name} [pair, token]", found, mask, 0.0)
            right = (self._log_policy(trainer, trainer.reference, ids) * mask).sum(-1)
            self.equal("reference", f"log π_ref of the {name} [pair]", reference, right,
                       tolerance(reference, 1e-4, 1e-10))  # fmt: skip
        worth = [self._worth(trainer, ids) for ids in (pairs.chosen, pairs.rejected)]
        self.equal("pairs", "preferred [pair]", pairs.valid, worth[0] > worth[1], 0.0)
        start, _ = texts.bounds(pairs.chosen, longest)
        places = torch.arange(pairs.chosen.shape[1], device=start.device)
        alike = ((pairs.chosen == pairs.rejected) | (places >= start)).all(-1)
        self.equal("pairs", "of one prompt [pair]", alike, torch.ones_like(alike), 0.0)
        self._pairs = int(trainer.ranks.sum((worth[0] > worth[1]).sum().double()))

    def pair_part(
        self, trainer: Any, epoch: int, part: Pairs, count: Tensor, chosen: Tensor, rejected: Tensor
    ) -> None:
        self.equal("counts", "pairs", count, torch.tensor(float(self._pairs)), 0.0)
        longest = trainer.task.longest
        masks = texts.answer_mask(part.chosen, longest), texts.answer_mask(part.rejected, longest)
        s, ranks = trainer.settings, trainer.ranks.size
        better, worse, _ = forms.pair_slopes(s, chosen, rejected, part, masks, self._pairs, ranks)
        self._step.add(better)
        self._step.add(worse)
        few = slice(0, PROBED)
        away = self._away(chosen[few]), self._away(rejected[few])
        total = torch.tensor(float(self._pairs), device=chosen.device, dtype=chosen.dtype)
        few_masks = masks[0][few], masks[1][few]
        self._all(trainer, probes.of_pairs(trainer, part[few], few_masks, total, away))

    # --- all stages --------------------------------------------------------------------------------------

    def accumulated(self, trainer: Any) -> None:
        """The last layer's bias is added to all logits: its gradient is the sum of their slopes."""
        step, self._step = self._step, _Step()
        if step.claimed is not None:
            counted = trainer.ranks.sum(torch.tensor(float(step.labels), device=step.claimed.device))
            self.equal("label_count", "labels", step.claimed, counted, 0.0)
        if step.total is not None:
            weight = trainer.ranks.sum(torch.as_tensor(step.weight))
            expected = torch.full_like(weight, step.total)
            self._all(trainer, [("weights", "sum of w", weight, expected)])
        end = sum(part.numel() for part in trainer.model.parameters())
        found = trainer.optimiser.gradient[end - VOCABULARY : end].double()
        gap = ((found - step.slopes).abs() - step.slack).clamp_min(0)
        # where nothing is to be learned, what is left of the slopes is rounding of losses of size 1
        scale = torch.as_tensor(step.size, device=found.device).clamp_min(1e-3)
        self.equal("accumulated", "relative gap of the slope by the last bias [symbol]", gap / scale,
                   torch.zeros_like(found), tolerance(trainer.optimiser.gradient, 1e-3, 1e-9))  # fmt: skip

    def stepped(self, trainer: Any, before: Tensor) -> None:
        if trainer.stage()[1] or float(trainer.optimiser.count) != 1:
            return
        moved, gradient = trainer.optimiser.flat - before, trainer.optimiser.gradient
        cosine = (moved * gradient).sum() / (moved.norm() * gradient.norm() + 1e-30)
        self.between("descent", "cosine of step and gradient", cosine, -1 - 1e-5, 1e-6)

    def updated(self, trainer: Any, metrics: Metrics) -> None:
        if metrics.kl is not None and metrics.entropy is not None and metrics.length is not None:
            self.between("kl", "mean log π − log π_ref", metrics.kl, -20.0, 20.0)
            self.between("entropy", "H", metrics.entropy, -1e-5, math.log(VOCABULARY) + 1e-5)
            length = trainer.ranks.sum(torch.tensor(self._length, device=trainer.device)) / trainer.ranks.size
            self.equal("length", "tokens", torch.tensor(metrics.length), length, 1e-5)
        finite = trainer.optimiser.flat.isfinite().all().cpu(), torch.tensor(metrics.loss).isfinite()
        whole = torch.stack(finite)
        self.equal("finite", "[parameters, loss]", whole, torch.ones_like(whole), 0.0)
        self.compare(f"update {metrics.iteration}, {metrics.stage}", trainer.device)

    # --- helpers -----------------------------------------------------------------------------------------

    def _all(self, trainer: Any, found: Iterable[probes.Probe]) -> None:
        for name, what, one, other in found:
            self.equal(name, what, one, other, tolerance(trainer.optimiser.flat, 1e-3, 1e-9))

    def _stage_of(self, trainer: Any) -> None:
        """The reference is the policy that a stage began with, to its end."""
        flat = torch.cat([part.detach().reshape(-1) for part in trainer.reference.parameters()])
        if self._stage != trainer.stage()[0]:
            if self._stage or trainer.stage()[1] == 0:
                now = trainer.optimiser.flat[: len(flat)]
                self.equal("reference", "parameters when a stage begins", flat, now, 0.0)
            self._stage, self._began_with = trainer.stage()[0], flat
        self.equal("reference", "parameters", flat, self._began_with, 0.0)

    @torch.no_grad()
    def _log_policy(self, trainer: Any, model: Any, ids: Tensor) -> Tensor:
        return forms.log_policy(model(ids), ids, trainer.settings.temperature)[0]

    def _worth(self, trainer: Any, ids: Tensor) -> Tensor:
        """How good answers are by their letters: right in stage 4; with an end and no zero in stage 3."""
        if trainer.stage()[0] == "reasoning":
            return torch.tensor(texts.rewards(ids), device=ids.device)
        return torch.tensor(texts.well_formed(ids), device=ids.device)

    def _away(self, logits: Tensor) -> Tensor:
        noise = torch.randn(logits.shape, generator=self._generator, dtype=logits.dtype)
        return logits.detach() + 0.5 * noise.to(logits.device)
