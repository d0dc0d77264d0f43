"""Score: it sums to 0, its mean is 0, and it is the derivative that autograd finds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import rlcalc
from rlcalc.exact import equal


def test_symbolic_score_sums_to_zero_and_has_mean_zero() -> None:
    scores = [rlcalc.derive("score", theta=["a", "b"], action=k).answer for k in (0, 1)]
    policy = rlcalc.derive("softmax", theta=["a", "b"]).answer
    assert equal(scores[0][0] + scores[0][1], 0)
    for entry in (0, 1):
        assert equal(policy[0] * scores[0][entry] + policy[1] * scores[1][entry], 0)


@pytest.mark.parametrize("gap", [20.0, 40.0, 300.0])
def test_no_cancellation_where_the_action_is_all_but_certain(gap: float) -> None:
    want = math.exp(-gap) / (1 + math.exp(-gap))
    theta = np.array([gap, 0.0])
    policy = rlcalc.softmax(theta)
    broken = 1 - policy[0]
    assert rlcalc.score(theta, 0)[0] == pytest.approx(want, rel=1e-14)
    assert rlcalc.score(torch.tensor(theta), 0)[0].item() == pytest.approx(want, rel=1e-14)
    assert abs(broken - want) > 1e-9 * want
