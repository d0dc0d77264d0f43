"""The vectors measured by the faults: each is detected, none is mistaken for another."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from rlcalc.conform import selfcheck
from rlcalc.conform.catalogue import Catalogue
from rlcalc.conform.fault import Fault, argument_fault
from rlcalc.conform.faults import catalogue, formulas_with_faults
from rlcalc.conform.forms import Arrays
from rlcalc.conform.outcome import Outcome, judge, run_form
from rlcalc.conform.selfcheck import formula_matrix, matrix_json, matrix_lines
from rlcalc.conform.vectors import Vector, golden_vectors, reference
from rlcalc.nested import flatten
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


@pytest.mark.parametrize("formula", sweep(formulas_with_faults(), IN_THE_INNER_LOOP.__contains__))
def test_no_plainly_wrong_number_passes_or_is_skipped(formula: str) -> None:
    """Every wrong answer of the catalogue, looked at a second time with floats alone."""
    vectors = golden_vectors(formula)
    for fault in catalogue(formula).faults:
        form = fault.around(reference(vectors[0].formula))
        for vector in vectors:
            outcome = run_form(form, vector)
            if outcome.kind == "answer" and plainly_wrong(vector, outcome):
                assert judge(vector, outcome).failed, f"{fault.name} on {vector.id}"


def plainly_wrong(vector: Vector, outcome: Outcome) -> bool:
    """Whether some entry is another number than the right one by more than any digits explain."""
    for name, truth in vector.truth.items():
        right = np.array([float(value) for value in flatten(truth)])
        got = np.ravel(outcome.outputs.get(name, right))
        if got.size != right.size:
            continue
        asked = ~np.isnan(right)
        with np.errstate(invalid="ignore"):  # infinity less infinity, which is the same number
            near = np.abs(got - right) <= 1e-6 * np.maximum(np.abs(right), vector.size("float64"))
        same = np.where(np.isfinite(right) & np.isfinite(got), near, got == right)
        if not same[asked].all():
            return True
    return False


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
