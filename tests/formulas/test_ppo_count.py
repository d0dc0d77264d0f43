"""Counts of section 8.4, and that REINFORCE needs E·M times the data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import rlcalc

NAMES = ("collections", "trajectories", "gradient_steps", "reinforce_collections", "reinforce_trajectories")


def test_simulated_loop() -> None:
    collections = steps = trajectories = 0
    for _ in range(3):
        collections, trajectories = collections + 1, trajectories + 64
        for _ in range(10):
            for _ in range(4):
                steps += 1
    outputs = rlcalc.derive("ppo_count", trajectories=64, epochs=10, minibatches=4, iterations=3).outputs
    assert [int(outputs[name]) for name in NAMES[:3]] == [collections, trajectories, steps]


def test_notes_come_only_where_they_say_something() -> None:
    """7 · 2 · 3 = 42 trajectories, 7 at a time, in batches of 7/3."""

    def notes(minibatches: int) -> list[str]:
        return rlcalc.derive(
            "ppo_count", trajectories=7, epochs=2, iterations=3, minibatches=minibatches
        ).notes

    assert notes(1) == []
    assert notes(2) == [
        "REINFORCE is counted with whole collections of 7; with batches of 7/2, "
        "as PPO's minibatches, it would need 42 trajectories."
    ]
    assert len(notes(7)) == 1
    assert notes(8)[1:] == [
        "There are more minibatches than trajectories: a minibatch then holds parts of trajectories."
    ]


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
