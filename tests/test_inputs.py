"""Binding raw input to a specification: reading, lengths, defaults, domains."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
import torch

from rlcalc.errors import InputError, UnknownName
from rlcalc.inputs.bind import bind
from rlcalc.specs import load_formula

LAMBDA = load_formula("lambda_return")
CLIP = load_formula("ppo_clip")


def refused(raw: dict[str, Any], formula: Any = LAMBDA) -> InputError:
    with pytest.raises(InputError) as caught:
        bind(formula, raw)
    return caught.value


@pytest.mark.parametrize(
    "rewards",
    [
        ["1", "0.9", "-3/4"],
        [1, Fraction(9, 10), Fraction(-3, 4)],
        (1, 0.9, -0.75),
        np.array([1, 0.9, -0.75]),
        np.array([1, 0.9, -0.75], np.float32),
        torch.tensor([1, 0.9, -0.75], dtype=torch.float64),
        [sympy.Integer(1), sympy.Rational(9, 10), sympy.Rational(-3, 4)],
    ],
    ids=["text", "fractions", "floats", "float64 array", "float32 array", "tensor", "sympy"],
)
def test_every_way_of_writing_a_list_is_the_same_exact_list(rewards: Any) -> None:
    i = bind(LAMBDA, {"rewards": rewards, "lam": "1/2"})
    assert i.rewards == [1, Fraction(9, 10), Fraction(-3, 4)]
    assert i.values == [0, 0, 0, 0]
    assert i.gamma == 1
    assert i.texts()["rewards"] == ["1", "9/10", "-3/4"]


def test_absent_options_are_none_and_not_given() -> None:
    i = bind(LAMBDA, {"rewards": ["1"], "lam": "1", "alpha": None, "terminal": False})
    assert i.alpha is None
    assert i.typed == {"rewards", "lam"}
    assert "alpha" not in i.texts()


def test_a_discount_for_every_step_or_one_for_all() -> None:
    assert bind(LAMBDA, {"rewards": [1, 2], "lam": 0, "gamma": ["1/2"]}).gamma == Fraction(1, 2)
    assert bind(LAMBDA, {"rewards": [1, 2], "lam": 0, "gamma": [1, "1/2"]}).gamma == [1, Fraction(1, 2)]


def test_symbols_are_kept_and_the_assumption_is_said() -> None:
    i = bind(LAMBDA, {"rewards": ["r1", "r2"], "lam": "l"})
    assert i.symbols == {"r1", "r2", "l"}
    assert any("l is taken to be in [0, 1]" in note for note in i.notes)


def test_caution_above_one() -> None:
    i = bind(LAMBDA, {"rewards": [1], "lam": 0, "alpha": "3/2"})
    assert any("overshoots" in note for note in i.notes)
    assert not bind(LAMBDA, {"rewards": [1], "lam": 0, "alpha": 1}).notes


@pytest.mark.parametrize(
    ("raw", "code", "says"),
    [
        ({"lam": 1}, "rewards_missing", "rewards"),
        ({"rewards": [], "lam": 1}, "rewards_empty", "rewards"),
        ({"rewards": [1], "lam": 1, "values": [1]}, "values_wrong_length", "expected 2"),
        ({"rewards": [1, 2], "lam": 1, "gamma": [1, 1, 1]}, "gamma_wrong_length", "expected 2"),
        ({"rewards": [1], "lam": [0, 1]}, "lam_wrong_length", "one value"),
        ({"rewards": [1], "lam": 1, "gamma": "1.1"}, "gamma_out_of_range", "11/10"),
        ({"rewards": [1], "lam": "-1/3"}, "lam_out_of_range", "-1/3"),
        ({"rewards": [1], "lam": "sqrt(2)"}, "lam_out_of_range", "sqrt(2)"),
        ({"rewards": [1], "lam": 1, "alpha": 0}, "alpha_out_of_range", "0"),
        ({"rewards": [1], "lam": 1, "alpha": 2}, "alpha_out_of_range", "2"),
        ({"rewards": [math.nan], "lam": 1}, "number_not_finite", "nan"),
        ({"rewards": [math.inf], "lam": 1}, "number_not_finite", "inf"),
        ({"rewards": [True], "lam": 1}, "number_syntax", "True"),
        ({"rewards": [sympy.I], "lam": 1}, "number_not_real", "I"),
        ({"rewards": [sympy.oo], "lam": 1}, "number_not_finite", "oo"),
        ({"rewards": [sympy.nan], "lam": 1}, "number_not_finite", "nan"),
        ({"rewards": [sympy.zoo], "lam": 1}, "number_not_finite", "zoo"),
        ({"rewards": [sympy.pi + sympy.Float("0.1")], "lam": 1}, "number_not_exact", "pi"),
        ({"rewards": [1], "lam": 1, "terminated": ["2"]}, "terminated_not_a_flag", "'2'"),
    ],
)
def test_refusals_name_what_was_given(raw: dict[str, Any], code: str, says: str) -> None:
    error = refused(raw)
    assert error.code == code
    assert says in error.message


def test_unknown_parameter_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownName) as caught:
        bind(LAMBDA, {"reward": [1], "lam": 1})
    assert caught.value.code == "unknown_parameter"
    assert "rewards" in caught.value.hint


def test_the_lower_end_of_an_open_interval_is_outside() -> None:
    assert refused({"ratio": 1, "adv": 1, "eps": 0}, CLIP).code == "eps_out_of_range"
    assert bind(CLIP, {"ratio": 0, "adv": 1, "eps": "1e-300"}).eps == Fraction(1, 10**300)


def test_narrow_floats_mean_their_shortest_decimal_in_every_library() -> None:
    tenth = Fraction(1, 10)
    for rewards in (
        np.array([0.1], np.float32),
        np.array([0.1], np.float16),
        torch.tensor([0.1]),
        torch.tensor([0.1], dtype=torch.float16),
        torch.tensor([0.1], dtype=torch.float64, requires_grad=True),
        [sympy.Float("0.1")],
    ):
        assert bind(LAMBDA, {"rewards": rewards, "lam": 1}).rewards == [tenth]


def test_expressions_may_not_bring_symbols_where_letters_may_not() -> None:
    error = refused({"rewards": [sympy.Symbol("a"), 1]}, load_formula("grpo_advantage"))
    assert error.code == "symbol_not_allowed"
