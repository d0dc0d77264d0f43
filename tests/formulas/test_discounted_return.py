"""The discounted return against its sum, closed forms, and its three ways to bootstrap."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import rlcalc
from tests.refused import refused


@pytest.mark.parametrize(
    "flags", [{}, {"truncated": [0, 1, 0]}, {"truncated": [0, 0, 1]}, {"terminated": [0, 1, 0]}]
)
@pytest.mark.parametrize("tensors", [False, True])
def test_the_bootstrap_may_come_in_three_ways(flags: dict[str, list[int]], tensors: bool) -> None:
    rewards: Any = np.array([[1.0, 2, 3], [-4, 5, 6]])
    bootstrap: Any = np.array([7.0, 8])
    last = np.concatenate([np.zeros((2, 3)), bootstrap[:, None]], axis=1)
    ways: list[dict[str, Any]] = [{"bootstrap": bootstrap}, {"values": last}, {"next_values": last[:, 1:]}]
    if tensors:
        rewards = torch.from_numpy(rewards)
        ways = [{k: torch.from_numpy(v) for k, v in way.items()} for way in ways]
    first, *others = (
        np.asarray(rlcalc.discounted_return(rewards, gamma=0.5, **way, **flags)) for way in ways
    )
    for other in others:
        np.testing.assert_array_equal(first, other)


@pytest.mark.parametrize(
    ("name", "last", "conflict"),
    [
        ("next_values", 4.0, False),
        ("next_values", 5.0, True),
        ("next_values", 0.0, True),
        ("next_values", np.nan, False),
        ("values", 4.0, False),
        ("values", 1.0, True),
        ("values", 0.0, False),  # zeros are the default: not said
        ("values", np.nan, False),
    ],
)
def test_two_bootstraps_of_arrays_have_to_agree(name: str, last: float, conflict: bool) -> None:
    given = {name: np.array([4.0, 4.0, 4.0, last][name == "next_values" :])}
    if conflict:
        with refused(rlcalc.InputError, "bootstrap_conflict"):
            rlcalc.discounted_return([1.0, 2, 3], gamma=0.5, bootstrap=4.0, **given)
    else:  # 3 + 0.5·4, 2 + 0.5·5, 1 + 0.5·4.5
        got = rlcalc.discounted_return([1.0, 2, 3], gamma=0.5, bootstrap=4.0, **given)
        np.testing.assert_array_equal(got, [3.25, 4.5, 5])
