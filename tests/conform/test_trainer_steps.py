"""Steps of trainers: losses with others beside them, and textbook names for many answers under a mask."""

from __future__ import annotations

from operator import add, sub
from typing import Any

import pytest
import torch

from rlcalc.conform import conform
from rlcalc.conform.binding.words.names import roles_of
from rlcalc.conform.binding.words.spelling import spellings
from rlcalc.conform.report.text import headline
from tests.sweep import sweep

from .as_it_stands import bugs, judging


def mean_of(x, mask):
    return (x * mask).sum() / mask.sum().clamp(min=1)


def clipped(ratio, adv, low, high):
    return -torch.minimum(ratio * adv, ratio.clamp(1 - low, 1 + high) * adv)


def k3(logp, ref):
    return (ref - logp).exp() - (ref - logp) - 1


def ppo_loss(
    logprobs,
    old_logprobs,
    advantages,
    returns,
    values,
    old_values,
    mask,
    clip_eps: float,
    clip_eps_vf: float,
    value_coeff: float,
    entropy_coeff: float,
    vocab_logits,
) -> dict[str, Any]:
    """Policy, values and entropy in one sum."""
    policy = mean_of(clipped((logprobs - old_logprobs).exp(), advantages, clip_eps, clip_eps), mask)
    held = old_values + (values - old_values).clamp(-clip_eps_vf, clip_eps_vf)
    value = mean_of(torch.maximum((values - returns) ** 2, (held - returns) ** 2), mask)
    log_p = vocab_logits.log_softmax(-1)
    entropy = mean_of(-(log_p.exp() * log_p).sum(-1), mask)
    return {"loss": policy + value_coeff * value - entropy_coeff * entropy, "value": value}


def ppo_step_loss(logp, old_logp, adv, mask, values, returns, entropy):
    """Coefficients in the body; the larger product is taken."""
    ratio = (logp - old_logp).exp()
    policy = mean_of(-torch.maximum(ratio * adv, ratio.clamp(0.8, 1.2) * adv), mask)
    return policy + 0.5 * mean_of((values - returns) ** 2, mask) - 0.01 * mean_of(entropy, mask)


def gspo_loss(logps, old_logps, logps_ref, advantages, mask, eps_lo, eps_hi, beta):
    """Advantages beside tokens, and a divergence."""
    ratio = ((logps - old_logps) * mask).sum(-1, keepdim=True) / mask.sum(-1, keepdim=True).clamp(min=1)
    each = clipped(ratio.exp(), advantages, eps_lo, eps_hi) + beta * k3(logps, logps_ref)
    return ((each * mask).sum(-1) / mask.sum(-1).clamp(min=1)).mean()


def cispo_loss(logps, old_logps, logps_ref, advantages, mask, clip_eps_hi, kl_coeff):
    """A divergence beside the weighted log-probabilities; the gradient goes through the weight."""
    weight = (logps - old_logps).exp().clamp(max=clip_eps_hi)
    return mean_of(-weight * advantages * logps + kl_coeff * k3(logps, logps_ref), mask)


test_a_loss_is_judged_with_the_others_beside_it_at_0 = judging(
    [
        (ppo_loss, "policy_clip", "mean-over-batch", "[...]"),
        (gspo_loss, "gspo", "count-all-rows", "[N, T], advantages [N, T]"),
        (cispo_loss, "cispo", "weight-not-detached", "[...]"),
    ]
)


def kto_loss(
    policy_chosen_logps,
    policy_rejected_logps,
    policy_KL_logps,
    reference_chosen_logps,
    reference_rejected_logps,
    reference_KL_logps,
    beta: float = 0.1,
):
    """Pairs; a negative estimate of the divergence is used as it is."""
    kl = (policy_KL_logps - reference_KL_logps).mean().detach()
    good = 1 - torch.sigmoid(beta * (policy_chosen_logps - reference_chosen_logps - kl))
    bad = 1 - torch.sigmoid(beta * (kl - (policy_rejected_logps - reference_rejected_logps)))
    return torch.cat([good, bad]), kl


def kto_of_pairs(
    chosen_logps, rejected_logps, ref_chosen_logps, ref_rejected_logps, kl_logps, kl_ref_logps, beta: float
):
    kl = (kl_logps - kl_ref_logps).mean().clamp(min=0).detach()
    good = 1 - torch.sigmoid(beta * (chosen_logps - ref_chosen_logps - kl))
    return good.mean() + (1 - torch.sigmoid(beta * (kl - rejected_logps + ref_rejected_logps))).mean()


