"""Generated cases: right functions pass them, wrong ones are shrunk to something small."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rlcalc
from rlcalc.conform import conform
from rlcalc.conform.generate.search import search
from rlcalc.conform.report.counterexample import counterexample
from rlcalc.conform.runner import run
from rlcalc.conform.target.base import Target, from_function, load_target
from rlcalc.conform.trial import Trial
from rlcalc.conform.vectors import golden_vectors
from rlcalc.evaluation import checked
from rlcalc.reference import find_oracle
from rlcalc.specs import formula_names, load_formula
from tests.sweep import sweep

from . import targets
from .printed import passes


@pytest.mark.parametrize(
    "formula", sweep(formula_names(), {"gae", "kl", "policy_clip", "traces"}.__contains__)
)
def test_all_outputs_are_compared(formula: str) -> None:
    """Whoever names outputs is checked on each of them that has an exact answer."""
    form = partial(rlcalc.compute, formula)
    ran, found, why = search(Trial(Target(formula, form), ()), load_formula(formula), (), 10, 4)
    assert (ran, found, why) == (10, None, "")

    def altered(**given):
        outputs = form(**given)
        return {name: value * 2 + 1 if name == names[-1] else value for name, value in outputs.items()}

    # the last one that the exact side gives, which is the answer itself where it gives one only
    oracle = find_oracle(formula)
    names = sorted(oracle(first_inputs(formula))) if oracle else []
    if names:
        assert search(Trial(Target(formula, altered), ()), load_formula(formula), (), 60, 4)[1] is not None


def test_exponentials_that_overflow_are_caught() -> None:
    """Plain vectors of preferences never show it."""

    def unstable(theta):
        shares = np.exp(theta)
        return shares / shares.sum(axis=-1, keepdims=True)

    found = search(Trial(from_function(unstable), ()), load_formula("softmax"), (), 300, 0)[1]
    assert found is not None
    assert found.judgement.status == "nan"
    assert len(found.rows[0]["theta"]) <= 2


def first_inputs(formula: str):
    return next(
        inputs
        for vector in golden_vectors(formula)
        if not (inputs := checked(vector.formula, vector.texts)).symbols and find_oracle(formula)(inputs)
    )


def test_what_is_drawn() -> None:
    """Lengths, batches, discounts and flags of all kinds do occur."""
    seen: dict[str, set[Any]] = {}

    def note(rewards, values, gamma, lam, **given):
        over, cut = given.get("terminated"), given.get("truncated")
        for key, value in {
            "length": rewards.shape[-1],
            "axes": rewards.ndim,
            "dtype": str(rewards.dtype),
            "gamma": float(gamma) if np.ndim(gamma) == 0 else "per step",
            "lam": float(lam),
            "flags": (over is not None and bool(over.any()), cut is not None and bool(cut.any())),
            "both": over is not None and cut is not None and bool((over & cut).any()),
            "size": float(np.log2(np.abs(rewards).max() or 1)) // 20,
        }.items():
            seen.setdefault(key, set()).add(value)
        return rlcalc.gae(rewards, values, gamma, lam, **given)

    assert search(Trial(from_function(note), ()), load_formula("gae"), (), 300, 0)[1] is None
    assert {1, 2} < seen["length"]
    assert max(seen["length"]) > 50
    assert seen["axes"] == {1, 2, 3}
    assert seen["dtype"] == {"float32", "float64"}
    assert {0.0, 1.0, 0.5, "per step"} < seen["gamma"]
    assert {0.0, 1.0, 0.5} < seen["lam"]
    assert min(x for x in seen["lam"] if x) < 1e-3
    assert seen["flags"] == {(a, b) for a in (True, False) for b in (True, False)}
    assert seen["both"] == {True, False}
    assert max(seen["size"]) >= 2
    assert min(seen["size"]) <= -2


def last_from_zero(**given):
    """Wrong only where an episode is cut in the middle."""
    found = rlcalc.gae(**given)
    cut = given.get("truncated")
    if cut is None or not cut[..., :-1].any():
        return found
    return found + 1


@pytest.mark.usefixtures("verdict_alone")
def test_shrinking() -> None:
    found = conform(last_from_zero, "gae", vectors=None, random=300)
    assert found.found is not None
    row = found.found.rows[0]
    assert len(row["rewards"]) == 2
    assert row["truncated"] == [True, False]
    assert set(row) == {"rewards", "truncated"}
    assert row["rewards"] == [0, 0]
    assert found.found.judgement.dtype == "float64"


def test_rows_of_tables_shrink_in_both_directions() -> None:
    def no_mask(rewards, next_q, gamma, **given):
        return rewards + np.multiply(gamma, next_q.max(axis=-1))

    found = search(Trial(from_function(no_mask), ()), load_formula("q_target"), (), 300, 0)[1]
    assert found is not None
    row = found.rows[0]
    assert [len(each) for each in row["next_q"]] == [1]
    assert len(row["rewards"]) == 1


@pytest.mark.usefixtures("verdict_alone")
def test_the_same_seed_finds_the_same_case() -> None:
    first, second = (conform(last_from_zero, "gae", random=100, seed=7) for _ in range(2))
    assert first.found is not None
    assert second.found is not None
    assert first.found.rows == second.found.rows
    assert first.random == second.random


@pytest.mark.slow
def test_a_failing_case_of_many_numbers_warns_of_nothing(recwarn: pytest.WarningsRecorder) -> None:
    """Hypothesis writes out what failed and warns of its length: no news for who asks about a target."""

    def early(rewards, next_q_target, **given):
        target = rlcalc.compute("double_q_target", rewards=rewards, next_q_target=next_q_target, **given)
        return target["target"] + (next_q_target.size > 1000)

    found = search(Trial(from_function(early), ()), load_formula("double_q_target"), (), 60, 0)[1]
    assert found is not None
    assert not [warning for warning in recwarn if "repr" in str(warning.message)]


def test_a_target_that_changes_its_mind_is_still_reported() -> None:
    calls = iter(range(10**6))

    def moody(rewards, **given):
        return rlcalc.gae(rewards, **given) + (next(calls) == 5)

    ran, found, _ = search(Trial(from_function(moody), ()), load_formula("gae"), (), 50, 0)
    assert ran > 0
    assert found is None or found.flaky


WRONG = Path(__file__).parent / "targets.py"


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.parametrize("name", ["in_place", "imprecise", "one_short", "raises", "not_a_number"])
@pytest.mark.slow
def test_the_printed_test_fails_where_the_target_does(name: str) -> None:
    """And passes once the function is fixed, which is what a maintainer wants to see."""
    target = load_target(f"{WRONG}:{name}")
    example = counterexample(run(target, "gae", random=20), target)
    assert example is not None
    assert not passes(example.test)
    # 'right' needs every argument, so the fixed function is our own
    assert passes("import rlcalc\n" + example.test.replace(f"under_test.{name}(", "rlcalc.gae("))


@pytest.mark.slow
def test_the_printed_test_runs_anywhere(tmp_path: Path) -> None:
    target = load_target(f"{WRONG}:imprecise")
    example = counterexample(run(target, "gae", random=20), target)
    assert example is not None
    path = tmp_path / "test_it.py"
    path.write_text(example.test)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(path)]
    env = {"PYTHONPATH": str(WRONG.parents[2]), "PATH": ""}
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, env=env)
    assert "1 failed" in done.stdout


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.slow
def test_the_counterexample_says_everything() -> None:
    target = from_function(targets.imprecise)
    example = counterexample(run(target, "gae", random=50), target)
    assert example is not None
    assert example.case == "generated"
    assert example.inputs
    assert example.steps
    assert example.command.startswith("rlcalc gae ")
    assert example.got is not None
    assert max(map(len, example.test.splitlines())) <= 110


class Clock:
    """Time in which every look takes a second."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += 1
        return self.now


@pytest.mark.parametrize(("slope", "most"), [(1.0, 121), (2.0, 9)])
def test_a_slow_function_is_asked_only_as_long_as_there_is_time(
    monkeypatch: pytest.MonkeyPatch, slope: float, most: int
) -> None:
    monkeypatch.setattr("rlcalc.conform.generate.search.time", Clock())
    monkeypatch.setattr("rlcalc.conform.generate.search.LONGEST_SMALLER", 3.0)
    asked = []

    def td_error(reward, value, next_value, gamma):
        asked.append(reward)
        return slope * (reward + gamma * next_value - value)

    trial = Trial(from_function(td_error), golden_vectors("td_error"))
    ran, found, _ = search(trial, load_formula("td_error"), (), 10_000, 0)
    assert 0 < ran <= len(asked) <= most
    assert (found is None) is (slope == 1)
