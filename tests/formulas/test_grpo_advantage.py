"""Group-relative advantages: normalisation, equal rewards, cancellation."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rlcalc

groups = st.lists(st.fractions(-10, 10, max_denominator=20), min_size=2, max_size=8)


@pytest.mark.parametrize(
    ("rewards", "ddof", "first"),
    [
        ([1, 0, 0, 1], 0, "1"),
        ([1, 0, 0, 1], 1, "sqrt(3)/2"),
        ([1, 0, 0, 0], 0, "sqrt(3)"),
        ([1, 0, 0, 0], 1, "3/2"),
        ([7, 7], 0, "0"),
    ],
)
def test_known_groups(rewards: list[int], ddof: int, first: str) -> None:
    assert str(rlcalc.derive("grpo_advantage", rewards=rewards, ddof=ddof).answer[0]) == first


@settings(deadline=None, max_examples=50)
@given(groups, st.integers(0, 1))
def test_forms_agree_sum_to_zero_and_have_unit_variance(rewards: list[Fraction], ddof: int) -> None:
    e = rlcalc.evaluate("grpo_advantage", {"rewards": rewards, "ddof": ddof}, ("sympy", "numpy", "torch"))
    assert e.agree
    advantages = np.array(e.answer.numpy)
    assert advantages.sum() == pytest.approx(0, abs=1e-9)
    if len(set(rewards)) > 1:
        assert advantages.var(ddof=ddof) == pytest.approx(1)
    else:
        assert not advantages.any()


@settings(deadline=None, max_examples=30)
@given(groups, st.fractions(-10, 10, max_denominator=5), st.fractions(Fraction(1, 5), 10, max_denominator=5))
def test_shift_and_scale_change_nothing(rewards: list[Fraction], shift: Fraction, scale: Fraction) -> None:
    moved = [scale * r + shift for r in rewards]
    a = rlcalc.grpo_advantage([float(r) for r in rewards])
    b = rlcalc.grpo_advantage([float(r) for r in moved])
    np.testing.assert_allclose(a, b, atol=1e-9)


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


def test_gradient_is_finite_for_equal_rewards() -> None:
    rewards = torch.tensor([2.0, 2.0], requires_grad=True)
    rlcalc.grpo_advantage(rewards).sum().backward()
    assert rewards.grad is not None
    assert torch.isfinite(rewards.grad).all()


def test_steps_count_from_one_and_add_only_an_eps_that_is_given() -> None:
    text = rlcalc.derive("grpo_advantage", rewards=[1, 0]).text()
    assert "m = (r_1 + r_2) / 2 =" in text
    assert "d_1 = r_1 − m =" in text
    assert "A_1 = d_1 / s =" in text
    assert "A_2 = d_2 / s =" in text
    assert "A_2 = d_2 / (s + ε) =" in rlcalc.derive("grpo_advantage", rewards=[1, 0], eps="1/2").text()
