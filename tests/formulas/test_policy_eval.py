"""Policy evaluation: the linear system, its singular case, and agreement with simulation by powers."""

from __future__ import annotations

from fractions import Fraction as F

import numpy as np
import pytest
import torch

import rlcalc
from rlcalc.errors import InputError
from rlcalc.exact import linear
from tests.mdps import PARTLY
from tests.refused import refused


def test_rows_may_be_given_with_or_without_the_terminal_state() -> None:
    uniform = [["1/4"] * 4] * 3
    for policy in (
        "uniform",
        uniform,
        [*uniform, [0, 0, 0, 1]],
        "1/4 1/4 1/4 1/4;" * 3,
        np.full((4, 4), 0.25),
    ):
        answer = rlcalc.derive("policy_eval", mdp="grid2x2", gamma="9/10", policy=policy).answer
        assert answer[0] == F(90, 161)


def test_the_optimal_policy_has_the_optimal_value() -> None:
    policy = [["0", "1/2", "0", "1/2"], ["0", "1", "0", "0"], ["0", "0", "0", "1"]]
    for mdp in ("grid2x2", "grid2x2:slip=1/5"):
        best = rlcalc.derive("bellman", mdp=mdp, gamma="9/10").answer
        assert rlcalc.derive("policy_eval", mdp=mdp, gamma="9/10", policy=policy).answer == best


def test_elimination_on_a_hilbert_matrix() -> None:
    size = 12
    matrix = [{j: F(1, i + j + 1) for j in range(size)} for i in range(size)]
    ones = [sum(row.values()) for row in matrix]
    assert linear.solve(matrix, ones) == [1] * size
    assert linear.solve([{1: F(1)}, {0: F(1)}], [F(2), F(3)]) == [3, 2]
    assert linear.solve([{0: F(1), 1: F(2)}, {0: F(2), 1: F(4)}], [F(1), F(2)]) is None


def test_lifting_agrees_with_elimination(monkeypatch) -> None:
    """A matrix with entries of many digits, whose solution is known; and singular ones."""
    size = 15
    matrix = [
        {j: F(7 * i * i + 3 * j + i * j + (i == j) * 10**12, 1 + (i * j) % 5) for j in range(size)}
        for i in range(size)
    ]
    truth = [F((-3) ** k, 7 + k) for k in range(size)]
    right = [sum((x * truth[j] for j, x in row.items()), F(0)) for row in matrix]
    assert linear.solve(matrix, right) == truth
    monkeypatch.setattr(linear, "LIFTED_FROM", 2)
    assert linear.solve(matrix, right) == truth
    assert linear.solve([{1: F(1)}, {0: F(1, 3)}], [F(0), F(0)]) == [0, 0]
    assert linear.solve([{0: F(1), 1: F(2)}, {0: F(2), 1: F(4)}], [F(1), F(2)]) is None


def test_refusal_names_the_states_that_never_end() -> None:
    stays, leaves = [[1.0, 0.0]] * 5, [[0.0, 1.0]] * 5
    calls = [
        lambda: rlcalc.derive("policy_eval", mdp=PARTLY, gamma=1, policy=[[1, 0]] * 5),
        lambda: rlcalc.policy_eval(PARTLY, np.array(stays), 1.0),
        lambda: rlcalc.policy_eval(PARTLY, np.array([leaves, stays]), 1.0),
    ]
    for call in calls:
        with pytest.raises(InputError) as caught:
            call()
        assert caught.value.message == (
            "With gamma 1 the linear system (I − γ P_π) V = R_π is singular: "
            "the policy never ends from s3, s4."
        )
    with pytest.raises(InputError, match=r"never ends from s3, s4\."):
        rlcalc.policy_eval(PARTLY, torch.tensor(stays), gamma=1.0)
    # with the other action all is well: 1 for each step to the end
    assert rlcalc.policy_eval(PARTLY, np.array(leaves), 1.0).tolist() == [3, 2, 1, 1, 2, 0]
    assert rlcalc.policy_eval(PARTLY, torch.tensor([leaves]), gamma=1.0).tolist() == [[3, 2, 1, 1, 2, 0]]


@pytest.mark.parametrize("shape", [(2, 4), (5, 4), (3, 3)])
def test_tables_of_another_shape_are_refused_by_name(shape: tuple[int, int]) -> None:
    for make in (np.full, torch.full):
        with refused(InputError, "policy_wrong_length", "policy has"):
            rlcalc.policy_eval("grid2x2", make(shape, 1 / shape[1]), gamma=0.5)


def test_half_precision_is_solved_wider_and_rounded_once() -> None:
    """LAPACK knows no float16. On the bandit, V = π(L)·10 is exact in it."""
    found = rlcalc.compute(
        "policy_eval", mdp="bandit", policy=np.array([[0.75, 0.25]], np.float16), gamma=1.0
    )
    assert {array.dtype for array in found.values()} == {np.dtype(np.float16)}
    assert found["values"].tolist() == [7.5, 0]
