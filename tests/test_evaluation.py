"""One evaluation through all backends: agreement, skipping, disagreement that is seen."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import rlcalc
from rlcalc.digits import least_digits
from rlcalc.errors import InputError, UnknownName
from rlcalc.evaluation import evaluate
from rlcalc.formulas import lambda_return
from tests.refused import refused

CASE = {"rewards": ["1", "2", "3"], "lam": "0.5"}


def test_three_backends_agree() -> None:
    e = evaluate("lambda_return", CASE, ("sympy", "numpy", "torch"))
    assert e.agree is True
    assert e.backends == ("sympy", "numpy", "torch")
    assert str(e.answer.exact) == "11/4"
    assert e.answer.numpy == e.answer.torch == 2.75
    assert e.results["returns"].numpy == [2.75, 3.5, 3.0]


@pytest.fixture
def off_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, float], None]:
    """Makes one numeric form of the λ-return wrong by so much."""
    right = lambda_return.array_form

    def alter(backend: str, error: float) -> None:
        def wrong(xp: Any, *args: Any, **inputs: Any) -> dict[str, Any]:
            found = dict(right(xp, *args, **inputs))
            if xp.name == backend:
                found["returns"] = found["returns"] + error
            return found

        monkeypatch.setattr(lambda_return, "array_form", wrong)

    return alter


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_wrong_numeric_form_is_seen(off_by: Callable[[str, float], None], backend: str) -> None:
    off_by(backend, 1e-6)
    assert evaluate("lambda_return", CASE, ("sympy", backend)).agree is False


def test_numeric_backends_are_compared_with_each_other_when_there_is_no_exact_one(
    off_by: Callable[[str, float], None],
) -> None:
    long = {"rewards": ["1"] * 400, "lam": "0.5"}
    e = evaluate("lambda_return", long, ("sympy", "numpy", "torch"))
    assert e.derivation is None
    assert e.agree is True
    assert any("skipped" in note for note in e.notes)
    off_by("torch", 1e-6)
    assert evaluate("lambda_return", long, ("sympy", "numpy", "torch")).agree is False


def test_symbols_skip_the_numeric_backends_and_say_so() -> None:
    e = evaluate("lambda_return", {"rewards": ["1", "2", "3"], "lam": "l"}, ("sympy", "numpy"))
    assert e.agree is None
    assert str(e.answer.exact) == "3*l**2 + 2*l + 1"
    assert any("numpy was skipped" in note for note in e.notes)


def test_float32_agrees_to_fewer_digits() -> None:
    e = evaluate(
        "lambda_return", {"rewards": ["1/3", "1/7"], "lam": "0.9"}, ("sympy", "numpy", "torch"), "float32"
    )
    assert e.agree is True
    assert 6 < e.answer.digits["numpy"] <= 7.22


@pytest.mark.parametrize(
    ("kwargs", "code"),
    [
        ({"backends": ["nunpy"]}, "unknown_backend"),
        ({"backends": "nunpy"}, "unknown_backend"),
        ({"backends": []}, "backends_empty"),
        ({"dtype": "float8"}, "unknown_dtype"),
        ({"backends": ["torch"], "device": "abacus"}, "unknown_device"),
    ],
)
def test_a_misspelt_choice_is_an_error_not_a_skip(kwargs: dict[str, Any], code: str) -> None:
    with refused(InputError, code):
        evaluate("lambda_return", CASE, **kwargs)


def test_cuda_without_one_is_a_clear_error() -> None:
    import torch

    if torch.cuda.is_available():
        assert evaluate("lambda_return", CASE, ["torch"], device="cuda").answer.torch == 2.75
        return
    with refused(InputError, "device_not_available", "cuda"):
        evaluate("lambda_return", CASE, ["torch"], device="cuda")


def test_shapes_are_compared_before_numbers() -> None:
    assert least_digits([1.0, 2.0], [1.0], "float64") == float("-inf")
    assert least_digits([[1.0], [2.0]], [1.0, 2.0], "float64") == float("-inf")


def test_derive_takes_command_names_and_refuses_others() -> None:
    assert str(rlcalc.derive("ppo-clip", ratio="1.5", adv=5).answer) == "6"
    with pytest.raises(UnknownName):
        rlcalc.derive("ppo-clop")


def test_the_worst_of_many_floats_is_found_as_one_by_one() -> None:
    import random

    from rlcalc import digits

    draw = random.Random(7)
    for scale in (0.0, 3.0):
        truth = [draw.choice([0.0, 1e-310, draw.gauss(0, 1), draw.gauss(0, 1e300)]) for _ in range(2000)]
        got = [value * (1 + draw.choice([0, 1e-15, 1e-9])) for value in truth]
        slow = min(digits._float_digits(a, b, "float64", scale) for a, b in zip(got, truth, strict=True))
        assert digits.least_digits(got, truth, "float64", scale) == pytest.approx(slow)
        got[5] = float("nan")
        assert digits.least_digits(got, truth, "float64", scale) == float("-inf")


@pytest.mark.parametrize(
    ("formula", "raw", "dtype"),
    [
        ("lambda_weights", {"lam": "0.99999999999999999", "steps": 2}, "float64"),
        ("lambda_weights", {"lam": "1-1e-300", "steps": 5}, "float64"),
        ("ratio", {"new": 1, "old": "0.99999999999999999"}, "float64"),
        ("ratio", {"new": 1, "old": "0.999999999"}, "float32"),
        ("grpo_advantage", {"rewards": ["1e155", 8]}, "float64"),
        ("grpo_advantage", {"rewards": ["1e20", 8]}, "float32"),
        ("control_variate", {"x": ["1e155", 8], "b": [1, 2], "k": 1}, "float64"),
    ],
)
def test_what_the_dtype_does_to_the_inputs_is_no_fault_of_a_backend(
    formula: str, raw: dict[str, Any], dtype: str
) -> None:
    assert evaluate(formula, raw, ("sympy", "numpy", "torch"), dtype).agree is not False


def test_rounded_inputs_excuse_no_wrong_answer(off_by: Callable[[str, float], None]) -> None:
    off_by("numpy", 1e-6)
    raw = {"rewards": ["1/3", "0.1234567890123456789"], "lam": "0.99999999999999999"}
    assert evaluate("lambda_return", raw, ("sympy", "numpy")).agree is False


def test_an_evaluation_can_be_copied_and_says_in_short_what_it_is() -> None:
    e = evaluate("lambda_return", CASE)
    for twin in (pickle.loads(pickle.dumps(e)), copy.copy(e), copy.deepcopy(e)):
        assert twin.results == e.results
        assert twin.derivation is not None
        assert e.derivation is not None
        assert twin.derivation.text() == e.derivation.text()
    assert repr(e) == "<Evaluation of lambda_return: sympy numpy; agree>"


def test_only_one_over_k_counts_the_returns() -> None:
    found = evaluate("mc_update", {"value": 0, "returns": [6, 2], "alpha": "2/k"})
    assert any("k is a symbol here" in note for note in found.notes)
    found = evaluate("mc_update", {"value": 0, "returns": [6, 2], "alpha": "1/k"})
    assert not any("symbol" in note for note in found.notes)


def test_an_answer_that_nobody_computed_is_an_error() -> None:
    found = evaluate("td_error", {"reward": "x", "value": 1, "next_value": 1, "gamma": 1}, ["numpy"])
    assert not found.results
    with refused(InputError, "nothing_computed", "x left as a symbol"):
        _ = found.answer


@pytest.mark.parametrize(
    ("formula", "raw"),
    [
        # V + α(target − V) with α = 1 is the target, of which V leaves no digit
        ("td", {"steps": "A 0 A; A 0 A", "values": 1, "alpha": 1, "gamma": "1/1073741824", "n": 2}),
        ("q_learning", {"steps": "A x 1e-30 B", "q": "A x 1/3; B x 1e-30", "alpha": 1, "gamma": 1}),
        (
            "policy_eval",
            {"mdp": "A go -> B 1 1e20; B go -> C 1 -1e20; C go -> T 1 1/3; terminal: T", "gamma": 1},
        ),
    ],
)
def test_what_cancels_is_held_to_the_size_of_rewards_and_tables(formula: str, raw: dict[str, Any]) -> None:
    assert evaluate(formula, raw).agree is True
