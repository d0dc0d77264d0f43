"""Entropy against closed forms, its bounds, and autograd."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rlcalc
from tests.strategies import probabilities

weights = st.lists(st.integers(0, 20), min_size=1, max_size=6).filter(any)


@pytest.mark.parametrize(
    ("p", "base", "exact"),
    [
        (["1/2", "1/2"], "e", "log(2)"),
        (["1", "0"], "e", "0"),
        (["1/2", "1/4", "1/4"], 2, "3/2"),
        (["1/2", "1/2"], 4, "1/2"),
        (["1/3"] * 3, "e", "log(3)"),
    ],
)
def test_closed_forms(p: list[str], base: object, exact: str) -> None:
    assert str(rlcalc.derive("entropy", p=p, base=base).answer) == exact


@settings(deadline=None, max_examples=50)
@given(weights)
def test_forms_agree_and_lie_between_zero_and_log_of_the_count(counts: list[int]) -> None:
    p = probabilities(counts)
    e = rlcalc.evaluate("entropy", {"p": p}, ("sympy", "numpy", "torch"))
    assert e.agree
    assert -1e-15 <= e.answer.numpy <= math.log(len(p)) + 1e-12
    # grouping identity: p = (1 − s)·rest + s·last, an independent way to the same number
    independent = -math.fsum(float(x) * math.log(x) for x in p if x)
    assert e.answer.numpy == pytest.approx(independent, abs=1e-12)


def test_gradient_by_logits_is_finite_and_zero_at_the_uniform_policy() -> None:
    logits = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    rlcalc.entropy(torch.softmax(logits, -1)).backward()
    assert logits.grad is not None
    assert logits.grad.abs().max() < 1e-15
    certain = torch.tensor([1000.0, -1000.0], requires_grad=True)
    rlcalc.entropy(torch.softmax(certain, -1)).backward()
    assert certain.grad is not None
    assert torch.isfinite(certain.grad).all()


def test_a_sure_thing_has_no_negative_zero() -> None:
    assert not np.signbit(rlcalc.entropy([1.0, 0.0]))
    assert not torch.signbit(rlcalc.entropy(torch.tensor([1.0, 0.0])))


def test_symbols_keep_the_definition() -> None:
    assert str(rlcalc.derive("entropy", p=["p", "1-p"]).answer) == "-p*log(p) - (1 - p)*log(1 - p)"


def test_logarithms_cancel_where_the_base_allows() -> None:
    """½·log 2 + ½·log 6 = ½·log 12."""
    assert str(rlcalc.derive("entropy", p=["1/2", "1/6", "1/6", "1/6"], base=12).answer) == "1/2"
    assert str(rlcalc.derive("entropy", p=["1/6"] * 6, base=36).answer) == "1/2"


def test_only_an_impossible_action_is_explained() -> None:
    d = rlcalc.derive("entropy", p=[1, 0])
    assert [step.note for step in d.steps] == ["", "0·log 0 counts as 0", ""]
