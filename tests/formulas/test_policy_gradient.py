"""Policy gradient: enumeration against derivatives of J, and the form that is no gradient."""

from __future__ import annotations

from fractions import Fraction as F
from typing import Any

import numpy as np
import pytest
import torch

import rlcalc
from rlcalc.errors import InputError
from rlcalc.mdp.reading import read_mdp
from tests.mdps import WINDY
from tests.refused import refused

FORMS = ("trajectory", "reward-to-go", "no-gamma-t")
BACKENDS = ("sympy", "numpy", "torch")


def objective(mdp: Any, theta: torch.Tensor, gamma: float, steps: int) -> torch.Tensor:
    """J by going backward over the values, written again; one row of theta per live state, or one for all."""
    a = read_mdp(mdp).arrays("torch", torch.float64)
    live = a.mdp.non_terminal
    policy = torch.zeros_like(a.r)
    policy[list(live)] = torch.softmax(theta, -1).expand(len(live), -1)
    values = torch.zeros_like(a.start)
    for _ in range(steps):
        values = (policy * (a.r + gamma * (a.p @ values))).sum(-1)
    return a.start @ values


def test_it_is_the_mean_of_the_reinforce_updates() -> None:
    updates = [
        rlcalc.derive("reinforce_step", theta=[0, 0], action=a, return_=g, alpha=1).answer
        for a, g in ((0, 10), (1, 0))
    ]
    mean = [(x + y) / 2 for x, y in zip(*updates, strict=True)]
    assert rlcalc.derive("policy_gradient", mdp="bandit", theta=[0, 0]).answer == [mean]


def test_no_gamma_t_is_the_gradient_of_nothing() -> None:
    """Its derivative is not symmetric, as that of any gradient field would have to be."""

    def field(form: str) -> torch.Tensor:
        def gradient(x: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = rlcalc.policy_gradient(
                WINDY, x.reshape(2, 2), gamma=0.5, form=form, horizon=2
            )
            return found.flatten()

        point = torch.tensor([0.3, -0.2, 0.5, 0.1], dtype=torch.float64)
        jacobian: torch.Tensor = torch.autograd.functional.jacobian(gradient, point)
        return (jacobian - jacobian.T).abs().max()

    assert field("trajectory") < 1e-14
    assert field("reward-to-go") < 1e-14
    assert field("no-gamma-t") > 1e-3


@pytest.mark.parametrize("rows", [1, 3, 4])
def test_shared_and_tabular_rows(rows: int) -> None:
    theta = torch.linspace(-1, 1, rows * 4, dtype=torch.float64).reshape(rows, 4)
    x = theta[:3].clone().requires_grad_()
    (want,) = torch.autograd.grad(objective("grid2x2:slip=1/5", x, 0.9, 2), x)
    for found in (
        rlcalc.policy_gradient("grid2x2:slip=1/5", theta.numpy(), 0.9, horizon=2),
        rlcalc.policy_gradient("grid2x2:slip=1/5", theta, gamma=0.9, horizon=2).numpy(),
    ):
        assert found.shape == (rows, 4)
        assert np.allclose(found[:3], want.numpy(), atol=1e-14)
        assert not found[3:].any()


def test_a_trajectory_may_have_a_hundred_actions() -> None:
    loop = {"P": [[[1]]], "R": [[1]]}
    found = rlcalc.compute("policy_gradient", mdp=loop, theta=[0.0], gamma=1.0, horizon=100)
    assert found["objective"] == 100
    with refused(InputError, "horizon_out_of_range"):
        rlcalc.compute("policy_gradient", mdp=loop, theta=[0.0], gamma=1.0, horizon=101)


def test_four_steps_are_discounted_four_times() -> None:
    """Leave for 1 or go on, four times, the last for 100; π = 1/2 and γ = 1/2: Σ 2^−(2k+1) + 100/128."""
    p = [[[0, 0, 0, 0, 1], [int(t == s + 1) for t in range(5)]] for s in range(4)]
    table = {"P": [*p, []], "R": [[1, 0], [1, 0], [1, 0], [1, 100], []], "terminal": [4]}
    for form in FORMS:
        e = rlcalc.evaluate(
            "policy_gradient", {"mdp": table, "theta": [0, 0], "gamma": "1/2", "form": form}, BACKENDS
        )
        assert e.results["objective"].exact == F(185, 128)
        assert e.agree
    d = rlcalc.derive("policy_gradient", mdp=table, theta=[0, 0], gamma="1/2")
    assert "G_5,0 = R(s0; a1) + γ·R(s1; a1) + γ²·R(s2; a1) + γ³·R(s3; a1)\n" in d.text()


def test_an_episode_may_be_over_before_it_begins() -> None:
    table = {"P": [[[0, 1], [0, 1]], []], "R": [[10, 0], []], "terminal": [1], "start": ["1/2", "1/2"]}
    e = rlcalc.evaluate("policy_gradient", {"mdp": table, "theta": [0, 0], "gamma": 1}, BACKENDS)
    assert e.results["objective"].exact == F(5, 2)
    assert [str(x) for x in e.answer.exact[0]] == ["5/4", "-5/4"]
    assert e.agree


def test_an_episode_that_never_begins_is_worth_nothing() -> None:
    table = {"P": [[[0, 1], [0, 1]], []], "R": [[10, 0], []], "terminal": [1], "start": [0, 1]}
    e = rlcalc.evaluate("policy_gradient", {"mdp": table, "theta": [0, 0], "gamma": 1}, BACKENDS)
    for found in (e.results["objective"].exact, e.results["objective"].numpy, e.results["objective"].torch):
        assert found == 0
    assert e.answer.exact == [[0, 0]]
    assert e.answer.numpy == e.answer.torch == [[0.0, 0.0]]
    for zeros in (np.zeros, torch.zeros):
        batch = rlcalc.compute("policy_gradient", mdp=table, theta=zeros((5, 1, 2)), gamma=1.0)
        assert tuple(batch["objective"].shape) == (5,)


@pytest.mark.parametrize("shape", [(1, 3), (2, 4)])
def test_tables_of_another_shape_are_refused_by_name(shape: tuple[int, int]) -> None:
    for make in (np.zeros, torch.zeros):
        with refused(InputError, "theta_wrong_length", "theta has"):
            rlcalc.policy_gradient("grid2x2", make(shape), gamma=0.5, horizon=2)
