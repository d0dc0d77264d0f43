"""Softmax: closed forms, invariance under a shift, and no overflow anywhere."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings

import rlcalc
from tests.strategies import logits, numbers


@settings(deadline=None, max_examples=30)
@given(logits, numbers)
def test_a_shift_changes_nothing_exactly(theta: list[Fraction], shift: Fraction) -> None:
    plain = rlcalc.derive("softmax", theta=theta).answer
    assert plain == rlcalc.derive("softmax", theta=[x + shift for x in theta]).answer


@pytest.mark.parametrize("size", [1e3, 1e4, -1e3, 3e38])
def test_no_overflow(size: float) -> None:
    for dtype in (np.float32, np.float64):
        assert rlcalc.softmax(np.array([size, 0.0], dtype)).tolist() == ([1, 0] if size > 0 else [0, 1])
    assert rlcalc.softmax(torch.tensor([size, 0.0])).tolist() == ([1, 0] if size > 0 else [0, 1])
    with np.errstate(over="ignore", invalid="ignore"):
        powers = np.exp(np.array([abs(size), 0.0]))
        assert math.isnan((powers / powers.sum())[0])  # what the definition does when typed as it stands


def test_small_probabilities_keep_their_digits() -> None:
    want = math.exp(-40) / (1 + math.exp(-40))
    assert rlcalc.softmax([40.0, 0.0])[1] == pytest.approx(want, rel=1e-14)
