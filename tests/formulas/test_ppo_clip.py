"""The clipped objective against the case table of the paper, autograd and its own bounds."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rlcalc
from tests.strategies import numbers, positive_numbers

# scenario, ratio, advantage, objective, slope: read off figure 1 of the paper with ε = 1/5
TABLE = [
    ("good, raised too far", "3/2", "5", "6", "0"),
    ("good, inside", "11/10", "5", "11/2", "5"),
    ("good, lowered", "3/5", "5", "3", "5"),
    ("bad, raised", "3/2", "-3", "-9/2", "-3"),
    ("bad, inside", "9/10", "-3", "-27/10", "-3"),
    ("bad, lowered too far", "3/5", "-3", "-12/5", "0"),
]

widths = st.fractions(min_value=Fraction(1, 50), max_value=Fraction(49, 50), max_denominator=50)


@pytest.mark.parametrize(
    ("ratio", "adv", "objective", "slope"), [row[1:] for row in TABLE], ids=[r[0] for r in TABLE]
)
def test_six_cases_of_the_paper(ratio: str, adv: str, objective: str, slope: str) -> None:
    outputs = rlcalc.derive("ppo_clip", ratio=ratio, adv=adv).outputs
    assert str(outputs["objective"]) == objective
    assert str(outputs["d_ratio"]) == slope


@settings(deadline=None, max_examples=60)
@given(positive_numbers, numbers, widths)
def test_forms_agree_and_never_pass_the_plain_product(ratio: Fraction, adv: Fraction, eps: Fraction) -> None:
    e = rlcalc.evaluate("ppo_clip", {"ratio": ratio, "adv": adv, "eps": eps}, ("sympy", "numpy", "torch"))
    objective = e.results["objective"].exact
    assert objective <= e.results["unclipped"].exact
    assert objective <= max(1 - eps, min(ratio, 1 + eps)) * adv
    assert objective <= abs(adv) * (1 + eps)
    for backend in ("numpy", "torch"):
        assert e.results["objective"].digits[backend] > 13


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


def test_the_steps_say_why_the_slope_is_what_it_is() -> None:
    held = rlcalc.derive("ppo_clip", ratio="3/2", adv=5).text()
    assert "∂L/∂r = 0   (L is the clipped side here" in held
    kink = rlcalc.derive("ppo_clip", ratio="6/5", adv=5).text()
    assert "autograd returns A" in kink
    assert "∂L/∂r_right = 0" in kink


def test_a_small_good_action_that_became_less_likely_still_pulls() -> None:
    """A = 1/2 and r = 1/2 < 1 − ε: the lower bound acts for A < 0 only, in each numeric form."""
    assert float(rlcalc.compute("ppo_clip", ratio=0.5, adv=0.5)["d_ratio"]) == 0.5
    tensor = rlcalc.compute("ppo_clip", ratio=torch.tensor(0.5, dtype=torch.float64), adv=0.5)
    assert tensor["d_ratio"].item() == 0.5


@pytest.mark.parametrize(
    ("ratio", "adv", "reason"),
    [
        ("3/2", "5", "clipped is smaller"),
        ("3/5", "-3", "clipped is smaller"),
        ("3/5", "5", "unclipped is smaller"),
        ("3/2", "-3", "unclipped is smaller"),
        ("1", "5", "both sides are equal: the ratio is inside the interval"),
        ("1", "1", "both sides are equal: the ratio is inside the interval"),
        ("3/2", "0", "the advantage is 0"),
    ],
)
def test_the_reason_names_the_side_that_acts(ratio: str, adv: str, reason: str) -> None:
    (note,) = (s.note for s in rlcalc.derive("ppo_clip", ratio=ratio, adv=adv).steps if s.name.base == "L")
    assert note.startswith(reason)


@pytest.mark.parametrize(("ratio", "kink"), [("3/2", False), ("6/5", True), ("1", False)])
def test_one_sided_slopes_are_shown_at_a_kink(ratio: str, kink: bool) -> None:
    d = rlcalc.derive("ppo_clip", ratio=ratio, adv=5)
    slopes = [(step.name.sub, step.note) for step in d.steps if step.name.base == "∂L/∂r"]
    assert [side for side, _ in slopes] == (["", "left", "right"] if kink else [""])
    assert slopes[0][1].startswith("a kink") == kink


def test_symbols_leave_the_slope_open() -> None:
    for inputs in (
        {"ratio": "r", "adv": 5},
        {"ratio": "6/5", "adv": "a"},
        {"ratio": 2, "adv": 5, "eps": "x"},
    ):
        d = rlcalc.derive("ppo_clip", **inputs)
        assert "d_ratio" not in d.outputs
        assert any(note.startswith("The derivative needs numbers") for note in d.notes)


def test_a_slope_that_no_symbol_can_change_is_decided() -> None:
    """ε > 0 is all that ε is known for, and it puts 1 inside the interval."""
    assert str(rlcalc.derive("ppo_clip", ratio=1, adv="a").outputs["d_ratio"]) == "a"
    assert rlcalc.derive("ppo_clip", ratio=1, adv=5, eps="x").outputs["d_ratio"] == 5
    assert rlcalc.derive("ppo_clip", ratio="r", adv=0).outputs["d_ratio"] == 0
    assert str(rlcalc.derive("ppo_clip", ratio="1+h", eps="h", adv=2).answer) == "2*h + 2"


@pytest.mark.parametrize("ratio", ["3/5", "4/5", "1", "6/5", "3/2"])
def test_without_an_advantage_there_is_no_kink(ratio: str) -> None:
    d = rlcalc.derive("ppo_clip", ratio=ratio, adv=0)
    assert [(s.name.sub, s.note) for s in d.steps if s.name.base == "∂L/∂r"] == [("", "L is r·A here")]
    assert {str(d.outputs[name]) for name in ("d_ratio", "d_ratio_left", "d_ratio_right")} == {"0"}
