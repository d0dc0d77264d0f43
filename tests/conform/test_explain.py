"""``rlcalc explain``: every name that conform prints has a page."""

from __future__ import annotations

import json
import re

import pytest

from rlcalc.cli import main
from rlcalc.conform.explain import explain
from rlcalc.conform.fault import Fault, read_diff
from rlcalc.conform.faults import catalogue, formulas_with_faults
from tests.sweep import sweep


@pytest.mark.parametrize("formula", sweep(formulas_with_faults(), 20))
def test_every_name_is_explained_and_its_vectors_are_found(formula: str) -> None:
    known = catalogue(formula)
    for entry in known.faults[:3]:
        (found,) = explain(entry.name, formula)
        assert found.entry == entry
        # what --self-check demands of every fault
        assert len(found.vectors) >= 2
    assert all(explain(way.name, formula) for way in known.conventions[:1])


def test_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "recursion-crosses-truncation", "--formula", "gae"]) == 0
    out = capsys.readouterr().out
    for label in ("what", "shown when", "why", "fix", "diff", "reported in", "detected by"):
        assert re.search(rf"\n  {label}\s", out)
    assert "- adv = delta" in out
    assert "truncated-inside" in out
    assert "\nlambda_return" not in out
    assert main(["explain", "loss", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {one["kind"] for one in found} == {"convention"}
    assert "ppo_clip" in {one["formula"] for one in found}


def test_nothing_is_wider_than_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "bootstrap-after-terminal", "constant-missing"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("bootstrap-after-terminal (termination; ")
    assert all(len(line) <= 80 for line in lines)


def test_of_many_vectors_the_first_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "sign-flipped", "--formula", "gae"]) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert re.search(r"detected by (\d+) vectors: [^ ]+(, [^ ]+){5} and \d+ more$", words)


@pytest.mark.parametrize("words", [[], ["recursion-crosses"], ["loss", "--formula", "gea"]])
def test_wrong_use(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *words]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_every_diff_takes_something_away_and_adds_something() -> None:
    faults = [f for name in formulas_with_faults() for f in catalogue(name).faults if f.diff]
    assert faults
    for fault in faults:
        assert isinstance(fault, Fault)
        assert {line[0] for line in fault.diff} >= {"-", "+"}
    with pytest.raises(ValueError, match="begin with"):
        read_diff("Text.\n\n    Fix: None.\n    - only what goes", "x")
