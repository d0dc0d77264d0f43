"""Advantages against the lecture's table, their readings, and the TD error they are."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

import rlcalc

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
