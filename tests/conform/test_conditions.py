"""Functions that are right on some inputs: what is said first, and what a user has to declare."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rlcalc.conform import conform
from rlcalc.conform.conform_report import ConformReport
from rlcalc.conform.report.text import headline, summary_lines

from .as_it_stands import bugs


def entropy_of_logits(logits):
    return -(torch.softmax(logits, -1) * torch.log_softmax(logits, -1)).sum(-1)


def kl_of_swapped_logits(p_logits, q_logits):
    log_p, q = torch.log_softmax(p_logits, -1), torch.softmax(q_logits, -1)
    return torch.nn.functional.kl_div(log_p, q, reduction="none").sum(-1)


def entropy_of_probs(probs):
    return -(probs * torch.log(probs)).sum(-1)


def without_minus(p):
    return (p * np.log(p)).sum(-1)


def text(report: ConformReport) -> str:
    return "\n".join(line for line, _ in summary_lines(report, None))


@pytest.mark.slow
def test_a_bug_on_impossible_actions_alone_says_that_all_else_is_right() -> None:
    report = conform(entropy_of_probs, "entropy", random=10)
    assert (report.verdict, report.passed) == ("nan", False)
    assert headline(report).endswith("is right for entropy except where a probability is 0")
    assert "--convention positive-probabilities" in text(report)
    declared = conform(entropy_of_probs, "entropy", conventions=["positive-probabilities"], random=10)
    assert declared.passed


def test_the_sign_is_said_before_what_an_impossible_action_does() -> None:
    report = conform(without_minus, "entropy")
    assert headline(report).endswith(
        "is right for entropy under convention loss except where a probability is 0"
    )
    assert "loss: The negative" in text(report)


def token_rewards(scores, logprobs, ref_logprobs, mask, beta: float):
    rewards = -beta * (logprobs - ref_logprobs) * mask
    rewards[torch.arange(len(rewards)), mask.sum(1).long() - 1] += scores
    return rewards


@pytest.mark.slow
def test_a_last_token_that_is_counted_is_right_where_padding_comes_last() -> None:
    report = conform(token_rewards, "token_rewards", random=10)
    assert "except where a masked token stands before a valid one" in headline(report)
    declared = conform(token_rewards, "token_rewards", conventions=["padding-at-the-end"], random=30)
    assert declared.passed
    assert any(j.status == "passed" for j in declared.judgements)


def test_a_score_before_the_last_token_is_wrong_wherever_padding_stands() -> None:
    def early(scores, logprobs, ref_logprobs, mask, beta: float):
        rewards = -beta * (logprobs - ref_logprobs) * mask
        rewards[torch.arange(len(rewards)), (mask.sum(1).long() - 2).clamp(min=0)] += scores
        return rewards

    assert not conform(early, "token_rewards", conventions=["padding-at-the-end"], random=10).passed


def test_a_bug_beside_is_no_exception() -> None:
    report = conform(lambda p: -(p * np.log2(p)).sum(-1), "entropy")
    assert report.spared is None
    assert "except" not in headline(report)


@pytest.mark.parametrize("formula", ["token_entropy", "entropy"])
def test_masked_logits_are_a_capability(formula: str) -> None:
    report = conform(entropy_of_logits, formula)
    assert report.passed
    assert "masked logits" in report.not_tested
    assert "for a logit of −inf, as of a masked" in text(report)
    assert not conform(entropy_of_logits, formula, require=["masked-logits"]).passed


def test_a_divergence_of_logits_is_named_behind_its_edge() -> None:
    report = conform(kl_of_swapped_logits, "kl")
    assert bugs(report)[0] == "arguments-swapped"


def clipped(ratio, adv, eps: float):
    ratio = np.exp(np.clip(np.log(ratio), -20, 20))
    return -np.minimum(ratio * adv, np.clip(ratio, 1 - eps, 1 + eps) * adv).mean()


def wider_above(ratio, adv, eps: float):
    return -np.minimum(ratio * adv, np.clip(ratio, 1 - eps, 1 + 1.4 * eps) * adv).mean()


@pytest.mark.parametrize(
    ("function", "name"), [(clipped, "log-ratio-clamped-20"), (wider_above, "clip-higher-factor=1.4")]
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_convention_is_said_with_the_words_that_declare_it(function: Any, name: str) -> None:
    report = conform(function, "ppo_clip")
    assert report.verdict == "conforms-under-convention"
    assert headline(report).endswith("right, once that is declared")
    assert f"--convention {name}" in text(report)
    assert conform(function, "ppo_clip", conventions=[way.name for way in report.conventions]).passed
