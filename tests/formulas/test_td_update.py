"""The TD update against the lecture's numbers, its limits and its derivatives."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rlcalc


@pytest.mark.parametrize("make", [np.asarray, torch.tensor])
def test_ends_are_met_exactly(make) -> None:
    far, near = make([1e20, -3.0]), make([1.1, 0.7])
    assert rlcalc.td_update(far, near, alpha=1).tolist() == near.tolist()
    for alpha in (0.1, 0.3, 0.7, 1.9):
        assert rlcalc.td_update(near, near, alpha=alpha).tolist() == near.tolist()


def test_a_tiny_step_keeps_its_digits() -> None:
    """From 0 towards 1 by α is α itself; written from the target's end it would be 1 − 1 = 0."""
    for make in (np.float64, torch.tensor):
        moved = rlcalc.td_update(value=make(0.0), target=make(1.0), alpha=make(1e-17).item())
        assert float(moved) == pytest.approx(1e-17, rel=1e-6, abs=0)
