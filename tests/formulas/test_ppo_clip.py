"""The clipped objective against the case table of the paper, autograd and its own bounds."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rlcalc
from tests.strategies import numbers, positive_numbers

widths = st.fractions(min_value=Fraction(1, 50), max_value=Fraction(49, 50), max_denominator=50)


@settings(deadline=None, max_examples=60)
@given(positive_numbers, numbers, widths)
def test_derivative_is_what_autograd_returns(ratio: Fraction, adv: Fraction, eps: Fraction) -> None:
    r = torch.tensor(float(ratio), dtype=torch.float64, requires_grad=True)
    found = rlcalc.compute("ppo_clip", ratio=r, adv=float(adv), eps=float(eps))
    (slope,) = torch.autograd.grad(found["objective"], r)
    assert slope.item() == pytest.approx(found["d_ratio"].item(), abs=1e-12)


@pytest.mark.parametrize(("ratio", "adv"), [(1.2, 5.0), (1.2, -3.0), (0.8, 5.0), (0.8, -3.0), (1.0, 2.0)])
def test_autograd_on_the_kinks_is_the_advantage(ratio: float, adv: float) -> None:
    r = torch.tensor(ratio, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(rlcalc.ppo_clip(r, adv), r)
    exact = rlcalc.derive("ppo_clip", ratio=ratio, adv=adv).outputs
    assert slope.item() == adv == float(exact["d_ratio"])
    assert adv in (float(exact["d_ratio_left"]), float(exact["d_ratio_right"]))


def test_a_small_good_action_that_became_less_likely_still_pulls() -> None:
    """A = 1/2 and r = 1/2 < 1 − ε: the lower bound acts for A < 0 only, in each numeric form."""
    assert float(rlcalc.compute("ppo_clip", ratio=0.5, adv=0.5)["d_ratio"]) == 0.5
    tensor = rlcalc.compute("ppo_clip", ratio=torch.tensor(0.5, dtype=torch.float64), adv=0.5)
    assert tensor["d_ratio"].item() == 0.5
