"""The vectors measured by the faults: each is detected, none is mistaken for another."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest

from rlcalc.conform import selfcheck
from rlcalc.conform.catalogue import Catalogue
from rlcalc.conform.fault import Fault, argument_fault
from rlcalc.conform.faults import catalogue, formulas_with_faults
from rlcalc.conform.forms import Arrays
from rlcalc.conform.selfcheck import formula_matrix, matrix_json, matrix_lines
from tests.sweep import sweep

# with the most faults, and one for each family beside it
IN_THE_INNER_LOOP = {"ppo_clip", "kl", "q_target"}


@pytest.mark.parametrize("formula", sweep(formulas_with_faults(), IN_THE_INNER_LOOP.__contains__))
def test_every_fault_is_detected_and_distinguished(formula: str) -> None:
    matrix = formula_matrix(formula)
    assert (matrix.missed, matrix.confused, matrix.broken) == ((), (), ())
    rounds = [fault.name for fault in catalogue(formula).faults if fault.rounds]
    for a, b in combinations(rounds, 2):  # nothing else says which of them a target has
        by_where = set(matrix.detected[a]) ^ set(matrix.detected[b])
        assert matrix.distinguished[a, b] == len(by_where) >= 2


def with_one_more(monkeypatch: pytest.MonkeyPatch, formula: str, more: Fault) -> selfcheck.FormulaMatrix:
    known = catalogue(formula)
    changed = Catalogue(formula, (*known.faults, more), known.conventions)
    monkeypatch.setattr(selfcheck, "catalogue", lambda name: changed)
    return formula_matrix(formula)


def test_faults_that_show_on_the_same_vectors_are_confused(monkeypatch: pytest.MonkeyPatch) -> None:
    rounding = next(f for f in catalogue("td_error").faults if f.name == "discounts-in-float32")
    matrix = with_one_more(monkeypatch, "td_error", replace(rounding, name="twin"))
    assert matrix.confused == (("discounts-in-float32", "twin"),)
    assert "  NOT DISTINGUISHED: discounts-in-float32 and twin" in matrix_lines([matrix])


@argument_fault("sign")
def harmless(arrays: Arrays) -> Arrays:
    """Changes nothing.

    Shown when: Never.
    Cause: A test.
    Fix: Nothing.
    """
    return {}


@argument_fault("sign")
def misspelt(arrays: Arrays) -> Arrays:
    """Asks for an argument that there is not.

    Shown when: Always, though not by what it should do.
    Cause: A test.
    Fix: Nothing.
    """
    return {"theta": arrays["tehta"]}


def test_a_fault_that_no_vector_detects_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = with_one_more(monkeypatch, "softmax", harmless)
    assert matrix.missed == ("harmless",)
    assert not matrix.passed
    assert "  harmless: NOT DETECTED 2 times: 0" in matrix_lines([matrix])
    found = matrix_json([matrix])
    assert not found["passed"]
    (row,) = found["formulas"]
    assert row["not_detected"] == row["survivors"] == ["harmless"]


def test_a_fault_that_cannot_run_is_not_taken_for_a_detected_one(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = with_one_more(monkeypatch, "softmax", misspelt)
    assert matrix.broken == ("misspelt cannot run: KeyError: 'tehta'",)
