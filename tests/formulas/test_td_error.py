"""The TD error in both ways of calling, one step and an episode."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import torch
from hypothesis import given, settings

import rlcalc
from tests.formulas.episodes import Sequence, sequences
from tests.strategies import shares, small_numbers

ALL = ("sympy", "numpy", "torch")


def test_steps_of_one_step() -> None:
    text = rlcalc.derive("td_error", reward=2, value=5, next_value=8, gamma="0.9").text()
    assert "target = R + γ·V(S') = 2 + 9/10·8 = 46/5" in text
    assert "δ = R + γ·V(S') − V(S) = 2 + 9/10·8 − 5 = 21/5" in text


@settings(deadline=None, max_examples=30)
@given(small_numbers, small_numbers, small_numbers, shares)
def test_one_step_is_an_episode_of_one_step(r: Fraction, v: Fraction, nxt: Fraction, gamma: Fraction) -> None:
    one = rlcalc.evaluate("td_error", {"reward": r, "value": v, "next_value": nxt, "gamma": gamma}, ALL)
    assert one.agree
    assert one.results["td_error"].exact == r + gamma * nxt - v
    assert isinstance(one.results["td_error"].numpy, float)
    episode = rlcalc.derive("td_error", rewards=[r], values=[v, nxt], gamma=gamma)
    assert episode.answer == [one.results["td_error"].exact]


@settings(deadline=None, max_examples=40)
@given(sequences())
def test_forms_meet_the_definition(e: Sequence) -> None:
    found = rlcalc.evaluate("td_error", e.given(), ALL)
    errors = found.results["td_error"]
    assert errors.exact == e.td_errors()
    assert found.results["target"].exact == [x + v for x, v in zip(e.td_errors(), e.values, strict=False)]
    assert found.agree


def test_python_calls() -> None:
    np.testing.assert_allclose(rlcalc.td_error([2.0, 3], [5.0, 8, 10], 0.9), [4.2, 4])
    scalar = rlcalc.td_error(reward=2, value=5, next_value=8, gamma=0.9)
    np.testing.assert_allclose(scalar, 4.2)
    many = rlcalc.td_error(
        reward=np.array([2, 3], np.float32), value=np.float32(5), next_value=8, gamma=np.float32(0.9)
    )
    assert many.dtype == np.float32
    np.testing.assert_allclose(many, [4.2, 5.2], rtol=1e-6)
    tensor = rlcalc.td_error(reward=torch.tensor([2.0, 3]), value=5.0, next_value=8.0, gamma=0.9)
    assert tensor.dtype == torch.float32
    np.testing.assert_allclose(tensor.numpy(), [4.2, 5.2], rtol=1e-6)


def test_gradient_flows_to_value_and_successor() -> None:
    value, successor = (torch.tensor(x, requires_grad=True) for x in (5.0, 8.0))
    rlcalc.td_error(reward=2.0, value=value, next_value=successor, gamma=0.5).backward()
    assert value.grad is not None
    assert successor.grad is not None
    assert (value.grad.item(), successor.grad.item()) == (-1, 0.5)


def test_steps_write_each_error_out_whole() -> None:
    d = rlcalc.derive("td_error", rewards=[1, 2], values=[3, 4, 5], gamma=1)
    assert [(step.name.base, step.name.sub) for step in d.steps] == [("δ", "0"), ("δ", "1")]
    d = rlcalc.derive("td_error", reward=1, value=3, next_value=4, gamma=1)
    assert [step.name.base for step in d.steps] == ["target", "δ"]