def orpo_loss(chosen_logps, rejected_logps, nll_loss, beta: float):
    """The likelihood is given."""
    gap = torch.log(-torch.expm1(chosen_logps)) - torch.log(-torch.expm1(rejected_logps))
    odds = chosen_logps - rejected_logps - gap
    return nll_loss - beta * torch.nn.functional.logsigmoid(odds)


def orpo_loss_with_an_eps(chosen_logps, rejected_logps, beta: float):
    rest = torch.log(1 - chosen_logps.exp() + 1e-8) - torch.log(1 - rejected_logps.exp() + 1e-8)
    return -chosen_logps - beta * torch.nn.functional.logsigmoid(chosen_logps - rejected_logps - rest)


def orpo_loss_with_a_floor(chosen_logps, rejected_logps, beta: float):
    rest = [torch.log((1 - logps.exp()).clamp(min=1e-6)) for logps in (chosen_logps, rejected_logps)]
    odds = chosen_logps - rejected_logps - (rest[0] - rest[1])
    return (-chosen_logps - beta * torch.nn.functional.logsigmoid(odds)).mean()


def orpo_loss_of_held_odds(chosen_logps, rejected_logps, beta: float):
    held = orpo_loss_held(chosen_logps, rejected_logps, beta)
    return held + chosen_logps.clamp(max=-1e-4) - chosen_logps


def orpo_loss_held(chosen_logps, rejected_logps, beta: float):
    """No answer is so likely that nothing is left of 1 − exp(a)."""
    better, worse = chosen_logps.clamp(max=-1e-4), rejected_logps.clamp(max=-1e-4)
    return orpo_loss(better, worse, -better, beta)


def loo_advantages(rewards):
    """A column for each prompt, and no answer to one that has a single answer."""
    others = 1 / (rewards.shape[0] - 1)
    return (rewards - rewards.mean(0)) * rewards.shape[0] * others


def shaped_rlhf_rewards(scalar_rewards, p_logprobs, q_logprobs, mask, kl_coef: float):
    """Valid tokens are counted from the left, and an answer may have none."""
    found = -kl_coef * (p_logprobs - q_logprobs) * mask
    rows = mask.sum(1) > 0
    last = mask.sum(1).long().clamp(min=1) - 1
    found[torch.arange(len(last))[rows], last[rows]] += scalar_rewards[rows]
    return found


def token_rewards(scores, logprobs, ref_logprobs, mask, kl_coef: float):
    """The scores come as a column."""
    last = mask.sum(1, keepdim=True).long() - 1
    return (-kl_coef * (logprobs - ref_logprobs) * mask).scatter_add(1, last, scores)


def preference_objective(pi_logps_w, pi_logps_l, ref_logps_w, ref_logps_l, beta):
    """Winners and losers, and the references are forgotten."""
    return -torch.nn.functional.logsigmoid(
        beta * (pi_logps_w - pi_logps_l) + 0 * (ref_logps_w - ref_logps_l)
    ).mean()


def row_loss(new_logps, behavior_logps, masks, row_advantages, clip_low, clip_high):
    """A number for each row, of which three are no columns that were put in."""
    each = clipped((new_logps - behavior_logps).exp(), row_advantages[:, None], clip_low, clip_high)
    return (each * masks).sum(1) / masks.sum(1).clamp(min=1)


def penalised_loss(logp, old_logp, adv, kl_penalty, eps_low, eps_high):
    return (clipped((logp - old_logp).exp(), adv, eps_low, eps_high) + 0.1 * kl_penalty).mean()


test_a_loss_is_read_by_what_it_is_given = judging(
    [
        (kto_loss, "kto_loss", "clamp-forgotten", "[...]"),
        (kto_of_pairs, "kto_loss", "means-of-kinds", "[...]"),
        (orpo_loss, "orpo_loss", "conforms", "[...]"),
        (orpo_loss_with_an_eps, "orpo_loss", "odds-eps=1e-8", "[...]"),
        (orpo_loss_with_a_floor, "orpo_loss", "odds-floor=1e-6", "[...]"),
        (orpo_loss_of_held_odds, "orpo_loss", "odds-held=0.0001", "[...]"),
        (orpo_loss_held, "orpo_loss", "averages-held=0.0001", "[...]"),
        (loo_advantages, "rloo_advantage", "conforms", "[G, P]"),
        (shaped_rlhf_rewards, "token_rewards", "conforms", "[...]"),
        (token_rewards, "token_rewards", "score-at-the-count", "[N, T], one number an answer as [N, 1]"),
        (preference_objective, "dpo_loss", "reference-forgotten", "[...]"),
        (row_loss, "policy_clip", "loss", "[K, 1], one advantage a row"),
        (penalised_loss, "policy_clip", "mean-over-batch", "[...]"),
    ]
)


