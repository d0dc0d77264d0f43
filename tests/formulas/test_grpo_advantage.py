"""Group-relative advantages: normalisation, equal rewards, cancellation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import rlcalc


@pytest.mark.parametrize("maker", [np.array, torch.tensor], ids=["numpy", "torch"])
def test_equal_rewards_whose_mean_is_rounded_stay_zero(maker: object) -> None:
    rewards = maker([[0.1, 0.1, 0.1], [1.0, 0.0, 0.0]])  # type: ignore[operator]
    out = rlcalc.grpo_advantage(rewards)
    assert out[0].tolist() == [0.0, 0.0, 0.0]
    assert float(out[1][0]) == pytest.approx(math.sqrt(2))


def test_float32_does_not_cancel() -> None:
    rewards = np.array([0.0] + [0.95] * 7, np.float32)
    np.testing.assert_allclose(rlcalc.grpo_advantage(rewards)[0], -math.sqrt(7), rtol=1e-5)
    one_pass = np.float32((rewards**2).mean()) - np.float32(rewards.mean()) ** 2
    offset = rewards + np.float32(4096)
    fragile = np.float32((offset**2).mean()) - np.float32(offset.mean()) ** 2
    # the published fault: a one-pass variance loses every digit once there is an offset
    assert abs(float(fragile) / float(one_pass) - 1) > 0.05
    assert rlcalc.grpo_advantage(offset).dtype == np.float32
