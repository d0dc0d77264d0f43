"""Probability ratios by hand, from positive_shares and from their logarithms."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rlcalc
from rlcalc.exact import equal, parse_number
from tests.strategies import positive_shares

logs = st.fractions(min_value=-30, max_value=0, max_denominator=40)
ALL = ("sympy", "numpy", "torch")


@pytest.mark.parametrize(
    ("inputs", "ratio", "log_ratio"),
    [
        ({"new": "3/4", "old": "1/2"}, "3/2", "log(3/2)"),
        ({"new": "0.3", "old": "0.5"}, "3/5", "log(3/5)"),
        ({"new": "1/3", "old": "1/3"}, "1", "0"),
        ({"new_log": "-2", "old_log": "-2"}, "1", "0"),
        ({"new_log": "-log(2)", "old_log": "-log(6)"}, "3", "log(3)"),
        ({"new_log": "-1000", "old_log": "-1001"}, "exp(1)", "1"),
        ({"new": "p", "old": "q"}, "p/q", "log(p/q)"),
        ({"new_log": "a", "old_log": "b"}, "exp(a - b)", "a - b"),
    ],
)
def test_by_hand(inputs: dict[str, str], ratio: str, log_ratio: str) -> None:
    outputs = rlcalc.derive("ratio", **inputs).outputs
    assert equal(outputs["ratio"], parse_number(ratio))
    assert equal(outputs["log_ratio"], parse_number(log_ratio))


@settings(deadline=None, max_examples=50)
@given(positive_shares, positive_shares)
def test_probabilities(new: Fraction, old: Fraction) -> None:
    e = rlcalc.evaluate("ratio", {"new": new, "old": old}, ALL)
    assert Fraction(str(e.answer.exact)) == new / old
    assert e.agree
    turned = rlcalc.derive("ratio", new=old, old=new).answer
    assert e.answer.exact * turned == 1
    from_logs = rlcalc.ratio(new_log=math.log(new), old_log=math.log(old))
    assert from_logs == pytest.approx(float(new / old), rel=1e-13)


@settings(deadline=None, max_examples=50)
@given(logs, logs)
def test_logarithms(new: Fraction, old: Fraction) -> None:
    e = rlcalc.evaluate("ratio", {"new_log": new, "old_log": old}, ALL)
    truth = math.exp(new - old)
    assert float(e.answer.exact) == pytest.approx(truth, rel=1e-12)
    assert e.answer.numpy == pytest.approx(truth, rel=1e-12)
    assert e.answer.torch == pytest.approx(truth, rel=1e-12)


@pytest.mark.parametrize("make", [np.array, lambda x: torch.tensor(x, dtype=torch.float64)])
def test_logarithms_are_subtracted_before_they_are_exponentiated(make: object) -> None:
    new, old = make([-1000.0, -5000.0]), make([-1001.0, -5000.0])  # type: ignore[operator]
    assert rlcalc.ratio(new_log=new, old_log=old).tolist() == pytest.approx([math.e, 1.0], rel=1e-15)
    # the careless order: 0/0
    with np.errstate(invalid="ignore"):
        careless = np.exp(np.asarray(new)) / np.exp(np.asarray(old))
    assert np.isnan(careless).all()


def test_gradients() -> None:
    new = torch.tensor([-1.0, -2.0], dtype=torch.float64, requires_grad=True)
    old = torch.tensor([-1.5, -1.0], dtype=torch.float64)
    ratio = rlcalc.ratio(new_log=new, old_log=old)
    (slope,) = torch.autograd.grad(ratio.sum(), new)
    torch.testing.assert_close(slope, ratio.detach())  # dr/d log π = r
    prob = torch.tensor([0.25, 0.5], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(rlcalc.ratio(prob, 0.5).sum(), prob)
    assert slope.tolist() == [2.0, 2.0]


def test_on_the_first_epoch_the_ratio_is_one_and_its_gradient_is_the_score() -> None:
    logp = torch.tensor([-0.3, -7.0], dtype=torch.float32, requires_grad=True)
    ratio = rlcalc.ratio(new_log=logp, old_log=logp.detach())
    assert ratio.tolist() == [1.0, 1.0]
    (slope,) = torch.autograd.grad(ratio.sum(), logp)
    assert slope.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("1/4", "the action has become less likely"),
        ("1/2", "the policies agree on this action"),
        ("3/4", "the action has become more likely"),
        ("p", ""),
    ],
)
def test_the_reason_compares_new_with_old(new: str, reason: str) -> None:
    by_step = {step.name.base: step.note for step in rlcalc.derive("ratio", new=new, old="1/2").steps}
    assert by_step == {"r": reason, "ℓ": "the logarithm of the ratio"}
    d = rlcalc.derive("ratio", new_log=f"log({new})" if new != "p" else "a", old_log="log(1/2)")
    assert {step.name.base: step.note for step in d.steps} == by_step
