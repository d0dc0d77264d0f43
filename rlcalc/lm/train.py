"""The lecture's four stages (section 5) for a tiny language model, with rlcalc's formulas.

    pre-training   next token of texts                                    `sft_loss`
    fine-tuning    next token of a teacher's answers                      `sft_loss`
    preference     pairs of own answers, one preferred for its form       `token_logprobs` → `dpo_loss`
    reasoning      own answers, rewarded for being right:
      GRPO   `group_advantage`;  `policy_clip` + β·`kl_estimate` → `loss_aggregation`
      PPO    `token_rewards` → `token_gae` → `masked_whiten`;  `policy_clip` → `loss_aggregation`,
             `value_clip_loss`
      RLOO   `token_rewards` → `rloo_advantage`;  `policy_clip` of whole answers → `loss_aggregation`
      DPO    pairs of own answers, a right one preferred to a wrong one: as in stage 3

No formula is written here. `Formulas` (in ``base``) holds the Torch forms of
`rlcalc.formulas`, the functions that `rlcalc verify` runs against the golden
vectors; the trainer calls whatever it holds, which is how `sabotage` breaks
one at a time.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rlcalc.formulas.sft_loss import NO_LABEL
from rlcalc.lm.base import WILDER, Base
from rlcalc.lm.measure import measure
from rlcalc.lm.records import Answers, Batch, Counts, Losses, Metrics, Pairs, over_rows
from rlcalc.lm.task import PAD, VOCABULARY


class Trainer(Base):
    """All four stages on one model."""

    # --- one update of whichever stage it is ---------------------------------------------------------------

    def iterate(self) -> Metrics:
        stage, at, length = self.stage()
        if at == 0:
            self.optimiser.forget()
            self.refer()
        stages = {
            "pre-training": self.pretrain,
            "fine-tuning": self.finetune,
            "preference": self.prefer,
            "reasoning": self.reason,
        }
        found = stages[stage]()
        self.iterations += 1
        if self.iterations % self.settings.evaluate_every == 0 or at == length - 1:
            self.accuracy, self.looked_at = self.evaluate(), self.iterations
        metrics = Metrics(iteration=self.iterations, stage=stage, accuracy=self.accuracy, **found)
        if self.watcher is not None:
            self.watcher.updated(self, metrics)
        return metrics

    # --- stages 1 and 2: the next token --------------------------------------------------------------------

    def pretrain(self) -> dict[str, float]:
        """Texts whose sums are far off; every token is learned, those of prompts too."""
        return self.imitate(WILDER * self.settings.slip, whole=True)

    def finetune(self) -> dict[str, float]:
        """The teacher's answers; what stands in the prompt is not learned."""
        return self.imitate(self.settings.slip, whole=False)

    def imitate(self, slip: int, whole: bool) -> dict[str, float]:
        problems = self.task.draw(self.settings.texts, self.generator)
        if self.settings.teacher == "careless":
            ids = self.task.careless(problems, slip, self.generator)
        else:
            ids = self.task.right[problems]
        return self.imitate_texts(self.own(problems), self.own(ids), whole)

    def imitate_texts(self, problems: Tensor, ids: Tensor, whole: bool = False) -> dict[str, float]:
        labels = self.labels(problems, ids, whole)
        count = self.ranks.sum(self.label_count(labels))
        total = torch.zeros((), dtype=self.dtype, device=self.device)
        for at, rows in enumerate(self.micro_rows(len(ids))):
            logits = self.model(ids[rows])
            if self.watcher is not None:
                self.watcher.imitated(self, ids[rows], labels[rows], count, logits)
            loss = self.label_loss(logits, labels[rows], count)
            self.optimiser.differentiate(loss, add=at > 0)
            total += loss.detach()
        self.descend(self.settings.learning_rate)
        return {"loss": self.ranks.sum(total).item() / self.ranks.size}

    def label_count(self, labels: Tensor) -> Tensor:
        """Labels that are predicted; nothing predicts the first token of a text."""
        return (labels[:, 1:] != NO_LABEL).sum().to(self.dtype)

    def label_loss(self, logits: Tensor, labels: Tensor, count: Tensor) -> Tensor:
        """The part that a micro-batch has in the mean over ``count`` labels of all ranks."""
        loss: Tensor = self.formulas.sft_loss(logits=logits, labels=labels, tokens=count)["loss"]
        return loss * self.ranks.size

    def labels(self, problems: Tensor, ids: Tensor, whole: bool) -> Tensor:
        """What is learned of texts [N, K]: no padding, and prompts in pre-training only."""
        places = torch.arange(self.task.width, device=self.device)
        learned = (ids != PAD) & (whole | (places >= self.task.starts[problems][:, None]))
        return torch.where(learned, ids, NO_LABEL)

    # --- own answers ---------------------------------------------------------------------------------------

    def sample(self) -> Answers:
        """G answers to each of this rank's prompts."""
        s = self.settings
        prompts = self.task.draw(s.prompts, self.generator).repeat_interleave(s.group)
        group = torch.arange(s.prompts, device=self.device).repeat_interleave(s.group)
        noise = self.noise(prompts)
        problem, group = self.own(prompts), self.own(group)
        ids, mask, logp = self.write(problem, self.own(noise, 1))
        reward = self.task.reward(problem, ids).to(self.dtype)
        answers = Answers(problem, group, ids, mask, logp, reward)
        if self.watcher is not None:
            self.watcher.sampled(self, answers)
        return answers

    def noise(self, problems: Tensor) -> Tensor:
        """Gumbel's, for an answer to each problem [N]: argmax(logits + noise) is a sample of the softmax."""
        shape = (self.task.longest, len(problems), VOCABULARY)
        noise = torch.empty(shape, dtype=self.dtype, device=self.device)
        return noise.exponential_(generator=self.generator).log_().neg_()

    def evaluate(self) -> float:
        """The share of all problems whose likeliest answer is right."""
        every = torch.arange(len(self.task), device=self.device)
        return self.task.reward(every, self.write(every)[0]).double().mean().item()

    # --- stage 3, and stage 4 by DPO: pairs ----------------------------------------------------------------

    def prefer(self) -> dict[str, float]:
        """People prefer answers that end and have no leading zero, right or wrong."""
        answers = self.sample()
        score = self.task.well_formed(answers.problem, answers.ids).to(self.dtype)
        return self.learn_pairs(answers, score, self.settings.preference_rate)

    def learn_pairs(self, answers: Answers, score: Tensor, rate: float) -> dict[str, float]:
        """Raise the better answer of each pair over the worse one, both against the reference."""
        pairs = self.pairs(answers, score)
        if self.watcher is not None:
            self.watcher.paired(self, answers, score, pairs)
        count = self.ranks.sum(pairs.valid.sum().to(self.dtype))
        total = torch.zeros((), dtype=self.dtype, device=self.device)
        for epoch in range(self.settings.epochs):
            total.zero_()
            for at, rows in enumerate(self.micro_rows(len(pairs.valid))):
                part = pairs[rows]
                logits = self.model(part.chosen), self.model(part.rejected)
                if self.watcher is not None:
                    self.watcher.pair_part(self, epoch, part, count, *logits)
                loss = self.pair_loss(*logits, part, count)
                self.optimiser.differentiate(loss, add=at > 0)
                total += loss.detach()
            self.descend(rate)
        mean = self.ranks.sum(total).item() / self.ranks.size
        return {"loss": mean, **measure(self, answers, self.logps(self.reference, answers.ids), None)}

    @torch.no_grad()
    def pairs(self, answers: Answers, score: Tensor) -> Pairs:
        """In each group, the best with the worst, the second best with the second worst, and so on."""
        size = self.settings.group
        order = score.view(-1, size).argsort(dim=1, descending=True, stable=True)
        order = order + torch.arange(0, len(score), size, device=self.device)[:, None]
        better, worse = order[:, : size // 2].flatten(), order.flip(1)[:, : size // 2].flatten()
        reference = over_rows(self.logps(self.reference, answers.ids), answers.mask)
        return Pairs(
            chosen=answers.ids[better], chosen_mask=answers.mask[better], ref_chosen=reference[better],
            rejected=answers.ids[worse], rejected_mask=answers.mask[worse], ref_rejected=reference[worse],
            valid=score[better] > score[worse],
        )  # fmt: skip

    def pair_loss(self, chosen: Tensor, rejected: Tensor, part: Pairs, count: Tensor) -> Tensor:
        """The mean loss of the pairs, from the logits [M, K, V] of both answers."""
        s, f = self.settings, self.formulas
        better = f.token_logprobs(logits=chosen, ids=part.chosen, temperature=s.temperature)["logps"]
        worse = f.token_logprobs(logits=rejected, ids=part.rejected, temperature=s.temperature)["logps"]
        found = f.dpo_loss(
            chosen=over_rows(better, part.chosen_mask),
            rejected=over_rows(worse, part.rejected_mask),
            ref_chosen=part.ref_chosen,
            ref_rejected=part.ref_rejected,
            beta=s.dpo_beta,
        )
        loss: Tensor = f.loss_aggregation(
            loss=found["losses"][:, None], mask=part.valid[:, None], tokens=count, ranks=self.ranks.size
        )["loss"]
        return loss

    # --- stage 4: reward -----------------------------------------------------------------------------------

    def reason(self) -> dict[str, float]:
        answers = self.sample()
        if self.settings.algorithm == "dpo":
            return self.learn_pairs(answers, answers.reward, self.settings.rate)
        batch = self.prepare(answers)
        last = self.update(batch)
        return {**measure(self, answers, batch.ref_logp, batch), **last}

    @torch.no_grad()
    def prepare(self, answers: Answers) -> Batch:
        """What the tokens of the answers are worth, by the policy that wrote them."""
        s, f, ids, mask = self.settings, self.formulas, answers.ids, answers.mask
        old, ref = self.logps(self.model, ids), self.logps(self.reference, ids)
        values = returns = torch.zeros_like(old)
        if s.algorithm == "grpo":
            found = f.group_advantage(rewards=answers.reward, groups=answers.group, scale=s.scale)
            advantage = found["advantages"][:, None]
        else:
            rewards = f.token_rewards(
                score=answers.reward, logp=old, ref_logp=ref, mask=mask, beta=s.beta, kind=s.kl
            )["rewards"]
            if s.algorithm == "rloo":
                found = f.rloo_advantage(rewards=rewards.sum(-1), groups=answers.group)
                advantage = found["advantages"][:, None]
            else:
                values = torch.cat([self.values(ids[rows]) for rows in self.micro_rows(len(ids))])
                found = f.token_gae(rewards=rewards, values=values, mask=mask, gamma=1.0, lam=s.lam)
                returns = found["returns"]
                whole = f.masked_whiten(x=self.everyones(found["advantages"]), mask=self.everyones(mask))
                advantage = self.own(whole["whitened"])
        batch = Batch(ids, mask, old, ref, advantage, values, returns)
        if self.watcher is not None:
            self.watcher.prepared(self, answers, batch)
        return batch

    def update(self, batch: Batch) -> dict[str, float]:
        """K passes over one batch; the losses of the last minibatch."""
        s, size = self.settings, len(batch.ids) // self.settings.minibatches
        losses: list[Losses] = []
        for epoch in range(s.epochs):
            for number in range(s.minibatches):
                part = batch[number * size : (number + 1) * size]
                losses = self.accumulate(part, (epoch, number))
                self.descend(s.rate)
        sums = [sum(getattr(each, name).detach() for each in losses) for name in ("loss", "critic")]
        means = self.ranks.sum(torch.stack([torch.as_tensor(x) for x in sums])) / self.ranks.size
        loss, critic = means.tolist()
        return {"loss": loss} if self.critic is None else {"loss": loss, "critic_loss": critic}

    def accumulate(self, part: Batch, place: tuple[int, int] = (0, 0)) -> list[Losses]:
        """The gradient of a minibatch, from its micro-batches."""
        counts = self.counts(part.mask)
        found = []
        for at, rows in enumerate(self.micro_rows(len(part.ids))):
            micro = part[rows]
            logits, values = self.model(micro.ids), self.values(micro.ids)
            losses = self.losses(logits, values, micro, counts)
            if self.watcher is not None:
                self.watcher.micro_batch(self, (*place, at), micro, counts, logits, values, losses)
            self.optimiser.differentiate(losses.loss, add=at > 0)
            found.append(losses)
        return found

    def losses(self, logits: Tensor, values: Tensor, part: Batch, counts: Counts) -> Losses:
        """What is minimised, for one micro-batch.

        Args:
            logits, values: what the model and the critic say now, [M, K, V] and [M, K−1].
        """
        s, f, mask, ranks = self.settings, self.formulas, part.mask, self.ranks.size
        logp = f.token_logprobs(logits=logits, ids=part.ids, temperature=s.temperature)["logps"]
        # before anything is made of them: what the mask hides may be anything
        logp, old = torch.where(mask, logp, 0.0), torch.where(mask, part.old_logp, 0.0)
        ref = torch.where(mask, part.ref_logp, 0.0)
        penalty, critic = torch.zeros_like(logp), logp.new_zeros(())
        if s.algorithm == "rloo":
            clip = self.clipped(logp.sum(-1, keepdim=True), old.sum(-1, keepdim=True), part.advantage)
            found = f.loss_aggregation(
                loss=-clip["objective"], mask=mask.any(-1, keepdim=True), tokens=counts.rows, ranks=ranks
            )
        else:
            clip = self.clipped(logp, old, part.advantage)
            loss = -clip["objective"]
            if s.algorithm == "grpo":
                penalty = self.penalty(logp, ref)
                loss = loss + s.beta * penalty
            found = f.loss_aggregation(
                loss=loss, mask=mask, mode=s.aggregation, tokens=counts.tokens, sequences=counts.rows,
                ranks=ranks,
            )  # fmt: skip
        if s.algorithm == "ppo":
            critic = ranks * f.value_clip_loss(
                values=values, old_values=part.values, returns=part.returns, mask=mask,
                eps=s.clip_values, factor=0.5, tokens=counts.tokens,
            )["loss"]  # fmt: skip
        return Losses(
            loss=found["loss"] + s.c1 * critic,
            ratio=clip["ratio"],
            held=clip["clipped"],
            weights=found["weights"],
            kl=penalty,
            critic=critic,
        )

    def penalty(self, logp: Tensor, ref_logp: Tensor) -> Tensor:
        """How far each token is from the reference."""
        found = self.formulas.kl_estimate(logp=logp, ref_logp=ref_logp, kind=self.settings.kl)
        estimate: Tensor = found["estimate"]
        return estimate

    def clipped(self, logp: Tensor, old: Tensor, advantage: Tensor) -> dict[str, Any]:
        s = self.settings
        return self.formulas.policy_clip(
            logp=logp, old_logp=old, adv=advantage, eps_low=s.clip_low, eps_high=s.clip_high
        )

    def counts(self, mask: Tensor) -> Counts:
        """Tokens and rows of a minibatch on all ranks."""
        found = torch.stack([mask.sum(), mask.any(-1).sum()]).to(self.dtype)
        return Counts(*self.ranks.sum(found).unbind())
