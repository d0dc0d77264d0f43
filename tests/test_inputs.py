"""Binding raw input to a specification: reading, lengths, defaults, domains."""

from __future__ import annotations

import copy
import math
import pickle
from decimal import Decimal
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
        [Decimal("1"), Decimal("0.9"), Decimal("-0.75")],
        [sympy.Integer(1), sympy.Rational(9, 10), sympy.Rational(-3, 4)],
    ],
    ids=["text", "fractions", "floats", "float64 array", "float32 array", "tensor", "decimals", "sympy"],
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


@pytest.mark.parametrize(
    ("formula", "raw", "code"),
    [
        ("entropy", {"p": ["p", "2-p"]}, "p_not_a_distribution"),
        ("entropy", {"p": ["3/4", "p", "1/2"]}, "p_not_a_distribution"),
        ("entropy", {"p": ["1+p**2", "-p**2"]}, "p_not_a_distribution"),
        ("kl", {"p": ["p", "1/2-p"], "q": ["1/2", "1/2"]}, "p_not_a_distribution"),
        ("baseline_variance", {"policy": ["p", "3-p"], "returns": ["a", "b"]}, "policy_not_a_distribution"),
        ("ratio", {"new": "2+x**2", "old": "1/2"}, "new_out_of_range"),
        ("gae", {"rewards": [1, 2], "lam": "1/2", "gamma": "exp(g**2)+1"}, "gamma_out_of_range"),
        ("ppo_clip", {"ratio": "0-1-r**2", "adv": 1}, "ratio_out_of_range"),
        ("td_update", {"value": 1, "target": 2, "alpha": "-a**2"}, "alpha_out_of_range"),
        ("gae", {"rewards": [1, 2], "gamma": "g", "lam": "g + 2"}, "symbols_contradict"),
    ],
)
def test_assumptions_that_no_number_meets_are_refused(formula: str, raw: dict[str, Any], code: str) -> None:
    assert refused(raw, load_formula(formula)).code == code


def test_a_sum_that_symbols_leave_open_is_said_to_be_assumed() -> None:
    entropy = load_formula("entropy")
    assert "p + q = 1 is assumed: probabilities sum to 1." in bind(entropy, {"p": ["p", "q"]}).notes
    for closed in (["p", "1-p"], ["exp(a)/(1+exp(a))", "1/(1+exp(a))"]):
        assert not any("assumed" in note for note in bind(entropy, {"p": closed}).notes)


def test_several_inputs_in_one_symbol_are_looked_at_together() -> None:
    notes = bind(load_formula("gae"), {"rewards": [1, 2], "gamma": "g", "lam": "1/g"}).notes
    assert notes[-1] == "Together these leave only g = 1."
    assert not any(
        "Together" in n for n in bind(load_formula("gae"), {"rewards": [1], "gamma": "g", "lam": "g/2"}).notes
    )


def test_what_holds_for_every_number_needs_no_note() -> None:
    assert not bind(CLIP, {"ratio": "1 + x**2", "adv": "a"}).notes
    assert bind(CLIP, {"ratio": "1", "adv": "a", "eps": "h"}).signs() == {"h": "positive"}


def test_a_word_for_all_numbers_does_not_stand_among_them() -> None:
    error = refused(
        {"mdp": "bandit", "gamma": "1/2", "policy": ["uniform", "1/3"]}, load_formula("policy_eval")
    )
    assert error.code == "number_syntax"
    assert "stands for all numbers" in error.message


def test_rows_with_a_hole_are_refused() -> None:
    error = refused({"mdp": "bandit", "gamma": "1/2", "policy": ["1,,2"]}, load_formula("policy_eval"))
    assert error.code == "empty_entry"


def test_false_is_no_number() -> None:
    assert refused({"value": False, "target": 1}, load_formula("td_update")).code == "number_syntax"


def test_inputs_can_be_copied_and_pickled() -> None:
    inputs = bind(LAMBDA, {"rewards": ["1", "r"], "lam": "l"})
    for twin in (pickle.loads(pickle.dumps(inputs)), copy.copy(inputs), copy.deepcopy(inputs)):
        assert twin == inputs
        assert twin.rewards == inputs.rewards


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
