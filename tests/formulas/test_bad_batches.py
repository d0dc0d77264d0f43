"""What every formula of language-model training says to bad input: the same, at both doors.

The command line and ``rlcalc.derive`` read exact numbers, ``rlcalc.compute`` arrays. Rows without a valid
token are no bad input anywhere: the specification gives them a loss of 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import rlcalc
from rlcalc.errors import InputError
from rlcalc.evaluation import checked
from rlcalc.golden.files import shipped
from rlcalc.inputs.arrays import from_exact
from rlcalc.nested import fold
from rlcalc.specs import Formula, Parameter, formula_names, load_formula

TRAINING = [load_formula(n) for n in formula_names() if set(load_formula(n).stage) - {"control"}]
# of tokens; the formula itself takes densities too, by its specification
UNBOUNDED = {("kl_estimate", "logp"), ("kl_estimate", "ref_logp")}
LOG_PROBS = ("logp", "logps", "chosen", "rejected", "ref_chosen", "ref_rejected")


def log_probabilities() -> Iterator[Any]:
    for formula in TRAINING:
        for p in formula.parameters:
            named = p.name.endswith("logp") or p.name.endswith("logps") or p.name in LOG_PROBS
            if named and formula.name != "reward_model_loss" and (formula.name, p.name) not in UNBOUNDED:
                yield pytest.param(formula, p, id=f"{formula.name}-{p.name}")


def choices() -> Iterator[Any]:
    for formula in TRAINING:
        for p in formula.parameters:
            if p.kind == "choice":
                yield pytest.param(formula, p, id=f"{formula.name}-{p.name}")


def good(formula: Formula, *names: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Inputs of a golden case that gives the named ones, exact and as arrays."""
    for case in shipped(formula.name).cases:
        if case.result == "invalid" or case.batch or not set(names) <= set(case.given):
            continue
        inputs = checked(formula, case.given)
        if not inputs.symbols:
            arrays = {k: v for k, v in from_exact(inputs, "numpy").items() if v is not None}
            return dict(case.given), arrays
    raise AssertionError(f"no case of {formula.name} gives {names}")


def refused(call: Callable[..., Any], formula: Formula, **inputs: Any) -> InputError:
    with pytest.raises(InputError) as caught:
        call(formula.name, **inputs)
    assert caught.value.message.endswith(".")
    return caught.value


@pytest.mark.parametrize(("formula", "p"), list(log_probabilities()))
def test_a_log_probability_above_0_is_refused_unless_it_is_masked(formula: Formula, p: Parameter) -> None:
    given, arrays = good(formula, p.name)
    high = np.full(arrays[p.name].shape, 0.25)
    mask = formula.mask is not None and {formula.mask.name: np.ones(high.shape, bool)}
    code = f"{p.name}_out_of_range"
    wrong: Any = fold(["1/4"] * high.size, high.shape)
    assert refused(rlcalc.derive, formula, **{**given, p.name: wrong, **_listed(mask)}).code == code
    assert refused(rlcalc.compute, formula, **{**arrays, p.name: high, **(mask or {})}).code == code
    tensors = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in arrays.items()}
    tensors |= {p.name: torch.tensor(high), **{k: torch.tensor(v) for k, v in (mask or {}).items()}}
    assert refused(rlcalc.compute, formula, **tensors).code == code
    # rounding of a difference of logits is no mistake of the caller
    rlcalc.compute(formula.name, **{**arrays, p.name: np.full(high.shape, 1e-15)})
    if mask:
        hidden = {k: np.zeros_like(v) for k, v in mask.items()}
        rlcalc.compute(formula.name, **{**arrays, p.name: high, **hidden})
        rlcalc.derive(formula.name, **{**given, p.name: wrong, **_listed(hidden)})


def _listed(mask: Any) -> dict[str, Any]:
    return {name: value.astype(int).tolist() for name, value in (mask or {}).items()}


@pytest.mark.parametrize(("formula", "p"), list(choices()))
def test_an_unknown_mode_is_answered_with_the_nearest_name(formula: Formula, p: Parameter) -> None:
    given, arrays = good(formula)
    meant = p.choices[-1]
    typed = meant + "s"
    for call, inputs in ((rlcalc.derive, given), (rlcalc.compute, arrays)):
        error = refused(call, formula, **{**inputs, p.name: typed})
        assert error.code == f"{p.label}_unknown"
        assert typed in error.message
        assert all(choice in error.message for choice in p.choices)
        assert meant in error.hint


@pytest.mark.parametrize(
    "formula", [f for f in TRAINING if f.mask is not None], ids=lambda formula: formula.name
)
def test_masks_that_do_not_fit_and_rows_without_a_token(formula: Formula) -> None:
    assert formula.mask is not None
    given, arrays = good(formula, formula.mask.name)
    rows, width = arrays[formula.mask.name].shape
    for call, inputs in ((rlcalc.derive, given), (rlcalc.compute, arrays)):
        wide = {**inputs, formula.mask.name: np.ones((rows, width + 1), int).tolist()}
        assert refused(call, formula, **wide).code == f"{formula.mask.name}_wrong_length"
        half = {**inputs, formula.mask.name: [[0.5] * width] * rows}
        assert refused(call, formula, **half).code == f"{formula.mask.name}_not_a_flag"
        empty = np.zeros((rows, width), int).tolist()
        found = call(formula.name, **{**inputs, formula.mask.name: empty})
        outputs = getattr(found, "outputs", found)
        for name in ("loss", "weights", "whitened", "advantages", "rewards"):
            if name in outputs:
                assert (np.asarray(outputs[name], float) == 0).all(), name


@pytest.mark.parametrize(
    ("formula", "p"),
    [
        pytest.param(f, p, id=f"{f.name}-{p.name}")
        for f in TRAINING
        for p in f.parameters
        if len(p.shape) == 2 and p.kind == "number"
    ],
)
def test_rows_of_different_lengths(formula: Formula, p: Parameter) -> None:
    """Lists of Python are padded by the exact door alone, where a formula has one table and a mask."""
    given, arrays = good(formula, p.name)
    ragged = {p.name: [[-1.0, -2.0], [-1.0]]}
    error = refused(rlcalc.compute, formula, **{**arrays, **ragged})
    assert error.code == f"{p.label}_wrong_length"
    assert "different lengths" in error.message
    tables = [q for q in formula.parameters if formula.is_masked(q)]
    if formula.mask is None or len(tables) > 1:
        exact = {**given, **ragged, **({formula.mask.name: None} if formula.mask else {})}
        found = refused(rlcalc.derive, formula, **exact)
        assert found.code.endswith(("_wrong_length", "_wrong_shape"))
