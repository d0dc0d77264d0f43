"""Advantages against the lecture's table, their readings, and the TD error they are."""

from __future__ import annotations

from fractions import Fraction

import rlcalc


def test_telescoping_one_step_advantages_sum_to_the_whole_one() -> None:
    """Σ γ^t δ_t = G_0 − V(S_0): the bridge between the two forms."""
    rewards, values, gamma = [2, -1, 3], [5, 8, Fraction(1, 2), 0], Fraction(9, 10)
    deltas = [
        rlcalc.derive("advantage", reward=r, value=v, next_value=w, gamma=gamma).answer
        for r, v, w in zip(rewards, values[:-1], values[1:], strict=True)
    ]
    ret = sum(gamma**t * r for t, r in enumerate(rewards))
    whole = rlcalc.derive("advantage", return_=ret, value=values[0]).answer
    assert sum(Fraction(str(delta)) * gamma**t for t, delta in enumerate(deltas)) == Fraction(str(whole))