class Advantages:
    """Under a mask of what is there, without a word about gaps; the value in the padding may be let in."""

    def __init__(self, lets_in: bool) -> None:
        self.lets_in = lets_in

    def compute_gae(self, rewards, values, mask, gamma: float, lam: float):
        mask = mask.to(values.dtype)
        seen = values if self.lets_in else values * mask
        after = torch.cat([seen[:, 1:], torch.zeros_like(seen[:, :1])], 1)
        delta = (rewards + gamma * after - values) * mask
        found, last = torch.zeros_like(delta), torch.zeros_like(delta[:, 0])
        for t in reversed(range(delta.shape[1])):
            last = delta[:, t] + gamma * lam * last
            found[:, t] = last
        return found * mask, (found + values) * mask


def reversed_k3(logp, ref):
    return k3(ref, logp)


def group_loss(divergence):
    """A divergence from the reference in every token."""

    def loss(logps, old_logps, ref_logps, advantages, mask, eps: float, beta: float):
        policy = clipped((logps - old_logps).exp(), advantages[:, None], eps, eps)
        tokens = policy + beta * divergence(logps, ref_logps)
        return ((tokens * mask).sum(1) / mask.sum(1)).mean()

    return loss


def group_objective(put):
    """The divergence taken from the objective, or put to it."""

    def objective(logps, old_logps, ref_logps, advantages, beta: float):
        policy = -clipped((logps - old_logps).exp(), advantages, 0.2, 0.2)
        return put(policy, beta * k3(logps, ref_logps)).mean()

    return objective


def summed_loss(of_two):
    """Policy, values within a clip, and an entropy that it is given."""

    def loss(
        new_logp, old_logp, adv, values, old_values, returns, entropy,
        clip: float = 0.2, vf_coef: float = 0.5, ent_coef: float = 0.01
    ):  # fmt: skip
        held = old_values + (values - old_values).clamp(-clip, clip)
        of_values = 0.5 * of_two((values - returns) ** 2, (held - returns) ** 2).mean()
        policy = clipped((new_logp - old_logp).exp(), adv, clip, clip).mean()
        return policy + vf_coef * of_values - ent_coef * entropy.mean()

    return loss


def plain_loss(error, put):
    """The same with an error of values of its own, and the entropy put to it or taken from it."""

    def loss(
        new_logp, old_logp, adv, values, returns, entropy,
        vf_coef: float, ent_coef: float
    ):  # fmt: skip
        policy = clipped((new_logp - old_logp).exp(), adv, 0.2, 0.2).mean()
        return put(policy + vf_coef * error(values - returns), ent_coef * entropy.mean())

    return loss


def actor_loss(put):
    def loss(log_probs, values, returns, entropies, vf_coef: float = 0.5, ent_coef: float = 0.01):
        policy = -(log_probs * (returns - values.detach())).mean()
        return put(policy + vf_coef * ((returns - values) ** 2).mean(), ent_coef * entropies.mean())

    return loss


def mean_square(error):
    return (error**2).mean()


def square_of_mean(error):
    return error.mean() ** 2


CLIP, ACTOR = "policy_clip", "actor_loss"
VALUES = "the loss of values (values, returns, old_values)"
RIGHT_TERMS = [
    (
        actor_loss(sub),
        ACTOR,
        ["the loss of values (values, returns) conforms", "the entropy (entropies) conforms"],
    ),
    (group_loss(k3), CLIP, ["the divergence (logps, ref_logps) conforms to kl_estimate"]),
    (group_objective(sub), CLIP, ["the divergence (logps, ref_logps) conforms to kl_estimate"]),
    (ppo_loss, CLIP, [f"{VALUES} conforms to value_clip_loss", "the entropy (vocab_logits) conforms"]),
    (summed_loss(torch.maximum), CLIP, [f"{VALUES} conforms to value_clip_loss", "the entropy conforms"]),
]
WRONG_TERMS = [
    (actor_loss(add), ACTOR, "the entropy", "entropy-sign"),
    (group_loss(reversed_k3), CLIP, "the divergence", "arguments-swapped"),
    (summed_loss(torch.minimum), CLIP, "the loss of values", "minimum-for-maximum"),
    (plain_loss(mean_square, add), CLIP, "the entropy", "entropy-sign"),
    (group_objective(add), CLIP, "the divergence", "divergence-maximised"),
    (plain_loss(square_of_mean, sub), CLIP, "the loss of values", "squared-after-reduction"),
]


