"""Functions of one list of rewards: one list is one group, and a table is a batch of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from rlcalc.conform import conform
from rlcalc.conform.probing.requirements import SEVERAL_GROUPS
from tests.sweep import sweep

from .altered import altered
from .as_it_stands import bugs


def grpo_of_a_list(rewards, eps: float = 1e-6):
    mean = sum(rewards) / len(rewards)
    deviation = math.sqrt(sum((r - mean) ** 2 for r in rewards) / (len(rewards) - 1))
    return [(r - mean) / (deviation + eps) for r in rewards]


def grpo_of_a_list_by_the_variance(rewards, eps: float = 1e-6):
    mean = sum(rewards) / len(rewards)
    variance = math.fsum((r - mean) ** 2 for r in rewards) / (len(rewards) - 1)
    return [(r - mean) / (variance + eps) for r in rewards]


def rloo_of_an_array(rewards):
    """Of a table it would answer neither by rows nor as of one group."""
    n = rewards.shape[0]
    return rewards - (rewards.sum() - rewards) / (n - 1)


def rloo_by_id(rewards, group_ids):
    """Is told the groups, and does not look."""
    n = len(rewards)
    return rewards - (np.sum(rewards) - rewards) / (n - 1)


def rloo_of_all(rewards):
    """Takes a table, and compares all of it."""
    return rewards - (rewards.sum() - rewards) / (rewards.size - 1)


def normalised(rewards: list[float]):
    """Says that it takes a list of numbers, of which NumPy would take a table."""
    array = np.asarray(rewards)
    return (array - array.mean()) / (array.std(ddof=1) + 1e-6)


def adv(rewards):
    return (rewards - rewards.mean()) / (rewards.std() + 1e-8)


def adv_by_the_variance(rewards):
    return (rewards - rewards.mean()) / (rewards.var() + 1e-8)


def adv_of_prompts(rewards):
    """rewards: (num_prompts, group_size)"""
    return (rewards - rewards.mean()) / (rewards.std() + 1e-8)


def adv_with_a_comment(rewards):
    # [B, G]
    return (rewards - rewards.mean()) / (rewards.std() + 1e-8)


def adv_by_shape(rewards):
    count = rewards.shape[-1]
    return (rewards - rewards.mean()) / (rewards.std() + 1e-8) * (count / count)


@pytest.mark.parametrize(
    ("function", "formula"),
    [
        (grpo_of_a_list, "group_advantage"),
        (normalised, "group_advantage"),
        (rloo_of_an_array, "rloo_advantage"),
    ],
)
def test_one_list_is_one_group(function: Any, formula: str) -> None:
    report = conform(function, formula)
    assert report.verdict.startswith("conforms")
    assert report.not_tested[0] == SEVERAL_GROUPS
    required = conform(function, formula, require=["several-groups"])
    assert required.verdict == "nonconforming"


rloo_of_an_array_with_its_own = altered(
    rloo_of_an_array, {"(rewards.sum() - rewards) / (n - 1)": "rewards.sum() / n"}
)


@pytest.mark.parametrize(
    ("function", "formula", "bug"),
    [
        (grpo_of_a_list_by_the_variance, "group_advantage", "divided-by-the-variance"),
        (rloo_of_an_array_with_its_own, "rloo_advantage", "own-reward-in-the-baseline"),
        (rloo_by_id, "rloo_advantage", "groups-ignored"),
        (rloo_of_all, "rloo_advantage", "groups-ignored"),
    ],
)
def test_a_wrong_list_and_a_batch_without_its_groups_are_named(function: Any, formula: str, bug: str) -> None:
    report = conform(function, formula)
    assert report.verdict == "nonconforming"
    assert bug in bugs(report)


def test_what_compares_a_whole_table_is_right_where_it_is_said_to_get_one_group() -> None:
    accused = conform(rloo_of_all, "rloo_advantage")
    assert any("--no-batch" in note for note in accused.notes)
    alone = conform(rloo_of_all, "rloo_advantage", batches=False)
    assert alone.verdict.startswith("conforms")
    assert SEVERAL_GROUPS in alone.not_tested


@pytest.mark.parametrize(
    ("function", "said"),
    sweep(
        [
            (adv, "conforms-under-convention"),
            (adv_by_the_variance, "divided-by-the-variance"),
            (adv_of_prompts, "statistics-over-whole-batch"),
            (adv_with_a_comment, "statistics-over-whole-batch"),
            (adv_by_shape, "statistics-over-whole-batch"),
        ],
        2,
    ),
)
def test_what_speaks_of_no_rows_is_read_as_of_one_group(function: Any, said: str) -> None:
    report = conform(function, "grpo_advantage")
    assert said in [report.verdict, *bugs(report)]
    one = any("one group a call" in note for note in report.notes)
    assert one == ("batches" in report.not_tested) == (function in (adv, adv_by_the_variance))
    required = conform(function, "grpo_advantage", require=["batches"])
    assert required.verdict == "nonconforming"
