"""The token process of section 5.4, its returns and its uniform log-probability."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import sympy
import torch

import rlcalc
from rlcalc.formulas.token_mdp import SHOWN
from rlcalc.steps.printers import TextPrinter

PROMPT = "Janet has 3 apples. She buys 2 more. How many apples does she have?"
ANSWER = ["Janet", "starts", "with", "3", "apples", "and", "buys", "2", "more,", "so", "she", "has", "5"]
ALL = ("sympy", "numpy", "torch")


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
