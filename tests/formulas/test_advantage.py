"""Advantages against the lecture's table, their readings, and the TD error they are."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rlcalc

numbers = st.fractions(min_value=-50, max_value=50, max_denominator=60)
discounts = st.fractions(min_value=0, max_value=1, max_denominator=60)
ALL = ("sympy", "numpy", "torch")


@pytest.mark.parametrize(
    ("ret", "value", "advantage", "reading"),
    [(15, 10, "5", "better"), (7, 10, "-3", "worse"), (10, 10, "0", "as expected"), (11, 10, "1", "better")],
)
def test_table_of_section_6_4(ret: int, value: int, advantage: str, reading: str) -> None:
    d = rlcalc.derive("advantage", return_=ret, value=value)
    assert str(d.outputs["advantage"]) == advantage
    assert d.outputs["reading"] == reading
    # the reason says what the reading means for the action
    assert (
        d.steps[-1].note
        == {
            "better": "better than expected: the action becomes more likely",
            "worse": "worse than expected: the action becomes less likely",
            "as expected": "as expected: the probability of the action stays",
        }[reading]
    )


def test_one_step_form_is_the_td_error_of_section_1_4() -> None:
    d = rlcalc.derive("advantage", reward=2, value=5, next_value=8, gamma="0.9")
    assert str(d.answer) == "21/5"
    assert "R + γ·V(S') − V(S)" in d.text()


def test_symbols_stay_and_the_reading_is_left_open() -> None:
    d = rlcalc.derive("advantage", return_="g", value="v")
    assert str(d.answer) == "g - v"
    assert "reading" not in d.outputs
    assert any("sign" in note for note in d.notes)
    assert d.steps[-1].note == ""


@settings(deadline=None, max_examples=50)
@given(numbers, numbers, numbers, discounts)
def test_forms_agree_with_the_definition(r: Fraction, v: Fraction, w: Fraction, gamma: Fraction) -> None:
    step = rlcalc.evaluate("advantage", {"reward": r, "value": v, "next_value": w, "gamma": gamma}, ALL)
    truth = r + gamma * w - v
    assert Fraction(str(step.answer.exact)) == truth
    assert step.answer.numpy == pytest.approx(float(truth), abs=1e-12)
    assert step.answer.torch == pytest.approx(float(truth), abs=1e-12)
    whole = rlcalc.evaluate("advantage", {"return_": r + gamma * w, "value": v}, ALL)
    assert whole.answer.exact == step.answer.exact
    assert whole.agree
    assert whole.results["reading"].exact == step.results["reading"].exact


def test_telescoping_one_step_advantages_sum_to_the_whole_one() -> None:
    """Σ γ^t δ_t = G_0 − V(S_0): the bridge between the two forms."""
    rewards, values, gamma = [2, -1, 3], [5, 8, Fraction(1, 2), 0], Fraction(9, 10)
    deltas = [
        rlcalc.derive("advantage", reward=r, value=v, next_value=w, gamma=gamma).answer
        for r, v, w in zip(rewards, values[:-1], values[1:], strict=True)
    ]
    ret = sum(gamma**t * r for t, r in enumerate(rewards))
    whole = rlcalc.derive("advantage", return_=ret, value=values[0]).answer
    assert sum(Fraction(str(delta)) * gamma**t for t, delta in enumerate(deltas)) == Fraction(str(whole))


def test_gradient_flows_through_every_input() -> None:
    inputs = {
        name: torch.tensor([x, 2 * x], dtype=torch.float64, requires_grad=True)
        for name, x in {"reward": 2.0, "value": 5.0, "next_value": 8.0}.items()
    }
    rlcalc.advantage(gamma=0.9, **inputs).sum().backward()
    assert inputs["reward"].grad.tolist() == [1.0, 1.0]
    assert inputs["value"].grad.tolist() == [-1.0, -1.0]
    assert inputs["next_value"].grad.tolist() == [0.9, 0.9]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numpy_keeps_dtype_batches_and_inputs(dtype: type) -> None:
    ret, value = np.array([[15, 7], [1, 2]], dtype), np.array([10, 10], dtype)
    before = ret.copy(), value.copy()
    out = rlcalc.advantage(ret, value)
    assert out.dtype == dtype
    assert out.tolist() == [[5, -3], [-9, -8]]
    assert np.array_equal(before[0], ret)
    assert np.array_equal(before[1], value)
    assert rlcalc.advantage(np.zeros((0, 4), dtype), dtype(1)).shape == (0, 4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_torch_keeps_dtype(dtype: torch.dtype) -> None:
    out = rlcalc.advantage(torch.tensor([15.0, 7.0], dtype=dtype), 10.0)
    assert out.dtype == dtype
    assert out.tolist() == [5.0, -3.0]


def test_a_forgotten_discount_is_told_apart() -> None:
    right = rlcalc.derive("advantage", reward=2, value=5, next_value=8, gamma="0.9").answer
    undiscounted = rlcalc.derive("advantage", reward=2, value=5, next_value=8, gamma=1).answer
    assert right != undiscounted == 5
