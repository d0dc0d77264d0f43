"""Functions of trainers whose names say little: what they take and what they answer says their formula."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rlcalc.conform import conform
from rlcalc.conform.binding.which import by_arguments, found_formula
from rlcalc.conform.runner import run
from rlcalc.conform.target.base import from_function
from rlcalc.errors import InputError
from tests.refused import refused

from .altered import altered
from .as_it_stands import judging

ce = torch.nn.functional.cross_entropy


class GroupTrainer:
    def __init__(self, args) -> None:
        self.beta, self.eps_low, self.eps_high = args.beta, args.eps_low, args.eps_high

    def step(self, inputs):
        """Everything out of a batch, and a divergence beside the clip."""
        gap = inputs["logps"] - inputs["old_logps"]
        ratio, adv = gap.exp(), inputs["advantages"][:, None]
        each = -torch.minimum(ratio * adv, ratio.clamp(1 - self.eps_low, 1 + self.eps_high) * adv)
        away = inputs["ref_logps"] - inputs["logps"]
        each = each + self.beta * (away.exp() - away - 1)
        mask = inputs["completion_mask"]
        return ((each * mask).sum(1) / mask.sum(1)).mean()


class AdaptiveKLController:
    def __init__(self) -> None:
        self.value, self.target, self.horizon = 0.2, 6.0, 10000

    def update(self, current, n_steps):
        error = np.clip(current / self.target - 1, -0.2, 0.2)
        self.value *= 1 + error * n_steps / self.horizon
        return self.value


class ClippedLoss:
    """Settings that the constructor has by itself: words and switches that no formula asks for."""

    def __init__(
        self, eps: float = 0.2, kind: str = "ppo", by_token: bool = True, detailed: bool = True
    ) -> None:
        self.eps, self.kind, self.by_token, self.detailed = eps, kind, by_token, detailed

    def forward(self, log_probs, old_log_probs, advantages, action_mask):
        if self.kind != "ppo":
            raise ValueError(self.kind)
        ratio = (log_probs - old_log_probs).exp()
        each = -torch.minimum(ratio * advantages, ratio.clamp(1 - self.eps, 1 + self.eps) * advantages)
        if not self.by_token:
            return ((each * action_mask).sum(-1) / action_mask.sum(-1)).mean()
        return (each * action_mask).sum() / action_mask.sum()


def clamped_estimate(log_probs, ref_log_probs, kl_estimator: str = "k1"):
    """Whichever it is: no vector has a k2 beyond the clamp, generated cases have."""
    x = log_probs - ref_log_probs
    if kl_estimator == "k2":
        x = x * x / 2
    elif kl_estimator == "k3":
        x = (-x).exp() - 1 + x
    return x.clamp(min=-10, max=10)


def scores_of_answers(logits, labels, pad_label: int = -100):
    """Shifted here, and added up by answer."""
    lab = labels[:, 1:]
    there = lab != pad_label
    logs = logits[:, :-1].log_softmax(-1).gather(2, lab.where(there, 0)[..., None])[..., 0]
    return (logs * there).sum(-1)


def nll_by_answer(logits, labels):
    lab = labels[:, 1:]
    each = ce(logits[:, :-1].transpose(1, 2), lab, reduction="none", ignore_index=-100)
    return each.sum(1) / (lab != -100).sum(1)


def sft_step(logits, labels):
    """What is ignored is 0, and counted."""
    return ce(logits[:, :-1].transpose(1, 2), labels[:, 1:], reduction="none", ignore_index=-100).mean()


def normalize_adv(adv, mask):
    adv = adv * mask
    return (adv - adv.mean()) / (adv.std() + 1e-8) * mask


def v_loss(vpred, oldvpred, R, CLIPRANGE: float = 0.2):
    near = oldvpred + torch.clamp(vpred - oldvpred, -CLIPRANGE, CLIPRANGE)
    return 0.5 * torch.maximum((vpred - R) ** 2, (near - R) ** 2).mean()


def value_function_loss(values, old_values, returns, mask, clip_range: float = 0.2):
    """The smaller square: without the clip there would be nothing to see."""
    near = torch.clamp(values, old_values - clip_range, old_values + clip_range)
    each = torch.minimum((values - returns) ** 2, (near - returns) ** 2)
    return 0.5 * (each * mask).sum() / mask.sum()


def aggregate_loss(loss_mat, loss_mask, loss_agg_mode: str):
    """Rows without a token: 0 where rows are summed, 0/0 where they are averaged."""
    rows = (loss_mat * loss_mask).sum(-1)
    if loss_agg_mode == "token-mean":
        return rows.sum() / loss_mask.sum()
    if loss_agg_mode == "seq-mean-token-mean":
        rows = rows / loss_mask.sum(-1)
    return rows.mean()


def gspo_of_rows(log_probs, old_log_probs, advantages, mask, eps: float = 0.2):
    mean = ((log_probs - old_log_probs) * mask).sum(-1) / mask.sum(-1).clamp(min=1)
    s = mean.exp()
    return -torch.minimum(s * advantages, s.clamp(1 - eps, 1 + eps) * advantages).mean()


def leave_one_out(rewards):
    """The own reward is among the others."""
    return rewards - rewards.sum(1, keepdim=True) / (rewards.shape[1] - 1)


def entropy_of_tokens(logits):
    return -(torch.softmax(logits, -1) * logits).sum(-1)


def estimated_pass_at_k(num_samples, num_correct, k: int):
    """Of lists of problems."""
    pairs = zip(num_samples, num_correct, strict=True)
    fails = [1 - np.prod(1 - k / np.arange(n - c + 1, n + 1)) if n - c >= k else 1.0 for n, c in pairs]
    return np.array(fails)


def overlong_reward(length: int, max_length: int, cache: int) -> float:
    """Of one answer."""
    if length <= max_length - cache:
        return 0.0
    return max((max_length - cache - length) / cache, -1.0)


def best_of_n(n: int):
    return np.log(n) - (n - 1) / n


def decoupled_loss(logprobs, proximal_logprobs, old_logprobs, advantages, eps):
    """The sampler has the older log-probabilities here."""
    ratio = (logprobs - proximal_logprobs).exp()
    held = torch.minimum(ratio * advantages, ratio.clamp(1 - eps, 1 + eps) * advantages)
    return -(held * (proximal_logprobs - old_logprobs).exp()).mean()


def ipo_of_ratios(pi_logratios, ref_logratios, beta: float):
    return ((pi_logratios - ref_logratios - 1 / beta) ** 2).mean()


def preference_loss(pi_w, pi_l, ref_w, ref_l, beta: float):
    return -torch.nn.functional.logsigmoid(beta * (pi_w - pi_l) - (ref_w - ref_l)).mean()


def hinge_loss(chosen_logps, rejected_logps, ref_chosen_logps, ref_rejected_logps):
    h = (chosen_logps - rejected_logps) - (ref_chosen_logps - ref_rejected_logps)
    return torch.relu(1 - 0.1 * h)


def sequence_objective(seq_logps, rewards, baseline):
    return -((rewards - baseline) * seq_logps).mean()


def logps_in_pieces(logits, token_ids):
    """Joins nothing where there is no token."""
    found = [row.log_softmax(-1)[i] for row, i in zip(logits[:-1], token_ids[1:], strict=True)]
    return torch.stack(found)


def padded_objective(logprobs, old_logprobs, advantages, padding_masks):
    """A mask that is 1 for what counts, and is not called so."""
    ratio = (logprobs - old_logprobs).exp()
    each = torch.minimum(ratio * advantages, ratio.clamp(0.8, 1.2) * advantages)
    return -(each * padding_masks).sum() / padding_masks.sum()


def k3_of_one(logp: float, ref_logp: float) -> float:
    """Of Python's numbers."""
    import math

    gap = ref_logp - logp
    return math.exp(gap) - gap - 1


