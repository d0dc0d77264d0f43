"""The n-step return against the lecture, the walk along the window, and both readings of terminal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rlcalc
from tests.refused import refused

LECTURE: dict[str, Any] = {"rewards": [2, 3], "values": [5, 8, 10], "gamma": "0.9"}


def test_positional_call_takes_the_natural_order() -> None:
    got = rlcalc.n_step_return([2.0, 3], [5.0, 8, 10], 0.9, 2)
    np.testing.assert_allclose(got, [12.8, 12])


def test_refused_terminal_names_both_readings() -> None:
    with refused(rlcalc.InputError, "terminal_value_not_zero") as error:
        rlcalc.derive("n_step_return", **LECTURE, n=2, terminal=True)
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
