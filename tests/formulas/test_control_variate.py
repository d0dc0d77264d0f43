"""Control variates by hand, by their identities, and against numpy.cov."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import rlcalc
from tests.strategies import numbers

samples = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6)


@settings(deadline=None, max_examples=15)
@given(samples, numbers)
def test_identities(pairs: list[tuple[Fraction, Fraction]], k: Fraction) -> None:
    x, b = [p for p, _ in pairs], [p for _, p in pairs]
    assume(len(set(b)) > 1)
    at_k = rlcalc.derive("control_variate", x=x, b=b, k=k).outputs
    at_best = rlcalc.derive("control_variate", x=x, b=b, k="best").outputs
    var_x, var_k, var_best, best = (
        Fraction(str(v))
        for v in (at_k["variance_x"], at_k["variance"], at_best["variance"], at_best["best_k"])
    )
    mean_b = sum(b) / len(b)
    var_b = sum((value - mean_b) ** 2 for value in b) / len(b)
    assert var_k == var_best + (k - best) ** 2 * var_b
    if len(set(x)) > 1:
        # (1 − ρ²) Var X is what no factor goes below
        assert Fraction(str(at_k["correlation"] ** 2)) == 1 - var_best / var_x


def test_one_factor_per_row() -> None:
    for make in (np.asarray, torch.as_tensor):
        found = rlcalc.compute(
            "control_variate", x=make([15.0, 7.0]), b=make([10.0, 4.0]), k=make([0.0, 1.0, 2.0])
        )
        assert found["variance"].tolist() == [16.0, 1.0, 4.0]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("sign", [-1, 1])
def test_no_rounding_lifts_a_correlation_above_one(sign: int, dtype: str) -> None:
    """x is a multiple of b, so |ρ| = 1 in exact numbers; rounded, the quotient often passes it."""
    b = np.random.default_rng(5).normal(size=(2000, 5)).astype(dtype)
    x = (sign * np.asarray(0.1, dtype)) * b
    for make in (np.asarray, torch.from_numpy):
        found = np.asarray(rlcalc.compute("control_variate", x=make(x), b=make(b), k=1.0)["correlation"])
        np.testing.assert_allclose(found, sign, rtol=1e-5)
        assert np.abs(found).max() <= 1


@pytest.mark.parametrize("make", [np.array, torch.tensor], ids=["numpy", "torch"])
def test_a_constant_row_of_a_batch_is_judged_by_itself(make: Any) -> None:
    """Cov = 4·3 and Var b = 9 in the first row; the second never varies, the third in x alone."""
    found = rlcalc.compute(
        "control_variate",
        x=make([[15.0, 7.0], [3.0, 3.0], [1.0, 2.0]]),
        b=make([[10.0, 4.0], [5.0, 5.0], [5.0, 5.0]]),
        k=1.0,
    )
    np.testing.assert_allclose(np.asarray(found["best_k"]), [4 / 3, np.nan, np.nan], rtol=1e-6)
    np.testing.assert_allclose(np.asarray(found["correlation"]), [1, np.nan, np.nan], rtol=1e-6)
    np.testing.assert_allclose(np.asarray(found["variance"]), [1, 0, 0.25], atol=1e-6)
