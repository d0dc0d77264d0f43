"""Counts of section 8.4, and that REINFORCE needs E·M times the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import rlcalc


def test_narrow_integers_do_not_wrap_around() -> None:
    many = np.array([2**20], np.int32)
    found = rlcalc.compute("ppo_count", trajectories=many, epochs=many, minibatches=1, iterations=1)
    assert found["reinforce_trajectories"].tolist() == [2**40]


@pytest.mark.parametrize("make", [np.asarray, torch.tensor], ids=["numpy", "torch"])
def test_counts_are_integers_as_long_as_64_bits_hold_them(make: Callable[[int], Any]) -> None:
    one = {"epochs": make(1), "minibatches": make(1), "iterations": make(1)}
    for power, kind in ((62, "int64"), (63, "float64")):
        inputs = {**one, "trajectories": make(2**62), "epochs": make(2 ** (power - 62))}
        found = rlcalc.compute("ppo_count", **inputs)["reinforce_trajectories"]
        assert str(found.dtype).endswith(kind)
        assert int(found) == 2**power
