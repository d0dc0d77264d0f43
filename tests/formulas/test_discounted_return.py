"""The discounted return against its sum, closed forms, and its three ways to bootstrap."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings

import rlcalc
from tests.formulas.episodes import Sequence, sequences
from tests.strategies import small_numbers


def derived(**inputs: Any) -> list[str]:
    return [str(value) for value in rlcalc.derive("discounted_return", **inputs).outputs["returns"]]


@pytest.mark.parametrize(
    ("inputs", "returns"),
    [
        ({"rewards": [1, 2, 3]}, ["6", "5", "3"]),
        ({"rewards": [4, -2, 8], "gamma": "1/2"}, ["5", "2", "8"]),
        ({"rewards": [7, 5, 3], "gamma": 0}, ["7", "5", "3"]),
        ({"rewards": [1, 1], "gamma": "0.9", "bootstrap": 10}, ["10", "10"]),
        ({"rewards": [1, 2, 3], "gamma": "g"}, ["3*g**2 + 2*g + 1", "3*g + 2", "3"]),
        ({"rewards": ["a"], "gamma": "g", "bootstrap": "v"}, ["a + g*v"]),
    ],
)
def test_table(inputs: dict[str, Any], returns: list[str]) -> None:
    assert derived(**inputs) == returns


def test_steps_are_the_definition_line_by_line() -> None:
    text = rlcalc.derive("discounted_return", rewards=[1, 2, 3], gamma="1/2").text()
    assert "G_0 = R_1 + γ·R_2 + γ²·R_3 = 1 + 1/2·2 + (1/2)²·3 = 11/4" in text
    assert "V(S" not in text  # nobody spoke of a value
    with_value = rlcalc.derive("discounted_return", rewards=[1], gamma="1/2", bootstrap=4).text()
    assert "G_0 = R_1 + γ·V(S_1)" in with_value


@settings(deadline=None, max_examples=40)
@given(sequences(), small_numbers)
def test_forms_meet_the_sum(e: Sequence, bootstrap: Fraction) -> None:
    given_ = {k: v for k, v in e.given().items() if k not in ("values", "next_values")}
    zeros = [Fraction(0)] * (e.steps - 1)
    truth = Sequence(e.rewards, [], e.gamma, e.terminated, e.truncated, [*zeros, bootstrap], plain=False)
    found = rlcalc.evaluate(
        "discounted_return", {**given_, "bootstrap": bootstrap}, ("sympy", "numpy", "torch")
    )
    returns = found.results["returns"]
    assert returns.exact == [truth.n_step(t, e.steps) for t in range(e.steps)]
    assert min(returns.digits.values()) > 12


@pytest.mark.parametrize(
    "flags", [{}, {"truncated": [0, 1, 0]}, {"truncated": [0, 0, 1]}, {"terminated": [0, 1, 0]}]
)
@pytest.mark.parametrize("tensors", [False, True])
def test_the_bootstrap_may_come_in_three_ways(flags: dict[str, list[int]], tensors: bool) -> None:
    rewards: Any = np.array([[1.0, 2, 3], [-4, 5, 6]])
    bootstrap: Any = np.array([7.0, 8])
    last = np.concatenate([np.zeros((2, 3)), bootstrap[:, None]], axis=1)
    ways: list[dict[str, Any]] = [{"bootstrap": bootstrap}, {"values": last}, {"next_values": last[:, 1:]}]
    if tensors:
        rewards = torch.from_numpy(rewards)
        ways = [{k: torch.from_numpy(v) for k, v in way.items()} for way in ways]
    first, *others = (
        np.asarray(rlcalc.discounted_return(rewards, gamma=0.5, **way, **flags)) for way in ways
    )
    for other in others:
        np.testing.assert_array_equal(first, other)


def test_a_terminated_last_step_hides_the_bootstrap() -> None:
    inputs: dict[str, Any] = {"rewards": [1, 2], "gamma": "1/2", "bootstrap": 100, "terminated": [0, 1]}
    derivation = rlcalc.derive("discounted_return", **inputs)
    assert derivation.answer == 2
    assert any("not used" in note for note in derivation.notes)
    assert rlcalc.discounted_return([1, 2], gamma=0.5, bootstrap=100, terminated=[0, 1]).tolist() == [2, 2]


def test_the_same_bootstrap_twice_is_no_conflict() -> None:
    assert derived(rewards=[1, 2], gamma="1/2", values=[9, 9, 4], bootstrap="8/2") == ["3", "4"]
    got = rlcalc.discounted_return([1.0, 2], values=[9.0, 9, 4], gamma=0.5, bootstrap=4.0)
    assert got.tolist() == [3, 4]


@pytest.mark.parametrize("gamma", [0.9, 0.999, 1.0])
def test_a_long_constant_reward_is_a_geometric_series(gamma: float) -> None:
    steps = 5000
    left = np.arange(steps, 0, -1)
    want = left if gamma == 1 else (1 - gamma**left) / (1 - gamma)
    np.testing.assert_allclose(rlcalc.discounted_return(np.ones(steps), gamma=gamma), want, rtol=1e-11)
    np.testing.assert_allclose(
        rlcalc.discounted_return(np.ones(steps, np.float32), gamma=gamma), want, rtol=2e-4
    )


def test_derivative_by_a_reward_is_its_discount() -> None:
    rewards = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    bootstrap = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
    rlcalc.discounted_return(rewards, gamma=0.5, bootstrap=bootstrap)[0].backward()
    assert rewards.grad is not None
    assert bootstrap.grad is not None
    assert rewards.grad.tolist() == [1, 0.5, 0.25, 0.125]
    assert bootstrap.grad.item() == 0.0625


def test_a_bootstrap_stands_beside_no_other_value() -> None:
    inputs = rlcalc.evaluate("discounted_return", {"rewards": ["1", "2"], "bootstrap": "4"}).inputs
    assert inputs.given["values"] is None
    assert str(rlcalc.derive("discounted_return", rewards=[1, 2], bootstrap=4, gamma="1/2").answer) == "3"


@pytest.mark.parametrize(
    ("name", "last", "refused"),
    [
        ("next_values", 4.0, False),
        ("next_values", 5.0, True),
        ("next_values", 0.0, True),
        ("next_values", np.nan, False),
        ("values", 4.0, False),
        ("values", 1.0, True),
        ("values", 0.0, False),  # zeros are the default: not said
        ("values", np.nan, False),
    ],
)
def test_two_bootstraps_of_arrays_have_to_agree(name: str, last: float, refused: bool) -> None:
    given = {name: np.array([4.0, 4.0, 4.0, last][name == "next_values" :])}
    if refused:
        with pytest.raises(rlcalc.InputError) as error:
            rlcalc.discounted_return([1.0, 2, 3], gamma=0.5, bootstrap=4.0, **given)
        assert error.value.code == "bootstrap_conflict"
    else:  # 3 + 0.5·4, 2 + 0.5·5, 1 + 0.5·4.5
        got = rlcalc.discounted_return([1.0, 2, 3], gamma=0.5, bootstrap=4.0, **given)
        np.testing.assert_array_equal(got, [3.25, 4.5, 5])


def test_an_idle_bootstrap_is_told_and_nothing_else() -> None:
    def notes(**more: Any) -> list[str]:
        return rlcalc.derive("discounted_return", rewards=[1, 2], **more).notes

    assert notes(bootstrap=4, terminated=[0, 1]) == [
        "The last step is terminated, so the bootstrap is not used."
    ]
    assert notes(bootstrap=4) == notes(values=[0, 0, 4], terminated=[0, 1]) == notes() == []
