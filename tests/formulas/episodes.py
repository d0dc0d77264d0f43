"""Random episodes for the tests of the sequence formulas: exact ones, and batches of arrays."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.strategies import shares, small_numbers


@dataclass(frozen=True)
class Sequence:
    """T steps, possibly of several episodes; ``gamma`` holds one discount per step."""

    rewards: list[Fraction]
    values: list[Fraction]
    gamma: list[Fraction]
    terminated: list[bool]
    truncated: list[bool]
    next_values: list[Fraction]
    plain: bool  # one discount, no flags, successors from values: the optional inputs are left out

    @property
    def steps(self) -> int:
        return len(self.rewards)

    def given(self) -> dict[str, Any]:
        """The shared inputs, by parameter."""
        if self.plain:
            return {"rewards": self.rewards, "values": self.values, "gamma": self.gamma[0]}
        return {
            "rewards": self.rewards,
            "values": self.values,
            "gamma": self.gamma,
            "terminated": [int(flag) for flag in self.terminated],
            "truncated": [int(flag) for flag in self.truncated],
            "next_values": self.next_values,
        }


@st.composite
def sequences(draw: st.DrawFn, longest: int = 6) -> Sequence:
    steps = draw(st.integers(1, longest))
    rewards = draw(st.lists(small_numbers, min_size=steps, max_size=steps))
    values = draw(st.lists(small_numbers, min_size=steps + 1, max_size=steps + 1))
    if draw(st.booleans()):
        never = [False] * steps
        return Sequence(rewards, values, [draw(shares)] * steps, never, never, values[1:], plain=True)
    flags = st.lists(st.sampled_from([False, False, True]), min_size=steps, max_size=steps)
    terminated, truncated = draw(flags), draw(flags)
    others = draw(st.lists(small_numbers, min_size=steps, max_size=steps))
    # where the episode goes on its successor is the next state of the sequence
    next_values = [
        other if end or cut else value
        for other, end, cut, value in zip(others, terminated, truncated, values[1:], strict=True)
    ]
    discounts = draw(st.lists(shares, min_size=steps, max_size=steps))
    return Sequence(rewards, values, discounts, terminated, truncated, next_values, plain=False)


def batch(seed: int, *shape: int, dtype: Any = np.float64) -> dict[str, Any]:
    """Random arrays of the shared signature: [..., T], with ends and cuts in them."""
    rng = np.random.default_rng(seed)
    *leading, steps = shape
    values = rng.standard_normal((*leading, steps + 1)).astype(dtype)
    terminated, truncated = rng.random(shape) < 0.2, rng.random(shape) < 0.2
    others = rng.standard_normal(shape).astype(dtype)
    return {
        "rewards": rng.standard_normal(shape).astype(dtype),
        "values": values,
        "gamma": rng.uniform(0.5, 1, shape).astype(dtype),
        "terminated": terminated,
        "truncated": truncated,
        # where the episode goes on its successor is the next state of the sequence
        "next_values": np.where(terminated | truncated, others, values[..., 1:]),
    }
