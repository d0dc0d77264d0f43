"""The vectors measured by the faults: none survives, none is mistaken for another."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from rlcalc.conform import selfcheck
from rlcalc.conform.faults import catalogue, formulas_with_faults
from rlcalc.conform.selfcheck import formula_matrix
from rlcalc.data import data_folder, read_toml

FORMULAS = formulas_with_faults()


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json.loads((data_folder("specs") / "schemas" / "faults.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_there_are_faults() -> None:
    assert "gae" in FORMULAS


@pytest.mark.parametrize("formula", FORMULAS)
def test_data(formula: str, validator: Any) -> None:
    data = read_toml(data_folder("specs") / "faults" / f"{formula}.toml")
    assert [error.message for error in validator.iter_errors(data)] == []
    assert catalogue(formula).formula == formula


@pytest.mark.parametrize("formula", FORMULAS)
def test_every_fault_is_killed_and_told_apart(formula: str) -> None:
    matrix = formula_matrix(formula)
    assert matrix.survivors == ()
    assert matrix.confused == ()
    assert matrix.broken == ()


@pytest.mark.parametrize("formula", FORMULAS)
def test_faults_that_only_round_show_on_different_vectors(formula: str) -> None:
    """A target is told which of them it has by nothing else."""
    matrix = formula_matrix(formula)
    rounds = [fault.name for fault in catalogue(formula).faults if fault.rounds]
    for a, b in combinations(rounds, 2):
        assert matrix.apart[a, b] == len(set(matrix.kills[a]) ^ set(matrix.kills[b])) >= 2


def test_faults_that_show_on_the_same_vectors_are_confused(monkeypatch: pytest.MonkeyPatch) -> None:
    known = catalogue("td_error")
    rounding = next(fault for fault in known.faults if fault.name == "discounts-in-float32")
    twin = replace(rounding, name="twin")
    monkeypatch.setattr(selfcheck, "catalogue", lambda name: replace(known, faults=(*known.faults, twin)))
    assert formula_matrix("td_error").confused == (("discounts-in-float32", "twin"),)
