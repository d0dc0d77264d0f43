"""The token process of section 5.4, its returns and its uniform log-probability."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import rlcalc
from rlcalc.formulas.token_mdp import SHOWN
from rlcalc.steps.printers import TextPrinter

PROMPT = "Janet has 3 apples. She buys 2 more. How many apples does she have?"
ANSWER = ["Janet", "starts", "with", "3", "apples", "and", "buys", "2", "more,", "so", "she", "has", "5"]
ALL = ("sympy", "numpy", "torch")


def test_lecture() -> None:
    outputs = rlcalc.derive("token_mdp", prompt=PROMPT, tokens=ANSWER).outputs
    assert len(outputs["actions"]) == 13
    assert len(outputs["states"]) == 14
    assert outputs["states"][0] == PROMPT
    assert outputs["states"][13] == PROMPT + " " + " ".join(ANSWER)
    assert [str(g) for g in outputs["returns"]] == ["1"] * 13


def test_lecture_discounted_and_uniform() -> None:
    inputs = {"prompt": PROMPT, "tokens": ANSWER, "gamma": "0.99", "vocabulary": 100000}
    e = rlcalc.evaluate("token_mdp", inputs, ALL)
    assert Fraction(str(e.answer.exact)) == Fraction(99, 100) ** 12
    assert f"{e.answer.numpy:.14f}" == "0.88638487171613"
    assert e.results["log_probability"].exact == -13 * sympy.log(100000)
    assert e.results["log_probability"].torch == pytest.approx(-13 * math.log(100000), rel=1e-14)
    assert e.agree


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=8),
    st.fractions(min_value=0, max_value=1, max_denominator=20),
    st.fractions(min_value=-5, max_value=5, max_denominator=20),
)
def test_three_forms(tokens: list[str], gamma: Fraction, reward: Fraction) -> None:
    inputs = {"prompt": "q", "tokens": tokens, "gamma": gamma, "reward": reward, "vocabulary": 50}
    e = rlcalc.evaluate("token_mdp", inputs, ALL)
    expected, later = [], reward
    for _ in tokens:
        expected.insert(0, later)
        later = gamma * later
    assert [Fraction(str(g)) for g in e.results["returns"].exact] == expected
    for got in (e.results["returns"].numpy, e.results["returns"].torch):
        np.testing.assert_allclose(got, [float(g) for g in expected], rtol=1e-13)
    assert e.results["actions"].exact == tokens
    assert e.agree


def test_returns_are_those_of_the_discounted_return() -> None:
    rewards = [0, 0, 0, 2]
    mine = rlcalc.derive("token_mdp", prompt="q", tokens=list("abcd"), reward=2, gamma="1/3").outputs
    theirs = rlcalc.derive("discounted_return", rewards=rewards, gamma="1/3").outputs
    assert mine["returns"] == theirs["returns"]


def test_uniform_policy_by_enumeration() -> None:
    answers = list(product("345", repeat=2))
    log_p = rlcalc.derive("token_mdp", prompt="q", tokens=["3", "5"], vocabulary=3).outputs["log_probability"]
    assert sympy.exp(log_p) == sympy.Rational(1, len(answers))
    # the small twin: reward 1 iff the last token is 5
    assert Fraction(sum(a[-1] == "5" for a in answers), len(answers)) == Fraction(1, 3)


def test_power_one_off_is_seen() -> None:
    """Discounting the last reward for its own action as well gives γ^T, not γ^(T−1)."""
    answer = Fraction(str(rlcalc.derive("token_mdp", prompt="q", tokens=["a", "b"], gamma="1/2").answer))
    assert answer == Fraction(1, 2) != Fraction(1, 2) ** 2


def test_tokens_stay_literal() -> None:
    tokens = ["[bold]", "[/bold]", "1/0", "--gamma", "@x", "nan", "a b"]
    outputs = rlcalc.derive("token_mdp", prompt="[red]", tokens=tokens).outputs
    assert outputs["actions"] == tokens
    assert outputs["states"][-1] == " ".join(["[red]", *tokens])
    assert rlcalc.derive("token_mdp", prompt="", tokens=["a", "b"]).outputs["states"] == ["", "a", "a b"]


def test_symbols() -> None:
    d = rlcalc.derive("token_mdp", prompt="q", tokens=["a", "b", "c"], gamma="g", reward="r")
    g, r = (sympy.Symbol(name, real=True) for name in "gr")
    assert d.outputs["returns"] == [g**2 * r, g * r, r]


def test_long_answers_do_not_underflow_in_logs() -> None:
    inputs = {"prompt": "q", "tokens": ["w"] * 200, "vocabulary": 128256}
    e = rlcalc.evaluate("token_mdp", inputs, ALL, dtype="float32")
    assert e.results["log_probability"].numpy == pytest.approx(-200 * math.log(128256), rel=1e-6)
    assert e.agree


def test_half_precision_holds_a_large_vocabulary() -> None:
    reward = torch.tensor(1.0, dtype=torch.float16)
    found = rlcalc.compute("token_mdp", prompt="q", tokens=["a"], reward=reward, vocabulary=100000)
    assert found["log_probability"].item() == pytest.approx(-11.5, abs=0.02)
    assert rlcalc.token_mdp("q", ["a"], reward=torch.ones(2, dtype=torch.bfloat16)).dtype == torch.bfloat16
    small = rlcalc.compute("token_mdp", prompt="q", tokens=["a"], reward=np.float16(1), vocabulary=100000)
    assert np.isfinite(small["log_probability"])


@pytest.mark.parametrize("at", [0.0, 0.5, 1.0])
def test_gradient(at: float) -> None:
    gamma = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    reward = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    first = rlcalc.token_mdp("q", ["a", "b", "c"], reward=reward, gamma=gamma)[0]
    slopes = torch.autograd.grad(first, (gamma, reward))
    assert [s.item() for s in slopes] == pytest.approx([2 * at * 3, at**2])


def test_no_tokens_in_python() -> None:
    with pytest.raises(rlcalc.InputError) as caught:
        rlcalc.token_mdp("q", [])
    assert caught.value.code == "tokens_empty"


@pytest.mark.parametrize(
    ("length", "shown"), [(1, 1), (SHOWN, SHOWN), (SHOWN + 1, 1)], ids=["one", "all", "too many"]
)
def test_a_long_answer_shows_its_first_return(length: int, shown: int) -> None:
    d = rlcalc.derive("token_mdp", prompt="q", tokens=["a"] * length)
    assert [TextPrinter(numbers=False).name(step.name) for step in d.steps] == [
        f"G_{t}" for t in range(shown)
    ]
    assert d.steps[0].note == ("every reward before the last is 0" if length > 1 else "")
    assert not any(step.note for step in d.steps[1:])


def test_notes_count_actions_and_states() -> None:
    def notes(tokens: list[str]) -> list[str]:
        return rlcalc.derive("token_mdp", prompt="q", tokens=tokens).notes

    assert notes(["a"]) == ["One action A_0 and two states S_0 and S_1, the last terminal."]
    assert notes(["a", "b"]) == ["2 actions A_0 … A_1 and 3 states S_0 … S_2, the last terminal."]


def test_a_delay_of_one_has_no_exponent() -> None:
    text = rlcalc.derive("token_mdp", prompt="q", tokens=["a", "b", "c"], gamma="1/2").text()
    assert "G_0 = γ²·R_3 =" in text
    assert "G_1 = γ·R_3 =" in text
    assert "G_2 = R_3 =" in text


def test_a_word_is_one_token() -> None:
    assert rlcalc.token_mdp(prompt="q", tokens="four").tolist() == [1]
    assert rlcalc.token_mdp(prompt="q", tokens=["f", "o"]).tolist() == [1, 1]
