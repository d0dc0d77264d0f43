"""Taxonomy as data: what a table does not have is refused, and what it says decides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rlcalc.audit import tables
from rlcalc.audit.claims import Claim, TableFact, load_claims
from rlcalc.audit.data_checks import table_facts
from rlcalc.audit.runner import Run, run_claim
from rlcalc.audit.verdict import Repair

CRITIC = {
    "what": "PPO learns a critic",
    "table": "algorithms",
    "row": "PPO",
    "column": "critic",
    "value": "yes",
}


def claim(section: str = "3.2", repair: Repair | None = None, **changes: Any) -> Claim:
    fact = TableFact(**{**CRITIC, **changes})  # type: ignore[arg-type]
    return Claim(f"L{section}-a", "taxonomy/historical", "A.", ("a paper",), fact=(fact,), repair=repair)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"table": "algorithm"}, "There is no table 'algorithm'"),
        ({"row": "PPO2"}, "algorithms has no row 'PPO2'"),
        ({"row": "", "rows": ("PPO", "TRPQ")}, "algorithms has no row 'TRPQ'"),
        ({"column": "critics"}, "Algorithm has no column 'critics'"),
        ({"row": "", "where": {"policies": True}}, "Algorithm has no column 'policies'"),
    ],
)
def test_what_is_not_there_is_refused(changes: dict[str, Any], message: str) -> None:
    one = claim(**changes)
    outcome = run_claim(one, None)
    assert outcome.verdict == "undecided"
    assert message in outcome.fault


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "recorded"),
        ({"value": "no"}, "refuted"),
        ({"row": "", "rows": ("PPO", "A2C")}, "recorded"),
        ({"row": "", "rows": ("PPO", "GRPO")}, "refuted"),
        ({"row": "", "where": {"policy": True}}, "refuted"),
        ({"row": "", "where": {"name": "nobody's"}}, "undecided"),
        ({"relation": "in", "value": ["yes", "optional"]}, "recorded"),
        ({"relation": "not in", "value": ["no"]}, "recorded"),
    ],
)
def test_the_rows_decide(changes: dict[str, Any], verdict: str) -> None:
    assert run_claim(claim(**changes)).verdict == verdict


def test_another_table_another_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    one = load_claims()["L0-taxonomy-three"]
    assert run_claim(one).verdict == "imprecise"
    rows = dict(tables.table("algorithms"))
    rows["PPO"] = replace(rows["PPO"], critic="no")
    monkeypatch.setattr(tables, "table", lambda name: rows)
    assert run_claim(one).verdict not in ("imprecise", "recorded")


@pytest.mark.parametrize(
    ("section", "unchanged", "statuses"),
    [
        ("3.2", (), ["holds"]),
        ("1.4", (), ["fails"]),
        ("1.4", ("n_step_return/lecture-1.4-n1:return",), ["holds"]),
        ("7.4", ("ppo_clip/lecture-7.4-s1",), ["holds"] * 3),
    ],
)
def test_a_reading_needs_printed_numbers_that_stay_or_none(
    section: str, unchanged: tuple[str, ...], statuses: list[str]
) -> None:
    one = claim(section, Repair("reading", "So.", unchanged=unchanged), role="repair")
    found = Run(one, table_facts(one)).found({})
    assert [piece.status for piece in found.unchanged] == statuses
