"""Worked numbers as data: number, golden case and formula must agree."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rlcalc.audit.cases import printed
from rlcalc.audit.claims import Claim, load_claims
from rlcalc.audit.data_checks import data_check
from rlcalc.audit.runner import Run
from rlcalc.errors import DataError


def verdict(claim: Claim) -> tuple[str, str]:
    """Verdict and tie, whether or not the claim's chapter is converted."""
    check = data_check(claim)
    assert check is not None
    run = Run(claim, check)
    found, judged = run.judged()
    return judged.verdict, run.tie(found)


@pytest.mark.parametrize("id", ["L7.4-s1", "L8.4-counts", "L1.4-upd1", "L2.4-Gn", "L4.4-update"])
def test_several_numbers_are_tied(id: str) -> None:
    assert verdict(load_claims()[id]) == ("proved", "tied")


@pytest.mark.parametrize(
    ("id", "changes"),
    [
        ("L7.4-s1", {"expect": ("7.5", "6.0", "7.5")}),
        ("L7.4-s1", {"expect": ("7.0", "6.0", "6.0")}),
        ("L7.4-s1", {"check": "golden:ppo_clip/lecture-7.4-s2"}),
        ("L7.4-s1", {"output": ("clipped", "unclipped", "objective")}),
        # 8.5 is no number of the case, although the minimum stays
        ("L7.4-s1", {"formula": r"\min(8.5, 6.0) = 6.0"}),
        ("L7.4-s1", {"formula": r"\max(7.5, 6.0) = 6.0"}),
    ],
    ids=str,
)
def test_what_disagrees_is_noticed(id: str, changes: dict[str, Any]) -> None:
    judged, tie = verdict(replace(load_claims()[id], **changes))
    assert judged != "proved" or tie.startswith("differs")


@pytest.mark.parametrize(
    "changes",
    [
        {"expect": ("7.5", "6.0")},
        {"expect": None},
        {"check": ("golden:ppo_clip/lecture-7.4-s1", "golden:ppo_clip/lecture-7.4-s2")},
        {"check": "ppo_clip/lecture-7.4-s1"},
    ],
    ids=str,
)
def test_a_list_that_does_not_fit_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(DataError):
        data_check(replace(load_claims()["L7.4-s1"], **changes))


def test_printed_numbers_come_from_the_case() -> None:
    found = printed("ppo_clip/lecture-7.4-s1", "ppo_clip/lecture-7.4-s2:objective")
    assert [(one.right, one.status) for one in found] == [
        ("6.0", "holds"), ("7.5", "holds"), ("6.0", "holds"), ("-2.4", "holds"),
    ]  # fmt: skip