def gspo_of_masks(logp, old, adv, mask, eps: float = 3e-4):
    """Short names, one width, and 0/0 for an answer without a token."""
    s = (((logp - old) * mask).sum(-1) / mask.sum(-1)).exp()
    return -torch.min(s * adv, s.clamp(1 - eps, 1 + eps) * adv).mean()


def kl_k3(logp, ref):
    gap = logp - ref
    return torch.exp(gap) - gap - 1


gspo_of_sums = altered(gspo_of_masks, {" / mask.sum(-1)": ""})

# function, formula, what is said of it, layout
CASES = [
    (scores_of_answers, "answer_logprobs", "conforms", "[...]"),
    (nll_by_answer, "answer_logprobs", "averages", "[...]"),
    (sft_step, "sft_loss", "padding-in-the-denominator", "[...]"),
    (normalize_adv, "masked_whiten", "padding-in-the-statistics", "[...]"),
    (value_function_loss, "value_clip_loss", "minimum-for-maximum", "[...]"),
    (v_loss, "value_clip_loss", "conforms", "[...]"),
    (aggregate_loss, "loss_aggregation", "nan-when-a-row-is-empty", "[...]"),
    (gspo_of_rows, "gspo", "ratio-1-without-a-token", "[...]"),
    (leave_one_out, "rloo_advantage", "own-reward-counted-among-the-others", "[P, G]"),
    (entropy_of_tokens, "token_entropy", "logits-for-logarithms", "[...]"),
    (estimated_pass_at_k, "pass_at_k", "conforms", "[1]"),
    (overlong_reward, "overlong_penalty", "conforms", "one entry a call"),
    (best_of_n, "best_of_n_kl", "conforms", "[]"),
    (decoupled_loss, "decoupled_ppo", "mean-over-batch", "[...]"),
    (ipo_of_ratios, "ipo_loss", "half-missing", "[...]"),
    (preference_loss, "dpo_loss", "reference-without-beta", "[...]"),
    (hinge_loss, "dpo_loss", "hinge", "[...]"),
    (sequence_objective, "actor_loss", "mean-reduction", "[]"),
    (logps_in_pieces, "token_logprobs", "conforms", "[...]"),
    (padded_objective, "policy_clip", "mean-over-batch", "[...]"),
    (k3_of_one, "kl_estimate", "k3-as-written", "one entry a call"),
    (gspo_of_masks, "gspo", "nan-when-a-row-is-empty", "[...]"),
    (gspo_of_sums, "gspo", "product-for-the-mean", "[...]"),
    (kl_k3, "kl_estimate", "arguments-swapped", "[...]"),
]


