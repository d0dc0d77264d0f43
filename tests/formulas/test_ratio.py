"""Probability ratios by hand, from positive_shares and from their logarithms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import rlcalc


@pytest.mark.parametrize("make", [np.array, lambda x: torch.tensor(x, dtype=torch.float64)])
def test_logarithms_are_subtracted_before_they_are_exponentiated(make: object) -> None:
    new, old = make([-1000.0, -5000.0]), make([-1001.0, -5000.0])  # type: ignore[operator]
    assert rlcalc.ratio(new_log=new, old_log=old).tolist() == pytest.approx([math.e, 1.0], rel=1e-15)
    # the careless order: 0/0
    with np.errstate(invalid="ignore"):
        careless = np.exp(np.asarray(new)) / np.exp(np.asarray(old))
    assert np.isnan(careless).all()
