"""GAE against sums of TD errors, and the faults that published implementations had."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings

import rlcalc
from tests.formulas.episodes import Sequence, batch, sequences
from tests.strategies import shares


@pytest.mark.parametrize(
    ("inputs", "advantages"),
    [
        ({"rewards": [1, 2, 3], "gamma": 1, "lam": "1/2"}, ["11/4", "7/2", "3"]),
        ({"rewards": [1, 2, 3], "gamma": 1, "lam": "l"}, ["3*l**2 + 2*l + 1", "3*l + 2", "3"]),
        ({"rewards": [0, 0, 1], "gamma": 1, "lam": "1/2"}, ["1/4", "1/2", "1"]),
        ({"rewards": [2], "values": [5, 8], "gamma": "9/10"}, ["21/5"]),
        ({"rewards": [2], "values": [5, 8], "gamma": "9/10", "terminated": [1]}, ["-3"]),
        ({"rewards": [0, 1]}, ["1881/2000", "1"]),
    ],
)
def test_table(inputs: dict[str, Any], advantages: list[str]) -> None:
    assert [str(x) for x in rlcalc.derive("gae", **inputs).outputs["advantages"]] == advantages


def test_steps_show_errors_then_sums() -> None:
    text = rlcalc.derive("gae", rewards=[1, 2, 3], gamma=1, lam="1/2", values=[1, 0, 0, 4]).text()
    assert "δ_0 = R_1 + γ·V(S_1) − V(S_0) = 1 + 1·0 − 1 = 0" in text
    assert "A_0 = δ_0 + γ·λ·δ_1 + (γ·λ)²·δ_2 = 0 + 1·1/2·2 + (1·1/2)²·7 = 11/4" in text
    assert "G_0^λ = A_0 + V(S_0) = 11/4 + 1 = 15/4" in text


@settings(deadline=None, max_examples=50)
@given(sequences(), shares)
def test_forms_meet_the_lambda_return(e: Sequence, lam: Fraction) -> None:
    found = rlcalc.evaluate("gae", {**e.given(), "lam": lam}, ("sympy", "numpy", "torch"))
    returns = [e.lambda_return(t, lam) for t in range(e.steps)]
    assert found.results["returns"].exact == returns
    assert found.results["advantages"].exact == [g - v for g, v in zip(returns, e.values, strict=False)]
    assert found.agree


def loop(x: dict[str, Any], lam: float, *, cut: bool = True, bootstrap: bool = True) -> Any:
    """The textbook loop; each keyword switches one well-known fault on."""
    steps = x["rewards"].shape[-1]
    found, ahead = np.zeros_like(x["rewards"]), 0.0
    for t in reversed(range(steps)):
        ends, cuts = x["terminated"][..., t], x["truncated"][..., t]
        alive = ~ends if bootstrap else ~(ends | cuts)
        delta = x["rewards"][..., t] + x["gamma"][..., t] * alive * x["next_values"][..., t]
        delta = delta - x["values"][..., t]
        goes_on = ~(ends | cuts) if cut else ~ends
        ahead = delta + x["gamma"][..., t] * lam * goes_on * ahead
        found[..., t] = ahead
    return found


@pytest.mark.parametrize("lam", [0.0, 0.5, 0.95, 1.0])
def test_long_batches_meet_the_loop(lam: float) -> None:
    inputs = batch(31, 8, 700)
    tensors = {k: torch.from_numpy(v) for k, v in inputs.items()}
    want = loop(inputs, lam)
    np.testing.assert_allclose(rlcalc.gae(**inputs, lam=lam), want, rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(rlcalc.gae(**tensors, lam=lam).numpy(), want, rtol=1e-10, atol=1e-11)


def test_returns_are_advantages_plus_values() -> None:
    inputs = batch(33, 4, 9)
    found = rlcalc.compute("gae", **inputs)
    np.testing.assert_array_equal(found["returns"], found["advantages"] + inputs["values"][..., :-1])


def test_defaults_are_those_of_the_specification() -> None:
    rewards = np.array([1.0, 2, 3])
    np.testing.assert_array_equal(rlcalc.gae(rewards), rlcalc.gae(rewards, np.zeros(4), 0.99, 0.95))


def test_gradient_is_the_weight_of_each_reward() -> None:
    rewards = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    lam = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    rlcalc.gae(rewards, gamma=0.5, lam=lam)[0].backward()
    assert rewards.grad is not None
    np.testing.assert_allclose(rewards.grad.numpy(), [1, 0.25, 0.0625, 0.015625])
    ones = torch.ones(3, dtype=torch.float64)
    rlcalc.gae(ones, gamma=0.5, lam=lam)[0].backward()
    # d/dλ (1 + λ/2 + λ²/4) = 1/2 + λ/2, which is 3/4; the zero rewards added nothing
    assert lam.grad is not None
    assert lam.grad.item() == pytest.approx(0.75)


def test_exact_reaches_its_limit_and_says_so_beyond() -> None:
    rewards = ["1"] * 128
    found = rlcalc.evaluate("gae", {"rewards": rewards, "gamma": 1, "lam": "1/2"})
    assert found.results["advantages"].exact[0] == 2 - Fraction(1, 2**127)
    beyond = rlcalc.evaluate("gae", {"rewards": ["1"] * 129, "gamma": 1, "lam": "1/2"})
    assert beyond.derivation is None
    assert any("skipped" in note for note in beyond.notes)
    assert beyond.results["advantages"].numpy[0] == pytest.approx(2)


def test_another_value_for_the_same_state_is_told() -> None:
    def told(next_values: list[int], **flags: Any) -> list[str]:
        notes = rlcalc.derive(
            "gae", rewards=[1, 2, 3], values=[5, 6, 7, 8], next_values=next_values, **flags
        ).notes
        assert all("another value for S_" in note for note in notes)
        return [note.split()[1] for note in notes]

    assert told([6, 7, 8]) == []
    assert told([6, 7, 0]) == []  # nothing follows the last step
    assert told([6, 0, 8]) == ["1"]
    assert told([0, 0, 8]) == ["0", "1"]
    assert told([6, 0, 8], truncated=[0, 1, 0]) == []
    assert told([6, 0, 8], terminated=[0, 1, 0]) == []


def test_steps_with_one_discount_each() -> None:
    text = rlcalc.derive("gae", rewards=[1, 2, 3], gamma=["1/2", "1/3", 1], lam="1/2").text()
    assert "A_0 = δ_0 + γ_0·λ·δ_1 + γ_0·γ_1·λ²·δ_2 =" in text