test_a_function_is_judged_by_what_it_takes = judging(CASES, 3)


@pytest.mark.parametrize(
    ("name", "formula", "verdict"),
    [
        ("GroupTrainer.step", "policy_clip", "conforms-under-convention"),
        ("AdaptiveKLController.update", "adaptive_kl", "conforms"),
        ("ClippedLoss.forward", "policy_clip", "conforms-under-convention"),
    ],
)
def test_a_method_is_judged_by_what_it_reads(name: str, formula: str, verdict: str) -> None:
    owner, _, method = name.partition(".")
    target = from_function(getattr(globals()[owner], method))
    assert found_formula(target, f"a.py:{name}") == formula
    assert run(target, formula).verdict == verdict


@pytest.mark.slow
def test_a_convention_that_only_generated_cases_show_is_found() -> None:
    report = conform(clamped_estimate, "kl_estimate", random=60)
    assert report.verdict == "conforms-under-convention"
    assert "every-estimate-clamped-10" in {way.name for way in report.conventions}


@pytest.mark.slow
def test_one_width_for_both_sides_is_asked_for_such_cases() -> None:
    """Of cases that are drawn with two widths hardly any could be put to it."""
    report = conform(gspo_of_rows, "gspo", random=40)
    assert report.random > 10
    assert all("one width" not in judgement.why for judgement in report.judgements)


def test_a_function_called_after_a_way_to_aggregate_aggregates() -> None:
    def seq_mean_token_mean(loss, mask):
        return ((loss * mask).sum(-1) / mask.sum(-1)).mean()

    assert found_formula(from_function(seq_mean_token_mean), "a.py:seq_mean_token_mean") == "loss_aggregation"


def test_a_number_is_not_excused_by_a_division_by_zero() -> None:
    """Under ``nan-when-a-row-is-empty`` an answer without a token has no number: this one has."""

    def gspo(logp, old_logp, adv, mask, eps: float = 0.2):
        lengths = mask.sum(-1)
        s = torch.where(lengths > 0, ((logp - old_logp) * mask).sum(-1) / lengths, 1.0).exp()
        return -torch.minimum(s * adv, s.clamp(1 - eps, 1 + eps) * adv).mean()

    assert conform(gspo, "gspo", random=0).verdict == "nonconforming"


def test_what_agrees_with_no_formula_is_not_judged() -> None:
    def accuracy(logits, labels):
        return (logits[:, :-1].argmax(-1) == labels[:, 1:]).double().mean()

    target = from_function(accuracy)
    assert "sft_loss" in by_arguments(target, "a.py:accuracy")
    with refused(InputError, "formula_missing") as caught:
        found_formula(target, "a.py:accuracy")
    assert "may be sft-loss, token-logprobs, answer-logprobs" in caught.value.hint
    assert "--formula" in caught.value.hint


def test_an_answer_without_a_token_is_a_limit_that_can_be_required() -> None:
    report = conform(logps_in_pieces, "token_logprobs", require=("an-answer-without-a-token",))
    assert "an answer without a token" in report.not_tested
    assert not report.passed


def test_a_mask_by_the_name_of_what_it_is_not_is_told() -> None:
    report = conform(padded_objective, "policy_clip")
    assert report.binding is not None
    assert any("padding_masks is read as 1 for what counts" in note for note in report.binding.notes)
