"""Targets of action values: how they are related, and what has no largest value."""

from __future__ import annotations

import numpy as np
import pytest

import rlcalc
from tests.refused import refused

RNG = np.random.default_rng(5)
REWARDS, Q, OTHER = RNG.normal(size=(3, 7)), RNG.normal(size=(3, 7, 4)), RNG.normal(size=(3, 7, 4))
OVER = RNG.random((3, 7)) < 0.3


def test_the_greedy_policy_the_same_table_and_the_best_action_are_one_target() -> None:
    common = {"rewards": REWARDS, "gamma": 0.9, "terminated": OVER, "n": 2}
    wanted = rlcalc.q_target(next_q=Q, **common)
    double = rlcalc.compute("double_q_target", next_q_online=Q, next_q_target=Q, **common)
    np.testing.assert_allclose(double["target"], wanted)
    taken = double["next_actions"].astype(int)
    np.testing.assert_allclose(rlcalc.sarsa_target(next_q=Q, next_actions=taken, **common), wanted)
    np.testing.assert_allclose(rlcalc.expected_sarsa_target(q_values=Q, epsilon=0.0, **common), wanted)
    np.testing.assert_allclose(wanted[OVER], REWARDS[OVER])


def test_a_truncated_step_is_a_step_like_any_other() -> None:
    cut = ~OVER
    for name, values in (
        ("q_target", {"next_q": Q}),
        ("expected_sarsa_target", {"q_values": Q, "epsilon": 0.2}),
    ):
        given = {"rewards": REWARDS, "gamma": 0.9, "terminated": OVER, **values}
        plain, flagged = rlcalc.compute(name, **given), rlcalc.compute(name, truncated=cut, **given)
        np.testing.assert_array_equal(plain["target"], flagged["target"])


@pytest.mark.parametrize(
    ("formula", "given", "name"),
    [
        ("double_q_target", {"next_q_online": [["x", "3"]], "next_q_target": [["1", "2"]]}, "next_q_online"),
        ("expected_sarsa_target", {"q_values": [["x", "3"]], "epsilon": "1/2"}, "q_values"),
    ],
)
def test_letters_have_no_largest(formula: str, given: dict[str, object], name: str) -> None:
    with refused(rlcalc.InputError, f"{name}_not_ordered", r"is the largest is open: \S or \S"):
        rlcalc.derive(formula, rewards=["1"], gamma="1", **given)
