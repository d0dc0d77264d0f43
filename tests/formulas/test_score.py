"""Score: it sums to 0, its mean is 0, and it is the derivative that autograd finds."""

from __future__ import annotations

import rlcalc
from rlcalc.exact import equal


def test_symbolic_score_sums_to_zero_and_has_mean_zero() -> None:
    scores = [rlcalc.derive("score", theta=["a", "b"], action=k).answer for k in (0, 1)]
    policy = rlcalc.derive("softmax", theta=["a", "b"]).answer
    assert equal(scores[0][0] + scores[0][1], 0)
    for entry in (0, 1):
        assert equal(policy[0] * scores[0][entry] + policy[1] * scores[1][entry], 0)
