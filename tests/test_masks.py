"""Masked is absent: one rule and one test for every formula that has a mask.

Rows are the golden cases. Whatever stands under a mask, no answer and no
gradient changes; a masked column or row put in anywhere changes nothing; and
the parts of a batch add up to the whole.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import rlcalc
from rlcalc.errors import InputError
from rlcalc.evaluation import checked, evaluate
from rlcalc.golden.files import shipped
from rlcalc.inputs import masks
from rlcalc.inputs.arrays import from_exact
from rlcalc.specs import formula_names, load_formula
from tests.refused import refused

MASKED = [name for name in formula_names() if load_formula(name).mask is not None]
each_formula = pytest.mark.parametrize("formula", MASKED)
MASKED_STEPS_COUNT = {"zero", "count", "reset"}  # conventions in which a masked step is one, or an end
GARBAGE = (float("nan"), float("inf"), -float("inf"), 1e30)
Arrays = dict[str, Any]


def cases(formula: str) -> list[Arrays]:
    """Arrays of the golden cases, with a mask in each."""
    spec = load_formula(formula)
    found = []
    for case in shipped(formula).cases:
        if case.result == "invalid" or case.batch:
            continue
        inputs = checked(spec, case.given)
        if inputs.symbols or not any(spec.is_masked(p) for p in spec.parameters):
            continue
        found.append({k: v for k, v in from_exact(inputs, "numpy").items() if v is not None})
    return [arrays for arrays in found if arrays.get("interior") != "ignore"]


def tables(formula: str, arrays: Arrays) -> list[str]:
    spec = load_formula(formula)
    return [p.name for p in spec.parameters if spec.is_masked(p) and p.name in arrays]


def same(found: Arrays, wanted: Arrays) -> None:
    assert found.keys() == wanted.keys()
    for name in wanted:
        np.testing.assert_allclose(
            plain(found[name]), plain(wanted[name]), rtol=1e-12, atol=1e-15, err_msg=name
        )


def plain(value: Any) -> Any:
    return np.asarray(value.detach() if hasattr(value, "detach") else value)


@each_formula
@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_under_the_mask_changes_no_value_and_no_gradient(formula: str, garbage: float) -> None:
    for arrays in cases(formula):
        there = arrays["mask"]
        worse = {
            k: np.where(there, v, garbage) if k in tables(formula, arrays) else v for k, v in arrays.items()
        }
        wanted = rlcalc.compute(formula, **arrays)
        same(rlcalc.compute(formula, **worse), wanted)
        clean, dirty = slopes(formula, arrays, arrays), slopes(formula, arrays, worse)
        for name, slope in clean.items():
            np.testing.assert_array_equal(dirty[name], slope, err_msg=name)
            assert (slope[~there] == 0).all()


def slopes(formula: str, arrays: Arrays, given: Arrays) -> Arrays:
    """Gradients of the sum of all outputs by every table, at given numbers."""
    leaves = {k: torch.tensor(given[k], requires_grad=True) for k in tables(formula, arrays)}
    rest = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in given.items()}
    found = rlcalc.compute(formula, **{**rest, **leaves})
    answers = [value.sum() for value in found.values() if value.requires_grad]
    if answers:
        sum(answers).backward()
    return {k: np.zeros(leaf.shape) if leaf.grad is None else leaf.grad.numpy() for k, leaf in leaves.items()}


@each_formula
def test_masked_outputs_are_zero(formula: str) -> None:
    spec = load_formula(formula)
    for arrays in cases(formula):
        found = rlcalc.compute(formula, **arrays)
        for output in spec.outputs:
            if output.shape == spec.mask.shape and output.name in found:
                assert (found[output.name][~arrays["mask"]] == 0).all()


def widened(formula: str, arrays: Arrays, axis: int, at: int) -> Arrays:
    """The batch with one more column or row, all of it masked; a row has its own entries elsewhere."""
    spec = load_formula(formula)
    found = {}
    for p in spec.parameters:
        value = arrays.get(p.name)
        if value is None:
            continue
        name = spec.mask.shape[axis]
        if isinstance(value, np.ndarray) and name in p.shape:
            filler = 0 if value.dtype.kind in "bi" else 123.0
            value = np.insert(value, at, filler, axis=p.shape.index(name))
        found[p.name] = value
    return found


def fixed(arrays: Arrays) -> bool:
    """Whether the width of the padding, or empty rows, are not counted: the two named exceptions."""
    padded = str(arrays.get("mode", "")).startswith("fixed-divisor") and "divisor" not in arrays
    return not padded and not arrays.get("count_all")


@each_formula
@pytest.mark.parametrize("axis", [0, 1])
def test_a_masked_row_or_column_put_in_anywhere_changes_nothing(formula: str, axis: int) -> None:
    spec = load_formula(formula)
    for arrays in filter(fixed, cases(formula)):
        if arrays.get("interior") in MASKED_STEPS_COUNT and axis == 1:
            continue
        wanted = rlcalc.compute(formula, **arrays)
        for at in range(arrays["mask"].shape[axis] + 1):
            found = rlcalc.compute(formula, **widened(formula, arrays, axis, at))
            for output in spec.outputs:
                if output.name in found and spec.mask.shape[axis] in output.shape:
                    found[output.name] = np.delete(
                        found[output.name], at, axis=output.shape.index(spec.mask.shape[axis])
                    )
            same(found, wanted)


# a prompt's answers stay together, and its denominator is no count of the batch's
MODES = [m for m in load_formula("loss_aggregation").parameter("mode").choices if m != "prompt-mean"]


@pytest.mark.parametrize("mode", MODES)
def test_parts_with_global_denominators_add_up_on_any_number_of_ranks(mode: str) -> None:
    chance = np.random.default_rng(3)
    loss = chance.normal(size=(6, 5))
    mask = chance.random((6, 5)) < 0.6
    mask[2] = False
    common = {"mode": mode, "divisor": 9, "tokens": int(mask.sum()), "sequences": int(mask.any(1).sum())}
    whole = rlcalc.compute("loss_aggregation", loss=loss, mask=mask, mode=mode, divisor=9)["loss"]
    for cut in range(1, 6):
        parts = [slice(None, cut), slice(cut, None)]
        for ranks in (1, 2, 8):
            found = [
                rlcalc.compute("loss_aggregation", loss=loss[p], mask=mask[p], ranks=ranks, **common)["loss"]
                for p in parts
            ]
            np.testing.assert_allclose(sum(found) / ranks, whole, rtol=1e-12)


@pytest.mark.parametrize("formula", ["value_clip_loss", "gspo", "sft_loss"])
def test_parts_of_other_losses_add_up(formula: str) -> None:
    """With the count of the whole batch, over whichever pieces or ranks it is spread."""
    chance = np.random.default_rng(4)
    mask = chance.random((6, 5)) < 0.6
    mask[2] = False
    table = [-np.abs(chance.normal(size=(6, 5))) for _ in range(3)]
    labels = np.where(mask, chance.integers(0, 3, size=(6, 5)), -100)
    values = dict(zip(("values", "old_values", "returns"), table, strict=True))
    given: dict[str, tuple[Arrays, str, int]] = {
        "value_clip_loss": ({**values, "mask": mask}, "tokens", int(mask.sum())),
        "gspo": (
            {"logp": table[0], "old_logp": table[1], "adv": chance.normal(size=6), "mask": mask},
            "sequences",
            int(mask.any(1).sum()),
        ),
        "sft_loss": (
            {"logits": chance.normal(size=(6, 5, 3)), "labels": labels},
            "tokens",
            int(mask[:, 1:].sum()),
        ),
    }
    arrays, name, count = given[formula]
    whole = rlcalc.compute(formula, **arrays)["loss"]
    for cut in range(1, 6):
        parts = [{k: v[rows] for k, v in arrays.items()} for rows in (slice(cut), slice(cut, None))]
        found = [rlcalc.compute(formula, **part, **{name: count})["loss"] for part in parts]
        np.testing.assert_allclose(sum(found), whole, rtol=1e-12)


@pytest.mark.parametrize("garbage", GARBAGE)
def test_what_has_no_label_changes_no_loss_and_no_gradient(garbage: float) -> None:
    """The mask of sft_loss is in its labels: −100 hides the line before it, and the last hides itself."""
    labels = np.array([[-100, 1, -100, 0], [0, -100, -100, -100]])
    logits = np.random.default_rng(5).normal(size=(2, 4, 3))
    learned = np.zeros((2, 4), bool)
    learned[:, :-1] = labels[:, 1:] != -100
    worse = np.where(learned[..., None], logits, garbage)
    for smoothing in (0.0, 0.25):
        wanted = rlcalc.compute("sft_loss", logits=logits, labels=labels, smoothing=smoothing)
        same(rlcalc.compute("sft_loss", logits=worse, labels=labels, smoothing=smoothing), wanted)
        slopes = []
        for table in (logits, worse):
            leaf = torch.tensor(table, requires_grad=True)
            given = {"labels": torch.tensor(labels), "smoothing": smoothing}
            found = rlcalc.compute("sft_loss", logits=leaf, **given)
            same(found, wanted)
            found["loss"].backward()
            slopes.append(leaf.grad.numpy())
        np.testing.assert_array_equal(*slopes)
        assert (slopes[0][~learned] == 0).all()


def test_rows_of_different_lengths_are_padded_and_masked() -> None:
    found = evaluate("loss_aggregation", {"loss": "1 2; 3 4 5 6"})
    assert str(found.answer.exact) == "7/2"
    assert found.inputs.mask == [[True, True, False, False], [True] * 4]
    assert any("padded" in note for note in found.notes)
    fits = evaluate("loss_aggregation", {"loss": [[1, 2], [3, 4, 5]], "mask": [[1, 1, 0], [0, 1, 1]]})
    assert str(fits.answer.exact) == "3"
    for mask in ([[1, 1, 1], [1, 1, 1]], [[1, 1], [1, 1]]):
        with refused(InputError, "mask_wrong_length"):
            evaluate("loss_aggregation", {"loss": [[1, 2], [3, 4, 5]], "mask": mask})


def test_what_is_no_number_under_a_mask_is_absent_for_exact_inputs_too() -> None:
    gap = {"loss": [[1, float("nan")], [None, 3]], "mask": [[1, 0], [0, 1]]}
    assert rlcalc.derive("loss_aggregation", **gap).outputs["loss"] == 2
    with refused(InputError, "number_not_finite"):
        rlcalc.derive("loss_aggregation", loss=[[1, float("nan")]], mask=[[1, 1]])


def test_a_leak_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the product x · m in place of where, NaN under the mask is seen by the test above."""
    right = masks.hidden_arrays

    def leaking(xp: Any, spec: Any, arrays: Arrays) -> Arrays:
        found = right(xp, spec, arrays)
        table = tables(spec.name, found)
        return {k: arrays[k] * found["mask"] if k in table else v for k, v in found.items()}

    monkeypatch.setattr("rlcalc.formulas.hidden_arrays", leaking)
    with pytest.raises(AssertionError):
        test_garbage_under_the_mask_changes_no_value_and_no_gradient("loss_aggregation", float("nan"))
