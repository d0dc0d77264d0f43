"""Monte Carlo updates: 1/k is the mean, a constant step size is not."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rlcalc
from tests.refused import refused


def test_half_precision_counts_past_256() -> None:
    returns = torch.ones(600, dtype=torch.bfloat16)
    found = rlcalc.mc_update(0.0, returns)
    assert found.dtype == torch.bfloat16
    assert found.item() == 1.0


def test_float32_mean_of_many_keeps_the_late_ones() -> None:
    returns = np.full(300_000, 0.1, np.float32)
    assert rlcalc.mc_update(0.0, returns) == pytest.approx(np.float32(0.1), rel=1e-6)


def test_starting_values_of_a_batch_with_shared_returns() -> None:
    found = rlcalc.mc_update(np.array([0.0, 8.0]), [0.0, 0.0, 0.0], alpha=0.5)
    assert found.tolist() == [0.0, 1.0]
    assert rlcalc.mc_update(0.0, np.zeros((0, 3))).shape == (0,)


def test_unknown_word_in_python() -> None:
    with refused(rlcalc.InputError, "alpha_unknown"):
        rlcalc.mc_update(0.0, [1.0], alpha="average")
