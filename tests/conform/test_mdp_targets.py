"""Generated decision processes, policies, visited states and tokens."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from jsonschema import Draft202012Validator

from rlcalc.cli import main
from rlcalc.conform import conform
from rlcalc.conform.conform_report import ConformReport
from rlcalc.conform.generate.draft import Draft
from rlcalc.conform.generate.drawing import cannot_generate, drafts
from rlcalc.conform.generate.search import FailingCase, search
from rlcalc.conform.generate.tables import LARGEST_GAMMA
from rlcalc.conform.report.counterexample import counterexample
from rlcalc.conform.runner import run
from rlcalc.conform.target.base import from_function, load_target
from rlcalc.conform.target.program import Program, case_json
from rlcalc.conform.trial import Trial
from rlcalc.data import data_folder
from rlcalc.specs import formula_names, load_formula

from . import mdp_targets
from .printed import passes

pytestmark = pytest.mark.slow  # each a whole run of conform

FILE = Path(mdp_targets.__file__)
HALF = Fraction(1, 2)


def drawn(formula: str, count: int, seed: int = 0) -> Iterator[Draft]:
    """Drafts of a formula, refused ones among them."""
    found: list[Draft] = []
    settings = hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=(hypothesis.Phase.generate,),
        suppress_health_check=list(hypothesis.HealthCheck),
    )

    def note(draft: Draft) -> None:
        found.append(draft)

    test = hypothesis.given(drafts(load_formula(formula), None, ("float64", "float32")))(note)
    hypothesis.seed(seed)(settings(test))()
    return iter(found)


def smallest(function: Any, formula: str, count: int = 300) -> FailingCase:
    """The shrunk case, from generated ones alone."""
    _, found, _ = search(Trial(from_function(function), ()), load_formula(formula), (), count, 0)
    assert found is not None
    return found


def test_every_formula_has_generated_cases() -> None:
    assert [name for name in formula_names() if cannot_generate(load_formula(name))] == []


@pytest.mark.parametrize("formula", mdp_targets.RIGHT)
def test_right_ones_pass(formula: str) -> None:
    report = conform(mdp_targets.RIGHT[formula], formula, random=150)
    assert report.verdict == "conforms", (report.failures[:1], report.found)
    assert (report.random, report.random_skipped) == (150, "")
    assert {j.dtype for j in report.judgements} == {"float64", "float32"}


def test_processes_of_all_kinds_are_drawn() -> None:
    seen: dict[str, set[Any]] = {}
    for draft in drawn("policy_gradient", 400):
        table, rows = draft.shared["mdp"], draft.rows[0]
        states = len(table["P"])
        live = states - len(table["terminal"])
        heights = {1: "one", live: "live", states: "all"}
        chances = [x for rows_ in table["P"] for row in rows_ for x in row]
        for key, value in {
            "states": states,
            "actions": max(map(len, table["P"])),
            "terminal": len(table["terminal"]),
            "rows": heights[len(rows["theta"])],
            "certain": set(chances) <= {0, 1},
            "start": "start" in table,
            "gamma": draft.shared.get("gamma"),
            "horizon": draft.shared.get("horizon", "default"),
            "batch": draft.batch,
            "form": draft.shared.get("form"),
        }.items():
            seen.setdefault(key, set()).add(value)
        for rows_ in table["P"]:
            for row in rows_:
                assert sum(row) == 1
                assert all(x >= 0 and np.float32(float(x)) == x for x in row)
    assert seen["states"] == {2, 3, 4}
    assert seen["actions"] == {1, 2, 3}
    assert {0, 1, 2} <= seen["terminal"]
    assert seen["rows"] == {"one", "live", "all"}
    assert seen["certain"] == seen["start"] == {True, False}
    assert {0, 1, HALF, LARGEST_GAMMA} <= seen["gamma"]
    assert all(g is None or g == 1 or g <= LARGEST_GAMMA for g in seen["gamma"])
    # no horizon is left at its default, which is the same as an infinite one
    assert {1, 2, 3, "default"} <= seen["horizon"] <= {1, 2, 3, "default", float("inf")}
    assert {(), (1,), (2,), (3,), (2, 2)} == seen["batch"]
    assert {"trajectory", "reward-to-go", "no-gamma-t"} <= seen["form"]


def test_episodes_of_all_kinds_are_drawn() -> None:
    seen: set[str] = set()
    for draft in drawn("traces", 300):
        states, row = draft.shared["states"], draft.rows[0]
        seen |= {"again"} if len(set(states)) < len(states) else set()
        seen |= {"replacing"} if draft.shared.get("replacing") or row.get("replacing") else set()
        if "rewards" not in row:
            seen.add("traces alone")
            continue
        seen.add("ends" if len(states) == len(row["rewards"]) else "goes on")
        seen |= {name for name in ("values", "alpha") if name in row or name in draft.shared}
        assert len(states) - len(row["rewards"]) in (0, 1)
        assert "values" not in row or len(row["values"]) == len(set(states))
    assert seen == {"again", "replacing", "traces alone", "ends", "goes on", "values", "alpha"}


def test_what_the_formula_refuses_is_no_case() -> None:
    """Without discount: a loop that costs nothing, and a policy that never ends."""
    loop = {"P": [[[1, 0], [0, 1]], []], "R": [[0, 0], []], "terminal": [1]}
    costly = {**loop, "R": [[-1, 0], []]}
    bellman, evaluation = load_formula("bellman"), load_formula("policy_eval")

    def draft(table: Any, gamma: Any, **row: Any) -> Draft:
        return Draft("float64", (), {"mdp": table, "gamma": Fraction(gamma)}, [row])

    assert draft(loop, 1).vector(bellman) is None
    assert draft(loop, HALF).vector(bellman) is not None
    # a loop that loses leaves one solution, and a tie between actions is none between values
    found = draft(costly, 1).vector(bellman)
    assert found is not None
    assert found.truth["values"] == [0, 0]
    stays, leaves = [[Fraction(1), Fraction(0)]], [[Fraction(0), Fraction(1)]]
    assert draft(costly, 1, policy=stays).vector(evaluation) is None
    assert draft(costly, 1, policy=leaves).vector(evaluation) is not None


def test_shrunk_optimal_values() -> None:
    """One state, one action and one transition that is not certain show the fault."""
    found = smallest(mdp_targets.most_likely_successor, "bellman")
    table = found.rows[0]["mdp"]
    assert len(table["P"]) == 2
    assert table["terminal"] == [1]
    assert len(table["P"][0]) == 1
    assert sorted(table["P"][0][0]) in ([Fraction(1, 4), Fraction(3, 4)], [HALF, HALF])
    assert table["R"] == [[1], []]
    assert "start" not in table


def test_shrunk_to_what_shows_the_fault() -> None:
    row = smallest(mdp_targets.uniform_whatever_is_asked, "policy_eval").rows[0]
    assert row["mdp"]["P"] == [[[1], [1]]]
    assert sorted(row["mdp"]["R"][0]) == sorted(row["policy"][0]) == [0, 1]
    row = smallest(mdp_targets.without_gamma_t, "policy_gradient").rows[0]
    assert len(row["mdp"]["P"]) <= max(map(len, row["mdp"]["P"])) == 2
    assert all(x == 0 for line in row["theta"] for x in line)
    assert row.get("horizon", 2) == 2
    row = smallest(mdp_targets.always_replacing, "traces").rows[0]
    assert row["states"] == ["A", "A"]
    assert set(row) == {"states", "lam"}
    found = smallest(mdp_targets.credit_from_zero_values, "traces")
    assert len(found.rows[0]["states"]) == 2
    assert found.judgement.output == "credit"
    row = smallest(mdp_targets.one_discount_more, "token_mdp").rows[0]
    assert (row["tokens"], row["prompt"]) == (["A"], "A")


WRONG = {
    "most_likely_successor": ("bellman", "optimal_values"),
    "uniform_whatever_is_asked": ("policy_eval", "policy_values"),
    "without_gamma_t": ("policy_gradient", "gradient"),
    "always_replacing": ("traces", "traces"),
    "one_discount_more": ("token_mdp", "token_returns"),
    "scales_rewards_in_place": ("bellman", "optimal_values"),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_printed_test_reproduces_the_case(name: str) -> None:
    """It fails with the wrong function, and passes once that is fixed."""
    formula, right = WRONG[name]
    target = load_target(f"{FILE}:{name}")
    example = counterexample(run(target, formula, random=200), target)
    assert example is not None
    assert example.case == "generated"
    assert max(map(len, example.test.splitlines())) <= 110
    assert not passes(example.test)
    assert passes(example.test.replace(f"under_test.{name}(", f"under_test.{right}("))


def test_a_case_stands_in_the_report_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conform", f"{FILE}:most_likely_successor", "--formula", "bellman", "--json"]) == 1
    inputs = json.loads(capsys.readouterr().out)["counterexample"]["inputs"]
    assert set(inputs["mdp"]) == {"P", "R", "terminal"}
    assert inputs["mdp"]["R"] == [["1"], []]
    assert main(["conform", f"{FILE}:most_likely_successor", "--formula", "bellman", "-v"]) == 1
    out = capsys.readouterr().out
    assert "mdp.P = [[[" in out
    assert "mdp.terminal = [1]" in out
    assert "Q*(s0; a0) = R(s0; a0)" in out  # the steps


def test_a_word_with_a_space_is_not_broken(tmp_path: Path) -> None:
    def only_there(prompt, tokens, reward, gamma):
        found = mdp_targets.token_returns(prompt, tokens, reward, gamma)
        return found + 1 if "two words" in tokens and len(tokens) > 6 else found

    target = from_function(only_there)
    example = counterexample(run(target, "token_mdp", random=300), target)
    assert example is not None
    assert example.test.count("'two words'") == example.inputs["tokens"].count("two words") == 1
    compile(example.test, "test", "exec")


def verdict(formula: str) -> ConformReport:
    target = Program(shlex.join([sys.executable, str(FILE.parent / "programs" / "mdp_targets.py")]))
    try:
        return run(target, formula, random=40)
    finally:
        target.close()


@pytest.mark.parametrize("formula", mdp_targets.RIGHT)
def test_programs_are_asked_generated_cases(formula: str) -> None:
    report = verdict(formula)
    assert report.verdict == "conforms", (report.failures[:1], report.found)
    assert report.random == 40


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not here")
def test_a_program_in_another_language() -> None:
    target = Program(shlex.join(["node", str(FILE.parent / "programs" / "bellman.js")]))
    try:
        report = run(target, "bellman", random=40)
    finally:
        target.close()
    assert report.verdict == "conforms", (report.failures[:1], report.found)
    assert report.random == 40


@pytest.mark.parametrize("formula", mdp_targets.RIGHT)
def test_generated_cases_follow_the_schema(formula: str) -> None:
    schema = json.loads((data_folder("specs") / "schemas" / "case.schema.json").read_text("utf-8"))
    validator = Draft202012Validator(schema)
    target = Program("true")
    compared = 0
    for draft in drawn(formula, 40):
        case = draft.vector(load_formula(formula))
        if case is None:
            continue
        line = json.dumps(case_json(case, draft.dtype, target.arguments(case, draft.dtype)), allow_nan=False)
        assert [error.message for error in validator.iter_errors(json.loads(line))] == []
        compared += 1
    assert compared > 20


def test_the_specification_shows_a_generated_case() -> None:
    text = (data_folder("specs") / "conform-protocol.md").read_text("utf-8")
    start = text.index('{"schema": "rlcalc-case-1", "id": "generated"')
    case = json.loads(text[start : text.index('"gamma": 1.0}}', start) + len('"gamma": 1.0}}')])
    row = smallest(mdp_targets.most_likely_successor, "bellman").rows[0]
    shown = Draft("float64", (), row, [{}]).vector(load_formula("bellman"))
    assert shown is not None
    assert case == case_json(shown, "float64", Program("true").arguments(shown, "float64"))
