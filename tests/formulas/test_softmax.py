"""Softmax: closed forms, invariance under a shift, and no overflow anywhere."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings

import rlcalc
from tests.strategies import logits, numbers


@settings(deadline=None, max_examples=30)
@given(logits, numbers)
def test_a_shift_changes_nothing_exactly(theta: list[Fraction], shift: Fraction) -> None:
    plain = rlcalc.derive("softmax", theta=theta).answer
    assert plain == rlcalc.derive("softmax", theta=[x + shift for x in theta]).answer
