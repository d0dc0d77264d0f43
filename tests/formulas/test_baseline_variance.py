"""The gradient's mean and variance against section 6.4, enumeration, samples and autograd."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rlcalc
from tests.strategies import numbers

weights = st.integers(min_value=1, max_value=9)
problems = st.lists(st.tuples(weights, numbers), min_size=1, max_size=4)


def split(problem: list[tuple[int, Fraction]]) -> tuple[list[Fraction], list[Fraction]]:
    total = sum(w for w, _ in problem)
    return [Fraction(w, total) for w, _ in problem], [g for _, g in problem]


def exact(**inputs: object) -> dict[str, object]:
    found = rlcalc.derive("baseline_variance", **inputs).outputs
    return {
        name: [Fraction(str(x)) for x in value] if isinstance(value, list) else Fraction(str(value))
        for name, value in found.items()
    }


@settings(deadline=None, max_examples=15)
@given(problems, numbers)
def test_the_mean_never_moves_and_best_is_best(problem: list[tuple[int, Fraction]], b: Fraction) -> None:
    policy, returns = split(problem)
    at_b, at_value, at_best = (
        exact(policy=policy, returns=returns, baseline=choice) for choice in (b, "value", "best")
    )
    value = sum(p * g for p, g in zip(policy, returns, strict=True))
    closed = [p * (g - value) for p, g in zip(policy, returns, strict=True)]
    assert at_b["mean_gradient"] == at_value["mean_gradient"] == at_best["mean_gradient"] == closed
    assert sum(closed) == 0
    assert at_value["subtracted"] == value
    # a parabola around the best baseline
    length = sum(p * (1 - 2 * p + sum(q * q for q in policy)) for p in policy)
    best = at_best["subtracted"]
    assert at_b["variance"] == at_best["variance"] + length * (b - best) ** 2
    assert at_best["variance"] <= at_value["variance"]


def test_one_baseline_per_row() -> None:
    for make in (np.asarray, torch.as_tensor):
        policy, returns = make([0.5, 0.5]), make([15.0, 7.0])
        found = rlcalc.compute(
            "baseline_variance", policy=policy, returns=returns, baseline=make([0.0, 10.0, 11.0])
        )
        assert found["variance"].tolist() == [60.5, 0.5, 0.0]
        assert found["mean_gradient"].tolist() == [[2.0, -2.0]] * 3


def test_a_certain_policy_divides_by_nothing() -> None:
    """All weights are 0 there; a warning would be an error here."""
    found = rlcalc.compute("baseline_variance", policy=[1.0, 0.0], returns=[3.0, 5.0], baseline="best")
    assert found["best"] == 3
    assert found["variance"] == 0
