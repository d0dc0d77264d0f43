"""What symbols leave open at the edges of their domains is said, and what they cannot change is decided."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import rlcalc
from rlcalc.exact import symbol

ZERO = "0·log 0 counts as 0, also where a symbol makes a probability 0."


@pytest.mark.parametrize(
    ("formula", "inputs", "note"),
    [
        ("entropy", {"p": ["p", "1-p"]}, ZERO),
        ("kl", {"p": ["p", "1-p"], "q": ["1/2", "1/2"]}, ZERO),
        ("kl", {"p": ["p", "1-p"], "q": [0, 1]}, "p is taken to be above 0: "),
        ("kl", {"p": ["1/2", "1/2"], "q": ["q", "1-q"]}, "Where a symbol makes a probability of q 0"),
        ("control_variate", {"x": ["a", "b"], "b": ["c", "d"], "k": "best"}, "not all of c, d are equal"),
        ("traces", {"states": list("ABA"), "lam": "l", "gamma": "g", "rewards": [1, 2, 3], "replacing": True},
         "Replacing traces: in general the forward and the backward view differ for A."),
        ("baseline_variance", {"policy": ["p", "1-p"], "returns": ["a", "b"], "baseline": "best"},
         "Where a symbol makes the policy certain, every baseline gives the variance 0."),
    ],
)  # fmt: skip
def test_the_edge_is_in_the_notes(formula: str, inputs: dict[str, Any], note: str) -> None:
    assert any(note in said for said in rlcalc.derive(formula, **inputs).notes)


def test_numbers_bring_no_note_of_an_edge() -> None:
    assert not rlcalc.derive("entropy", p=["1/4", "3/4"]).notes
    assert not rlcalc.derive("kl", p=["1/4", "3/4"], q=["1/2", "1/2"]).notes


@pytest.mark.parametrize(
    ("formula", "inputs", "output", "value"),
    [
        ("lambda_weights", {"lam": "pi/4", "steps": 4}, "sum", "1"),
        ("lambda_weights", {"lam": "sqrt(2)/2", "steps": 7}, "sum", "1"),
        ("advantage", {"return_": "G**2 + 1", "value": 0}, "reading", "better"),
        ("advantage", {"return_": "0", "value": "exp(V)"}, "reading", "worse"),
        ("ppo_clip", {"ratio": "1-h", "eps": "h", "adv": 2}, "active", "both"),
        ("control_variate", {"x": ["a", "b"], "b": ["a", "b"], "k": 1}, "variance", "0"),
    ],
)
def test_what_no_symbol_can_change_is_decided(
    formula: str, inputs: dict[str, Any], output: str, value: str
) -> None:
    assert str(rlcalc.derive(formula, **inputs).outputs[output]) == value


def test_a_sure_thing_has_no_negative_entropy_nor_a_zero_with_a_sign() -> None:
    for make in (np.array, torch.tensor):
        assert not np.signbit(np.asarray(rlcalc.entropy(make([1.0, 0.0]))))


def test_a_correlation_with_itself_is_1_wherever_it_varies() -> None:
    rho = rlcalc.derive("control_variate", x=["a", "b", "c"], b=["a", "b", "c"], k=1).outputs["correlation"]
    letters = [symbol(name) for name in "abc"]
    assert {rho.subs(dict(zip(letters, at, strict=True))) for at in ([1, 2, 4], [0, -3, 5])} == {1}
