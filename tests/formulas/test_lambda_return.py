"""The λ-return against the lecture, its recursion, and long horizons."""

from __future__ import annotations

import time
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings

import rlcalc
from rlcalc.exact import symbol, to_sympy
from tests.formulas.episodes import Sequence, sequences

LECTURE: dict[str, Any] = {"rewards": [1, 2, 3]}


@settings(deadline=None, max_examples=12)
@given(sequences(longest=4))
def test_a_symbol_stands_for_every_number(e: Sequence) -> None:
    polynomial = rlcalc.derive("lambda_return", **e.given(), lam="l").answer
    for lam in (Fraction(0), Fraction(2, 3), Fraction(1)):
        assert (
            polynomial.subs(symbol("l"), to_sympy(lam))
            == rlcalc.derive("lambda_return", **e.given(), lam=lam).answer
        )


@pytest.mark.slow  # long
@pytest.mark.parametrize(
    "inputs",
    [
        {"gamma": [f"{90 + k % 9}/100" for k in range(64)], "lam": "9/10"},
        {"gamma": "1", "lam": "l"},
    ],
)
def test_a_horizon_of_64_is_answered_exactly_and_soon(inputs: dict[str, Any]) -> None:
    rewards, values = [(7 * k) % 5 for k in range(64)], [(3 * k) % 7 for k in range(65)]
    rlcalc.derive("lambda_return", rewards=[1], lam=1)  # imports are not what is measured
    start = time.process_time()
    answer = rlcalc.derive("lambda_return", rewards=rewards, values=values, **inputs).answer
    # about half a second in practice; the margin is for a loaded machine
    assert time.process_time() - start < 6
    if inputs["lam"] != "l":
        found = rlcalc.evaluate(
            "lambda_return", {"rewards": rewards, "values": values, **inputs}, ("sympy", "numpy")
        )
        assert found.results["return"].exact == answer
        assert found.agree


def test_a_long_delay_has_its_closed_form() -> None:
    rewards = [0] * 63 + [1]
    answer = rlcalc.derive("lambda_return", rewards=rewards, gamma="99/100", lam="19/20").answer
    assert answer == (Fraction(99, 100) * Fraction(19, 20)) ** 63


def test_refused_terminal_of_a_long_episode_is_still_one_line() -> None:
    with pytest.raises(rlcalc.InputError) as error:
        rlcalc.derive(
            "lambda_return", rewards=[1] * 500, values=[0] * 500 + [1], lam="1/3", gamma="9/10", terminal=True
        )
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400
