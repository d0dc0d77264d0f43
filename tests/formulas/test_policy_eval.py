"""Policy evaluation: the linear system, its singular case, and agreement with simulation by powers."""

from __future__ import annotations

from fractions import Fraction as F
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rlcalc
from rlcalc.errors import InputError
from rlcalc.formulas._tabular import solve_exact
from rlcalc.steps.printers import TextPrinter
from tests.mdps import PARTLY

LOOP = [["1", "0", "0", "0"]] * 3


def weights(count: int) -> st.SearchStrategy[list[F]]:
    whole = st.lists(st.integers(0, 5), min_size=count, max_size=count).filter(any)
    return whole.map(lambda row: [F(w, sum(row)) for w in row])


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


def test_steps_average_over_the_actions_taken() -> None:
    text = rlcalc.derive("policy_eval", mdp="bandit", gamma=1, policy=["3/4", "1/4"]).text()
    assert "V(s) = π(L | s)·Q(s; L) + π(R | s)·Q(s; R) = 3/4·10 + 1/4·0 = 15/2" in text


@settings(deadline=None, max_examples=40)
@given(st.data(), st.fractions(min_value=0, max_value=F(19, 20), max_denominator=20))
def test_forms_agree_and_satisfy_the_definition(data: st.DataObject, gamma: F) -> None:
    count, width = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 3))
    reward = st.fractions(min_value=-5, max_value=5, max_denominator=10)
    p = [[data.draw(weights(count)) for _ in range(width)] for _ in range(count)]
    r = [[data.draw(reward) for _ in range(width)] for _ in range(count)]
    policy = [data.draw(weights(width)) for _ in range(count)]
    raw = {"mdp": {"P": p, "R": r}, "policy": policy, "gamma": gamma}
    e = rlcalc.evaluate("policy_eval", raw, ("sympy", "numpy", "torch"))
    values = [F(int(v.p), int(v.q)) for v in e.answer.exact]
    for s in range(count):
        q = [r[s][a] + gamma * sum(p[s][a][t] * values[t] for t in range(count)) for a in range(width)]
        assert values[s] == sum(w * x for w, x in zip(policy[s], q, strict=True))
        assert [F(int(x.p), int(x.q)) for x in e.results["q_values"].exact[s]] == q
    want = [float(v) for v in values]
    assert e.answer.numpy == pytest.approx(want, abs=1e-11)
    assert e.answer.torch == pytest.approx(want, abs=1e-11)


def test_the_optimal_policy_has_the_optimal_value() -> None:
    policy = [["0", "1/2", "0", "1/2"], ["0", "1", "0", "0"], ["0", "0", "0", "1"]]
    for mdp in ("grid2x2", "grid2x2:slip=1/5"):
        best = rlcalc.derive("bellman", mdp=mdp, gamma="9/10").answer
        assert rlcalc.derive("policy_eval", mdp=mdp, gamma="9/10", policy=policy).answer == best


def test_elimination_on_a_hilbert_matrix() -> None:
    size = 12
    matrix = [[F(1, i + j + 1) for j in range(size)] for i in range(size)]
    ones = [sum(row) for row in matrix]
    assert solve_exact(matrix, ones) == [1] * size
    assert solve_exact([[F(0), F(1)], [F(1), F(0)]], [F(2), F(3)]) == [3, 2]
    assert solve_exact([[F(1), F(2)], [F(2), F(4)]], [F(1), F(2)]) is None


def test_gradient_by_the_policy() -> None:
    policy = torch.full((3, 4), 0.25, dtype=torch.float64, requires_grad=True)

    def value(table: torch.Tensor) -> torch.Tensor:
        return rlcalc.policy_eval("grid2x2:slip=1/5", table, gamma=0.9)

    assert torch.autograd.gradcheck(value, policy)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"policy": [["exp(-1)", "1-exp(-1)"]]}, "policy_not_rational"),
        ({"policy": "greedy"}, "unknown_name"),
        ({"gamma": None}, "gamma_missing"),
    ],
)
def test_refusals(change: dict[str, Any], code: str) -> None:
    with pytest.raises(InputError) as caught:
        rlcalc.derive("policy_eval", **({"mdp": "bandit", "policy": [["1", "0"]], "gamma": 1} | change))
    assert caught.value.code == code


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


@pytest.mark.parametrize(
    ("count", "named"), [(6, "s0, s1, s2, s3, s4, s5."), (7, "s0, s1, s2, s3, s4, s5 ….")]
)
def test_refusal_names_six_states_at_most(count: int, named: str) -> None:
    p = [[[int(s == t) for t in range(count + 1)]] for s in range(count)]
    table = {"P": [*p, []], "R": [[0]] * count + [[]], "terminal": [count]}
    with pytest.raises(InputError) as caught:
        rlcalc.derive("policy_eval", mdp=table, gamma=1, policy=[[1]] * count)
    assert caught.value.message.endswith(f"never ends from {named}")


@pytest.mark.parametrize("shape", [(2, 4), (5, 4), (3, 3)])
def test_tables_of_another_shape_are_refused_by_name(shape: tuple[int, int]) -> None:
    for make in (np.full, torch.full):
        with pytest.raises(InputError, match="policy has") as caught:
            rlcalc.policy_eval("grid2x2", make(shape, 1 / shape[1]), gamma=0.5)
        assert caught.value.code == "policy_wrong_length"


def test_terminal_states_take_no_step() -> None:
    d = rlcalc.derive("policy_eval", mdp="bandit", gamma=1, policy=["3/4", "1/4"])
    assert [TextPrinter(numbers=False).name(step.name) for step in d.steps] == ["Q(s; L)", "Q(s; R)", "V(s)"]


def test_half_precision_is_solved_wider_and_rounded_once() -> None:
    """LAPACK knows no float16. On the bandit, V = π(L)·10 is exact in it."""
    found = rlcalc.compute(
        "policy_eval", mdp="bandit", policy=np.array([[0.75, 0.25]], np.float16), gamma=1.0
    )
    assert {array.dtype for array in found.values()} == {np.dtype(np.float16)}
    assert found["values"].tolist() == [7.5, 0]
