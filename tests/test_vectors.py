"""Vectors that catch what the others let pass: each group with a wrong function that only it finds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rlcalc.conform.runner import run
from rlcalc.conform.target.base import from_function
from rlcalc.formulas import load_forms
from rlcalc.golden.files import Case, load_all, shipped
from rlcalc.golden.verify import run_case
from rlcalc.specs import load_formula
from tests.test_verify import put_form

Form = Callable[..., dict[str, Any]]


def cases(formula: str) -> tuple[Case, ...]:
    return shipped(formula).cases


BATCHED = [file.formula for file in load_all() if any(case.batch for case in file.cases)]


def rows_mixed(formula: str, right: Form) -> Form:
    """Right for one row; of several, every row gets the answer of its neighbour."""
    spec = load_formula(formula)
    sizes = {output.name: len(output.shape) for output in spec.outputs}

    def wrong(**inputs: Any) -> dict[str, Any]:
        found = right(**inputs)
        return {
            name: np.roll(value, 1, axis=0) if np.ndim(value) > sizes.get(name, 9) else value
            for name, value in found.items()
        }

    return wrong


@pytest.mark.parametrize("formula", BATCHED)
def test_mixed_rows_are_found_by_batches_alone(monkeypatch: pytest.MonkeyPatch, formula: str) -> None:
    put_form(monkeypatch, "numpy_form", rows_mixed(formula, load_forms(formula).numpy_form), formula)
    found = {case.id for case in cases(formula) if not run_case(case, ("numpy",)).passed}
    batches = {case.id for case in cases(formula) if case.batch}
    assert found
    assert found <= batches


def ignores_next_values(right: Form) -> Form:
    """Bootstraps from the next entry of values, except where a step is cut off."""

    def wrong(**inputs: Any) -> dict[str, Any]:
        if inputs.get("next_values") is not None:
            cut = inputs["truncated"] if inputs.get("truncated") is not None else False
            inputs["next_values"] = np.where(cut, inputs["next_values"], inputs["values"][..., 1:])
        return right(**inputs)

    return wrong


def discounts_or_ends(right: Form) -> Form:
    """Given one discount per step it forgets that an episode ends."""

    def wrong(**inputs: Any) -> dict[str, Any]:
        return right(**{**inputs, "terminated": None if np.ndim(inputs["gamma"]) else inputs["terminated"]})

    return wrong


def large_advantages(right: Form) -> Form:
    """Takes |A| for at least 1 where nothing is clipped."""

    def wrong(**inputs: Any) -> dict[str, Any]:
        found, adv, ratio = right(**inputs), inputs["adv"], inputs["ratio"]
        small = (np.abs(adv) < 1) & (adv != 0) & (np.abs(ratio - 1) < 0.15)
        return {**found, "objective": np.where(small, ratio * np.sign(adv), found["objective"])}

    return wrong


def powers_of_time(right: Form) -> Form:
    """Sums R_k γ^k from the end and divides by γ^t: fast, and without digits once γ^t has none."""

    def wrong(**inputs: Any) -> dict[str, Any]:
        plain = all(inputs.get(name) is None for name in ("terminated", "truncated", "values", "bootstrap"))
        if not plain or np.ndim(inputs["gamma"]) or not 0.9 < inputs["gamma"] < 1:
            return right(**inputs)
        rewards = inputs["rewards"]
        powers = np.cumprod(np.full_like(rewards, inputs["gamma"]), axis=-1)
        summed = np.cumsum(rewards * powers, axis=-1)
        before = summed - rewards * powers
        return {"returns": (summed[..., -1:] - before) / powers}

    return wrong


def first_thousand(right: Form) -> Form:
    """Sees no more than a thousand entries of a distribution."""

    def wrong(**inputs: Any) -> dict[str, Any]:
        return right(
            **{name: value[..., :1000] if np.ndim(value) else value for name, value in inputs.items()}
        )

    return wrong


@pytest.mark.parametrize(
    ("formula", "change", "finders"),
    [
        ("gae", ignores_next_values, {"next-values"}),
        ("gae", discounts_or_ends, {"discounts-and-termination"}),
        ("td_error", discounts_or_ends, {"discounts-and-termination"}),
        ("n_step_return", discounts_or_ends, {"discounts-and-termination"}),
        ("discounted_return", discounts_or_ends, {"discounts-and-termination"}),
        ("lambda_return", discounts_or_ends, {"discounts-and-termination"}),
        ("ppo_clip", large_advantages, {"small-advantage"}),
        ("discounted_return", powers_of_time, {"full-size"}),
        ("softmax", first_thousand, {"full-size"}),
        ("entropy", first_thousand, {"full-size", "vocabulary"}),
        ("kl", first_thousand, {"full-size"}),
    ],
)
def test_a_wrong_function_is_found_by_the_new_vectors_alone(
    monkeypatch: pytest.MonkeyPatch, formula: str, change: Callable[[Form], Form], finders: set[str]
) -> None:
    put_form(monkeypatch, "numpy_form", change(load_forms(formula).numpy_form), formula)
    found = {
        case.id.partition("/")[2]
        for case in cases(formula)
        if case.result != "invalid" and not run_case(case, ("numpy",), ("float64", "float32")).passed
    }
    assert found
    assert all(any(slug.startswith(group) for group in finders) for slug in found), found


@pytest.mark.slow
def test_a_function_of_one_row_is_not_asked_for_batches() -> None:
    """What it does not take is noted; that it is wrong on a single row is found as before."""

    def advantages(rewards: Any, values: Any, gamma: Any, lam: Any, sign: float = 1.0) -> Any:
        (steps,) = rewards.shape
        found, carried = np.zeros_like(rewards), 0.0
        for t in reversed(range(steps)):
            discount = gamma[t] if np.ndim(gamma) else gamma
            carried = rewards[t] + discount * (values[t + 1] + lam * carried) - sign * values[t]
            found[t] = carried
        return found

    report = run(from_function(advantages), "gae", random=10)
    assert report.verdict == "conforms"
    assert any("batches not supported" in note for note in report.notes)
    wrong = run(from_function(lambda **given: advantages(**given, sign=-1.0)), "gae")
    assert not wrong.passed
