"""The token process of section 5.4, its returns and its uniform log-probability."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import rlcalc
from rlcalc.formulas.token_mdp import MAX_SHOWN
from rlcalc.steps.printers import TextPrinter

ALL = ("sympy", "numpy", "torch")


def test_tokens_stay_literal() -> None:
    tokens = ["[bold]", "[/bold]", "1/0", "--gamma", "@x", "nan", "a b"]
    outputs = rlcalc.derive("token_mdp", prompt="[red]", tokens=tokens).outputs
    assert outputs["actions"] == tokens
    assert outputs["states"][-1] == " ".join(["[red]", *tokens])
    assert rlcalc.derive("token_mdp", prompt="", tokens=["a", "b"]).outputs["states"] == ["", "a", "a b"]


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


@pytest.mark.parametrize(
    ("length", "shown"), [(1, 1), (MAX_SHOWN, MAX_SHOWN), (MAX_SHOWN + 1, 1)], ids=["one", "all", "too many"]
)
def test_a_long_answer_shows_its_first_return(length: int, shown: int) -> None:
    d = rlcalc.derive("token_mdp", prompt="q", tokens=["a"] * length)
    assert [TextPrinter(numbers=False).name(step.name) for step in d.steps] == [
        f"G_{t}" for t in range(shown)
    ]
    assert d.steps[0].note == ("every reward before the last is 0" if length > 1 else "")
    assert not any(step.note for step in d.steps[1:])


def test_a_word_is_one_token() -> None:
    assert rlcalc.token_mdp(prompt="q", tokens="four").tolist() == [1]
    assert rlcalc.token_mdp(prompt="q", tokens=["f", "o"]).tolist() == [1, 1]
