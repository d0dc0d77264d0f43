"""Bugs of trainers of language models, each as one change to one part.

Most have been in a released trainer; the catalogue of ``rlcalc conform`` says
of many of them in which.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from rlcalc.formulas.sft_loss import NO_LABEL
from rlcalc.lm.records import Batch, Counts
from rlcalc.lm.task import END, PAD
from rlcalc.training.mutation import Mutation, given, then


@dataclass(frozen=True)
class Bug(Mutation):
    """A bug and the probes on which it shows, most telling first."""

    probes: tuple[str, ...] = ()


def _bug(probes: str, name: str, about: str, part: str, change: Any) -> Bug:
    return Bug(name, about, "", part, change, tuple(probes.split()))


# --- stages 1 and 2 ----------------------------------------------------------------------------------------


def _padding_learned(right: Any) -> Any:
    def labels(problems: Tensor, ids: Tensor, whole: bool) -> Tensor:
        return torch.where(ids == PAD, ids, right(problems, ids, whole))

    return labels


SFT = (
    _bug("sft", "shifted_twice", "labels are shifted before the loss shifts them", "sft_loss",
         given(labels=lambda g: torch.cat([g["labels"][:, 1:], g["labels"][:, :1] * 0 + NO_LABEL], 1))),
    _bug("sft", "prompt_learned", "fine-tuning learns the prompt too", "labels",
         lambda right: lambda problems, ids, whole: right(problems, ids, True)),
    _bug("sft", "padding_learned", "padding is a label", "labels", _padding_learned),
    _bug("sft", "end_not_learned", "the end token is no label: answers never end", "labels",
         then(lambda labels: torch.where(labels == END, NO_LABEL, labels))),
    _bug("sft", "counted_unshifted", "labels are counted before the shift", "label_count",
         lambda right: lambda labels: (labels != NO_LABEL).sum().to(torch.float64)),
    _bug("sft", "sft_mean_of_means", "each micro-batch is divided by its own labels", "label_loss",
         lambda right: lambda logits, labels, _: right(logits, labels, (labels[:, 1:] != NO_LABEL).sum())),
    _bug("sft grpo", "last_micro_batch", "the gradient is of the last micro-batch alone",
         "optimiser.differentiate", lambda right: lambda loss, add=False: right(loss)),
    _bug("sft", "ascent", "the optimiser climbs", "descend", lambda right: lambda rate: right(-rate)),
)  # fmt: skip

# --- own answers -------------------------------------------------------------------------------------------


def _mask(change: Any) -> Any:
    """Changes the mask of what was written."""
    return then(lambda found: (found[0], change(found[1], found[0][:, 1:]), found[2]))


def _untempered(right: Any) -> Any:
    trainer = right.__self__

    def write(problem: Tensor, noise: Tensor | None = None) -> Any:
        settings = trainer.settings
        trainer.settings = replace(settings, temperature=1.0)
        try:
            return right(problem, noise)
        finally:
            trainer.settings = settings

    return write


def _on_the_result(right: Any) -> Any:
    def token_logprobs(logits: Tensor, ids: Tensor, temperature: float) -> dict[str, Tensor]:
        return {"logps": right(logits=logits, ids=ids, temperature=1.0)["logps"] / temperature}

    return token_logprobs


def _digits_alone(right: Any) -> Any:
    task = right.__self__

    def reward(problems: Tensor, ids: Tensor) -> Tensor:
        answer = task.right[problems]
        found: Tensor = ((ids == answer) | (answer >= END)).all(-1)
        return found

    return reward


def _zero_ignored(right: Any) -> Any:
    task = right.__self__

    def reward(problems: Tensor, ids: Tensor) -> Tensor:
        start = task.starts[problems][:, None]
        places = torch.arange(ids.shape[1])
        later = torch.cat([ids[:, 1:], ids[:, :1] * 0 + PAD], 1)
        without = torch.where(places < start, ids, later)
        led = (ids.gather(1, start) == 0) & (later.gather(1, start) != END)
        return right(problems, torch.where(led, without, ids))  # type: ignore[no-any-return]

    return reward


ANSWERS = (
    _bug("grpo", "mask_off_by_one", "the mask is one token late", "write",
         _mask(lambda mask, ids: mask.roll(1, 1))),
    _bug("grpo", "end_masked", "the end token is not learned from", "write",
         _mask(lambda mask, ids: mask & (ids != END))),
    _bug("grpo", "padding_unmasked", "padding after the end token is learned from", "write",
         _mask(lambda mask, ids: mask | (ids == PAD))),
    _bug("grpo", "sampler_untempered", "the sampler leaves the temperature out", "write", _untempered),
    _bug("grpo dpo", "trainer_untempered", "the trainer leaves the temperature out", "token_logprobs",
         given(temperature=1.0)),
    _bug("grpo dpo", "tempered_result", "log-probabilities are divided by the temperature, not logits",
         "token_logprobs", _on_the_result),
    _bug("grpo dpo", "shift_missing", "row t of the logits is taken for token t", "token_logprobs",
         given(logits=lambda g: g["logits"].roll(-1, 1))),
    _bug("grpo", "end_not_needed", "an answer that goes on after the right digits is paid", "task.reward",
         _digits_alone),
    _bug("grpo", "zero_ignored", "a zero before the right answer is paid too", "task.reward", _zero_ignored),
)  # fmt: skip

# --- what answers are worth --------------------------------------------------------------------------------


def _reward_last_column(right: Any) -> Any:
    def token_rewards(score: Tensor, **rest: Any) -> dict[str, Tensor]:
        rewards = right(score=score * 0, **rest)["rewards"].clone()
        rewards[:, -1] += score
        return {"rewards": rewards}

    return token_rewards


def _reward_everywhere(right: Any) -> Any:
    def token_rewards(score: Tensor, mask: Tensor, **rest: Any) -> dict[str, Tensor]:
        return {"rewards": right(score=score * 0, mask=mask, **rest)["rewards"] + score[:, None] * mask}

    return token_rewards


def _with_itself(right: Any) -> Any:
    def rloo_advantage(rewards: Tensor, groups: Tensor) -> dict[str, Tensor]:
        same = (groups[:, None] == groups[None]).to(rewards.dtype)
        return {"advantages": rewards - same @ rewards / same.sum(-1)}

    return rloo_advantage


WORTH = (
    _bug("grpo", "whole_batch", "advantages are measured against the batch, not the group", "group_advantage",
         given(groups=lambda g: g["groups"] * 0)),
    _bug("grpo", "deviation_of_batch", "advantages are divided by the deviation of the batch",
         "group_advantage", given(scale="batch")),
    _bug("grpo", "groups_interleaved", "answers are taken to be in turns of prompts", "group_advantage",
         given(groups=lambda g: torch.arange(len(g["groups"])) % 4)),
    _bug("grpo", "no_baseline", "the reward is the advantage", "group_advantage",
         lambda right: lambda rewards, **rest: {"advantages": rewards}),
    _bug("grpo rloo", "advantage_sign", "−A instead of A", "prepare",
         then(lambda batch: replace(batch, advantage=-batch.advantage))),
    _bug("rloo", "baseline_with_itself", "an answer is in its own baseline", "rloo_advantage", _with_itself),
    _bug("rloo ppo", "kl_not_in_reward", "the penalty is left out of the rewards", "token_rewards",
         given(beta=0.0)),
    _bug("ppo rloo", "kl_reward_sign", "the penalty pays for being far from the reference", "token_rewards",
         given(logp=lambda g: g["ref_logp"], ref_logp=lambda g: g["logp"])),
    _bug("ppo", "reward_on_padding", "the reward is put on the last column, under padding", "token_rewards",
         _reward_last_column),
    _bug("ppo", "reward_everywhere", "every token gets the reward", "token_rewards", _reward_everywhere),
    _bug("ppo", "values_unshifted", "V of the text with a token for V of the text before it", "values",
         lambda right: lambda ids: right.__self__.critic(ids)[:, 1:, 0]),
    _bug("ppo", "lambda_forgotten", "the GAE has λ = 1", "token_gae", given(lam=1.0)),
    _bug("ppo", "gae_over_padding", "the GAE goes on through padding", "token_gae",
         given(interior="ignore")),
    _bug("ppo", "whitened_with_padding", "padding counts in the mean and the deviation", "masked_whiten",
         given(mask=lambda g: g["mask"] | True)),
    _bug("ppo", "mean_added_back", "whitening keeps the mean", "masked_whiten", given(shift_mean=False)),
    _bug("ppo", "target_is_advantage", "the critic learns A instead of A + V", "token_gae",
         then(lambda found: {**found, "returns": found["advantages"]})),
)  # fmt: skip

# --- losses ------------------------------------------------------------------------------------------------


def _refreshed(right: Any) -> Any:
    trainer = right.__self__

    def accumulate(part: Batch, place: tuple[int, int] = (0, 0)) -> Any:
        return right(replace(part, old_logp=trainer.logps(trainer.model, part.ids)), place)

    return accumulate


def _mean_of_means(right: Any) -> Any:
    def loss_aggregation(**named: Any) -> dict[str, Tensor]:
        found = right(**{**named, "tokens": None, "sequences": None})
        return {name: x / 3 for name, x in found.items()}

    return loss_aggregation


def _follows(right: Any) -> Any:
    trainer = right.__self__

    def reason() -> Any:
        trainer.refer()
        return right()

    return reason


_ALL = "grpo ppo rloo"
LOSSES = (
    _bug(_ALL, "old_refreshed", "the ratio is to a policy that is refreshed in every pass", "accumulate",
         _refreshed),
    _bug(_ALL, "old_is_reference", "the ratio is to the reference", "prepare",
         then(lambda batch: replace(batch, old_logp=batch.ref_logp))),
    _bug(_ALL, "ratio_inverted", "π_old/π for π/π_old", "policy_clip",
         given(logp=lambda g: g["old_logp"], old_logp=lambda g: g["logp"])),
    _bug(_ALL, "clip_forgotten", "the ratio is not clipped", "policy_clip", given(eps_low=9.0, eps_high=9.0)),
    _bug("grpo ppo", "clip_swapped", "the bounds are swapped", "policy_clip",
         given(eps_low=lambda g: g["eps_high"], eps_high=lambda g: g["eps_low"])),
    _bug("rloo", "mean_of_log_ratios", "an answer's ratio is of the mean of its tokens, not the sum",
         "clipped", lambda right: lambda logp, old, adv: right(logp / 3, old / 3, adv)),
    _bug(_ALL, "padding_in_denominator", "the loss is divided by all places of the batch", "counts",
         lambda right: lambda mask: Counts(*(torch.tensor(float(mask.numel())).double() for _ in "12"))),
    _bug(_ALL, "mean_of_means", "each micro-batch is divided by its own count", "loss_aggregation",
         _mean_of_means),
    _bug("grpo", "divided_twice", "the loss is divided by the number of micro-batches again",
         "loss_aggregation", then(lambda found: {name: x / 3 for name, x in found.items()})),
    _bug("ppo", "answers_for_tokens", "the mean of answers' means for the mean over tokens",
         "loss_aggregation", given(mode="seq-mean-token-mean")),
    _bug("grpo ppo", "numerator_unmasked", "the mask is in the denominator only", "loss_aggregation",
         given(mask=lambda g: g["mask"] | True)),
    _bug("grpo", "kl_sign", "the penalty is a reward", "penalty", then(lambda estimate: -estimate)),
    _bug("grpo", "kl_swapped", "the divergence is of the reference from the policy", "kl_estimate",
         given(logp=lambda g: g["ref_logp"], ref_logp=lambda g: g["logp"])),
    _bug("grpo", "k1_as_loss", "k1 in the loss, whose expected gradient is 0", "kl_estimate",
         given(kind="k1")),
    _bug("grpo", "kl_without_gradient", "the penalty is computed without a gradient", "penalty",
         then(lambda estimate: estimate.detach())),
    _bug(_ALL, "reference_follows", "the reference is refreshed before every update", "reason", _follows),
    _bug("ppo", "value_loss_unmasked", "the critic learns on padding too", "value_clip_loss",
         given(mask=lambda g: g["mask"] | True)),
    _bug("ppo", "value_clip_forgotten", "values are not clipped", "value_clip_loss", given(eps=9.0)),
    _bug("ppo", "value_loss_doubled", "the critic's loss is not halved", "value_clip_loss",
         given(factor=1.0)),
)  # fmt: skip

PAIRS = (
    _bug("dpo", "pairs_swapped", "the worse answer is preferred", "dpo_loss",
         given(chosen=lambda g: g["rejected"], rejected=lambda g: g["chosen"])),
    _bug("dpo", "no_reference", "the reference is left out", "dpo_loss",
         given(ref_chosen=lambda g: g["chosen"] * 0, ref_rejected=lambda g: g["chosen"] * 0)),
    _bug("dpo", "beta_missing", "β is 1", "dpo_loss", given(beta=1.0)),
    _bug("dpo", "prompt_in_pairs", "tokens of prompts and padding count in both answers", "pairs",
         then(lambda pairs: replace(pairs, chosen_mask=pairs.chosen_mask | True,
                                    rejected_mask=pairs.rejected_mask | True))),
    _bug("dpo", "ties_are_pairs", "two answers that are as good make a pair", "pairs",
         then(lambda pairs: replace(pairs, valid=pairs.valid | True))),
)  # fmt: skip

FAULTS: tuple[Bug, ...] = (*SFT, *ANSWERS, *WORTH, *LOSSES, *PAIRS)