@pytest.mark.parametrize(("function", "formula", "said"), sweep(RIGHT_TERMS, 1))
def test_what_is_0_beside_a_loss_is_judged_as_well(function: Any, formula: str, said: list[str]) -> None:
    report = conform(function, formula, random=20)
    assert report.formula == formula
    assert report.verdict == "conforms-under-convention"
    for text in said:
        assert any(note.startswith(text) for note in report.notes), report.notes


@pytest.mark.parametrize(("function", "formula", "part", "bug"), sweep(WRONG_TERMS, 2))
def test_a_bug_beside_a_loss_is_missed_by_no_verdict(
    function: Any, formula: str, part: str, bug: str
) -> None:
    report = conform(function, formula, random=20)
    assert report.verdict == "nonconforming"
    assert headline(report).endswith(f"differs from {report.formula} in {part}")
    assert bugs(report) == [bug]
    assert report.without is not None
    assert report.without.verdict == "conforms-under-convention"


@pytest.mark.slow
def test_a_divergence_with_its_weight_in_the_body_is_not_tested() -> None:
    def loss(logps, old_logps, ref_logps, advantages):
        return mean_of(
            clipped((logps - old_logps).exp(), advantages, 0.2, 0.2) + 0.04 * k3(logps, ref_logps),
            torch.ones_like(logps),
        )

    assert "the divergence (logps, ref_logps)" in conform(loss, "policy_clip").not_tested


def group_advantages(rewards, group_size: int):
    """All prompts of a batch are taken for one."""
    return (rewards.view(-1, group_size) - rewards.mean()).view(-1)


@pytest.mark.parametrize(
    ("function", "asked", "formula", "said"),
    [
        (Advantages(False).compute_gae, "gae", "token_gae", "conforms"),
        (Advantages(True).compute_gae, "gae", "token_gae", "padding-bootstrapped"),
        (ppo_step_loss, "ppo_clip", "policy_clip", "maximum-for-minimum"),
        (group_advantages, "grpo_advantage", "group_advantage", "groups-ignored"),
    ],
)
def test_a_textbook_name_hides_nothing_of_many_answers(
    function: Any, asked: str, formula: str, said: str
) -> None:
    report = conform(function, asked)
    assert report.formula == formula
    assert said in [report.verdict, *bugs(report)]
    assert report.passed == (said == "conforms")
    assert not report.passed or "masked tokens between valid ones" in report.not_tested


class Clipped:
    """Has two bounds."""

    def __init__(self, clip_lower: float, clip_upper: float) -> None:
        self.clip_lower, self.clip_upper = clip_lower, clip_upper


class ClippedOnOneSide(Clipped):
    def policy_loss(self, logp, old_logp, adv, mask):
        each = clipped((logp - old_logp).exp(), adv, self.clip_lower, self.clip_lower)
        return (each * mask).sum() / mask.sum()


def test_a_bound_that_an_object_has_and_its_loss_ignores_is_missed() -> None:
    report = conform(ClippedOnOneSide.policy_loss, "policy_clip")
    assert "upper-bound-ignored" in bugs(report)


def test_words_of_a_name_may_stand_in_any_order_and_spelling() -> None:
    assert roles_of("clip_eps_lo", "policy_clip") == ("eps_low",)
    assert roles_of("chosen_reference_logps", "dpo_loss") == ("ref_chosen",)
    assert roles_of("something_lo", "policy_clip") == ()
    assert "simpo_loss" in spellings("SimPOLoss")
    assert "policy_loss" in spellings("PolicyLoss")


def test_what_is_declared_says_which_formula_is_meant() -> None:
    def compute_advantages(rewards, num_generations: int):
        groups = rewards.view(-1, num_generations)
        found = (groups - groups.mean(1, keepdim=True)) / (groups.std(1, keepdim=True) + 1e-6)
        return found.view(-1)

    report = conform(compute_advantages, "grpo_advantage", conventions=["ddof-1", "eps-1e-6"])
    assert report.formula == "grpo_advantage"
    assert report.passed
