"""Answers without a score, which only arrays can have: the others are answered as if they were alone."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

import rlcalc
from rlcalc.exact import to_float
from rlcalc.specs import load_formula

SPEC = load_formula("group_advantage")
NONE = float("nan")
# groups of three, two, one and of none that has a score, in order and mixed; and a batch of equal groups
ROWS = [
    ([1.0, NONE, 3.0, 0.5, 2.5, 0.5, 7.0, NONE], [4, 4, 4, 5, 5, 5, 6, 8]),
    ([0.5, 1.0, NONE, NONE, 2.5, 3.0, 0.5, 7.0], [5, 4, 8, 4, 5, 4, 5, 6]),
    ([2.0, NONE, 2.0, 1.0, 4.0, NONE], [0, 0, 0, 1, 1, 1]),
    ([NONE, NONE], [0, 0]),
]


@pytest.mark.parametrize("make", [np.array, torch.tensor], ids=["numpy", "torch"])
@pytest.mark.parametrize(("rewards", "groups"), ROWS)
def test_an_answer_without_a_score_belongs_to_no_group(
    make: Any, rewards: list[float], groups: list[int]
) -> None:
    there = [k for k, reward in enumerate(rewards) if reward == reward]
    for scale, singleton in product(*(SPEC.parameter(name).choices for name in ("scale", "singleton"))):
        given = {"scale": scale, "singleton": singleton, "eps": 0.125}
        found = rlcalc.compute("group_advantage", rewards=make(rewards), groups=make(groups), **given)
        wanted = np.zeros(len(rewards))
        if there:
            alone = [rewards[k] for k in there], [groups[k] for k in there]
            exact = rlcalc.derive("group_advantage", rewards=alone[0], groups=alone[1], **given).answer
            wanted[there] = [to_float(value) for value in exact]
        np.testing.assert_allclose(np.asarray(found["advantages"]), wanted, rtol=1e-6, err_msg=f"{given}")
