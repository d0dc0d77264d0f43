"""The n-step return against the lecture, the walk along the window, and both readings of terminal."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rlcalc
from rlcalc.steps.printers import TextPrinter
from tests.formulas.episodes import Sequence, batch, sequences

LECTURE: dict[str, Any] = {"rewards": [2, 3], "values": [5, 8, 10], "gamma": "0.9"}


def test_steps_read_like_the_definition() -> None:
    text = rlcalc.derive("n_step_return", **LECTURE, n=2).text()
    assert text == ("G_0^(2) = R_1 + γ·R_2 + γ²·V(S_2) = 2 + 9/10·3 + (9/10)²·10 = 64/5")
    beyond = rlcalc.derive("n_step_return", **LECTURE, n=3).text()
    assert "the episode ends after 2 steps: this is its full return" in beyond


@settings(deadline=None, max_examples=50)
@given(sequences(), st.sampled_from([1, 2, 3, 4, 7, "inf"]), st.sampled_from([None, "1/10", "1", "3/2"]))
def test_forms_meet_the_walk(e: Sequence, n: int | str, alpha: str | None) -> None:
    found = rlcalc.evaluate(
        "n_step_return", {**e.given(), "n": n, "alpha": alpha}, ("sympy", "numpy", "torch")
    )
    returns = found.results["returns"]
    longest = e.steps if n == "inf" else int(n)
    assert returns.exact == [e.n_step(t, longest) for t in range(e.steps)]
    assert found.agree
    if alpha is not None:
        old = e.values[0]
        assert found.results["updated"].exact == old + Fraction(alpha) * (e.n_step(0, longest) - old)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 13, 39, 40, 41, float("inf")])
@pytest.mark.parametrize("tensors", [False, True])
def test_every_window_of_a_batch(n: float, tensors: bool) -> None:
    inputs: dict[str, Any] = batch(21, 3, 40)
    want = np.empty((3, 40))
    for row in range(3):
        r, g, nxt = (inputs[k][row] for k in ("rewards", "gamma", "next_values"))
        for t in range(40):
            weight, total, k = 1.0, 0.0, t
            while True:
                total, weight = total + weight * r[k], weight * g[k]
                if inputs["terminated"][row, k]:
                    break
                if inputs["truncated"][row, k] or k == 39 or k - t + 1 >= n:
                    total += weight * nxt[k]
                    break
                k += 1
            want[row, t] = total
    if tensors:
        inputs = {k: torch.from_numpy(v) for k, v in inputs.items()}
    np.testing.assert_allclose(np.asarray(rlcalc.n_step_return(**inputs, n=n)), want, rtol=1e-12, atol=1e-13)


def test_positional_call_takes_the_natural_order() -> None:
    got = rlcalc.n_step_return([2.0, 3], [5.0, 8, 10], 0.9, 2)
    np.testing.assert_allclose(got, [12.8, 12])


def test_updated_value_of_a_batch() -> None:
    found = rlcalc.compute(
        "n_step_return",
        rewards=[[2.0, 3], [0, 0]],
        values=[[5.0, 8, 10], [1, 0, 0]],
        gamma=0.9,
        n=2,
        alpha=0.1,
    )
    np.testing.assert_allclose(found["updated"], [5.78, 0.9])


def test_refused_terminal_names_both_readings() -> None:
    with pytest.raises(rlcalc.InputError) as error:
        rlcalc.derive("n_step_return", **LECTURE, n=2, terminal=True)
    assert error.value.code == "terminal_value_not_zero"
    assert (
        error.value.message
        == "The value of a terminal state is 0, but the value after the last step, V(S_2), is 10."
    )
    assert error.value.hint == (
        "Either leave out terminal, to bootstrap from that value (the answer is then 64/5), "
        "or give 0 as the last value (the answer is then 47/10)."
    )


def test_refused_terminal_counts_with_the_successors_given() -> None:
    """With next_values [8, 4]: 2 + 0.9·3 + 0.81·4 = 7.94, and 4.7 without the last summand."""
    with pytest.raises(rlcalc.InputError) as error:
        rlcalc.derive(
            "n_step_return", **{**LECTURE, "values": [5, 8, 0]}, n=2, terminal=True, next_values=[8, 4]
        )
    assert "is 4." in error.value.message
    assert "(the answer is then 397/50)" in error.value.hint
    assert "(the answer is then 47/10)" in error.value.hint


LONG = [f"a{k}" for k in range(20)]


@pytest.mark.parametrize(
    ("rewards", "told"), [([0] * 128, True), ([0] * 129, False), (LONG, False)], ids=["128", "129", "long"]
)
def test_refused_terminal_leaves_out_answers_too_long(rewards: list[Any], told: bool) -> None:
    values = [0] * len(rewards) + [1]
    with pytest.raises(rlcalc.InputError) as error:
        rlcalc.derive("n_step_return", rewards=rewards, values=values, gamma=1, n="inf", terminal=True)
    answers = [" (the answer is then 1)", " (the answer is then 0)"] if told else ["", ""]
    assert error.value.hint == (
        f"Either leave out terminal, to bootstrap from that value{answers[0]}, "
        f"or give 0 as the last value{answers[1]}."
    )


@pytest.mark.parametrize("tensors", [False, True])
def test_terminal_is_a_terminated_last_step(tensors: bool) -> None:
    rewards, values = np.array([2.0, 3]), np.array([5.0, 8, 0])
    args: list[Any] = [torch.from_numpy(x) if tensors else x for x in (rewards, values)]
    got = rlcalc.n_step_return(*args, 0.9, 2, terminal=True)
    want = rlcalc.n_step_return(*args, 0.9, 2, terminated=[0, 1])
    np.testing.assert_allclose(np.asarray(got), [4.7, 3])
    np.testing.assert_array_equal(np.asarray(got), np.asarray(want))


def test_a_step_size_above_one_is_allowed_with_a_remark() -> None:
    assert any("above 1" in n for n in rlcalc.derive("n_step_return", **LECTURE, n=1, alpha="3/2").notes)


def test_bias_and_variance_of_the_chain() -> None:
    """Four steps, R = ±1 with a fair coin, V = 1 where the true value is 0: all 16 episodes."""
    coins = np.array(np.meshgrid(*[[-1.0, 1]] * 4)).reshape(4, -1).T
    values = np.tile([0.0, 1, 1, 1, 0], (16, 1))
    for n, bias, variance in ((1, 0.9, 1), (2, 0.81, 1.81), (3, 0.729, 2.4661), (4, 0, 2.997541)):
        first = rlcalc.n_step_return(coins, values, 0.9, n)[:, 0]
        assert first.mean() == pytest.approx(bias, abs=1e-12)
        assert first.var() == pytest.approx(variance)


def test_only_the_first_return_is_shown_under_the_name_asked_for() -> None:
    def names(n: int | str) -> list[str]:
        d = rlcalc.derive("n_step_return", **LECTURE, n=n)
        return [TextPrinter(numbers=False).name(step.name) for step in d.steps]

    assert names(1) == ["G_0^(1)"]
    assert names("inf") == ["G_0^(∞)"]
