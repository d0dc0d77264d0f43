"""What the exact door refuses, the numeric door refuses with the same code; what arrays alone get wrong."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

import rlcalc
from rlcalc.data import data_folder
from rlcalc.exact import parse_number, to_float
from rlcalc.golden.files import Case, load
from rlcalc.nested import map_nested
from rlcalc.specs import Parameter, formula_names, load_formula

# the grammar's own refusals: a number has been read already
OF_TEXT = {"division_by_zero", "number_too_large", "symbol_not_allowed", "unknown_name"}
# inside the domain once it is rounded to a float
ROUNDED_AWAY = {"lambda_return/lam-just-above-one"}
# an unbounded input hands nan and infinity on
HANDED_ON = {
    "advantage/infinite-return",
    "baseline_variance/infinite-baseline",
    "lambda_return/reward-nan",
    "softmax/infinite",
    "softmax/not-a-number",
    "td_update/not-finite",
}
CASES = [
    case
    for name in formula_names()
    for case in load(data_folder("golden") / f"{name}.toml").cases
    if case.result == "invalid" and case.error not in OF_TEXT
]


def python_value(parameter: Parameter, raw: Any) -> Any:
    """A golden input as a caller of Python has it: numbers as floats, integers as int."""
    if parameter.kind == "mdp" or parameter.kind in ("word", "choice"):
        return raw

    def one(entry: Any) -> Any:
        if entry in ("nan", "inf") or (isinstance(entry, str) and entry in parameter.choices):
            return float(entry) if entry in ("nan", "inf") else entry
        number = Fraction(entry) if isinstance(entry, int) else parse_number(entry)
        whole = parameter.kind != "number" and isinstance(number, Fraction) and number.denominator == 1
        return int(number) if whole else to_float(number)

    return map_nested(one, raw)


def arrays(formula: str, given: dict[str, Any], make: Callable[[Parameter, Any], Any]) -> dict[str, Any]:
    known = {p.name: p for p in load_formula(formula).parameters}
    return {
        name: make(known[name], python_value(known[name], raw)) if name in known else raw
        for name, raw in given.items()
    }


def as_array(parameter: Parameter, value: Any) -> Any:
    numeric = parameter.kind in ("number", "flag", "integer") and not isinstance(value, str)
    return np.asarray(value) if numeric and not parameter.is_switch else value


def as_tensor(parameter: Parameter, value: Any) -> Any:
    array = as_array(parameter, value)
    if not isinstance(array, np.ndarray):
        return array
    return torch.as_tensor(array, dtype=torch.float64 if parameter.kind == "number" else None)


@pytest.mark.parametrize("make", [lambda p, v: v, as_array, as_tensor], ids=["lists", "arrays", "tensors"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_golden_refusal_has_its_code(case: Case, make: Callable[[Parameter, Any], Any]) -> None:
    formula = case.id.partition("/")[0]
    if case.id in HANDED_ON:
        found = rlcalc.compute(formula, **arrays(formula, case.given, make))
        assert any(not np.all(np.isfinite(np.asarray(value))) for value in found.values())
        return
    if case.id in ROUNDED_AWAY:
        rlcalc.compute(formula, **arrays(formula, case.given, make))
        return
    with pytest.raises(rlcalc.InputError) as caught:
        rlcalc.compute(formula, **arrays(formula, case.given, make))
    assert caught.value.code == case.error
    assert "--" not in str(caught.value)
    assert "rlcalc " + load_formula(formula).command not in str(caught.value)
