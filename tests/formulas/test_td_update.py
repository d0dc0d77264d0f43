"""The TD update against the lecture's numbers, its limits and its derivatives."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings

import rlcalc
from tests.strategies import numbers, step_sizes

# section 1.4 of the lecture, and the same with S_3 worth 0
LECTURE = [("5", "46/5", "271/50"), ("5", "64/5", "289/50"), ("5", "47/10", "497/100")]


def test_steps_show_the_numbers() -> None:
    text = rlcalc.derive("td_update", value=5, target="9.2").text()
    assert "= 46/5 − 5 =" in text
    assert "= 5 + 1/10·21/5 =" in text


@settings(deadline=None, max_examples=50)
@given(numbers, numbers, step_sizes)
def test_distance_shrinks_by_one_minus_alpha(value: Fraction, target: Fraction, alpha: Fraction) -> None:
    new = Fraction(str(rlcalc.derive("td_update", value=value, target=target, alpha=alpha).answer))
    assert target - new == (1 - alpha) * (target - value)


@pytest.mark.parametrize("make", [np.asarray, torch.tensor])
def test_ends_are_met_exactly(make) -> None:
    far, near = make([1e20, -3.0]), make([1.1, 0.7])
    assert rlcalc.td_update(far, near, alpha=1).tolist() == near.tolist()
    for alpha in (0.1, 0.3, 0.7, 1.9):
        assert rlcalc.td_update(near, near, alpha=alpha).tolist() == near.tolist()


def test_gradients() -> None:
    value = torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True)
    target = torch.tensor([3.0, 5.0], dtype=torch.float64, requires_grad=True)
    alpha = torch.tensor(0.25, dtype=torch.float64, requires_grad=True)
    rlcalc.td_update(value, target, alpha=alpha).sum().backward()
    assert value.grad.tolist() == [0.75, 0.75]
    assert target.grad.tolist() == [0.25, 0.25]
    assert alpha.grad.item() == 9.0


def test_note_above_one() -> None:
    assert any(
        "overshoots" in note for note in rlcalc.derive("td_update", value=0, target=1, alpha="3/2").notes
    )
    assert not rlcalc.derive("td_update", value=0, target=1, alpha=1).notes


def test_a_tiny_step_keeps_its_digits() -> None:
    """From 0 towards 1 by α is α itself; written from the target's end it would be 1 − 1 = 0."""
    for make in (np.float64, torch.tensor):
        moved = rlcalc.td_update(value=make(0.0), target=make(1.0), alpha=make(1e-17).item())
        assert float(moved) == pytest.approx(1e-17, rel=1e-6, abs=0)
