"""What the formulas on a finite MDP share: names of states, and what tables of another shape are told."""

from __future__ import annotations

import pytest

import rlcalc
from rlcalc.formulas._tabular import row_of_state, short
from rlcalc.mdp.reading import read_mdp
from tests.refused import refused


@pytest.mark.parametrize(
    ("name", "inside"),
    [("(0,1)", "0,1"), ("s", "s"), ("(a", "(a"), ("a)", "a)"), ("(a)(b)", "(a)(b)"), ("f(x)", "f(x)")],
)
def test_brackets_around_a_whole_name_are_not_doubled(name: str, inside: str) -> None:
    assert short(name) == inside


@pytest.mark.parametrize(
    ("rows", "shared", "expected"),
    [
        (2, False, "has 2 rows, expected 3 (one per state that is not terminal) or 4 (one per state)."),
        (1, False, "has 1 row, expected 3 (one per state that is not terminal) or 4 (one per state)."),
        (2, True, "expected 1 (shared by all), 3 (one per state that is not terminal) or 4 (one per state)."),
    ],
)
def test_a_table_with_other_rows_hears_which_would_do(rows: int, shared: bool, expected: str) -> None:
    with refused(rlcalc.InputError, "theta_wrong_length") as caught:
        row_of_state(read_mdp("grid2x2"), rows, "theta", shared=shared)
    assert caught.value.message.endswith(expected)
    assert caught.value.hint == "One row has 4 entries, for U, D, L, R; write ';' between rows."
