"""A batch is its rows, in the dtype given and as new arrays, for every formula and on both numeric backends.

Rows are golden cases, whose answers are certified one by one, each beside
itself with the last axis of all inputs turned round.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

import rlcalc
from rlcalc.evaluation import checked
from rlcalc.golden.files import shipped
from rlcalc.inputs.arrays import from_exact
from rlcalc.specs import formula_names, load_formula
from tests.sweep import sweep

LONGEST = 100  # characters of an input; what goes wrong with batches does so with short rows
WITHOUT_NUMBERS = {("traces", "eligibility")}  # follows from the states alone, which have no batch
NEAR = {"float64": 1e-11, "float32": 2e-4, "float16": 0.05, "bfloat16": 0.2}
# a sum of large numbers that nearly cancel is rounded at their size, in a batch at another place than alone
UNITS = {"float64": 1e-15, "float32": 1e-6, "float16": 0.01, "bfloat16": 0.05}
KINDS = [
    "numpy-float64",
    "torch-float64",
    "numpy-float32",
    "numpy-float16",
    "torch-float32",
    "torch-bfloat16",
]
Arrays = dict[str, Any]
each_formula = pytest.mark.parametrize("formula", formula_names())
both_backends = pytest.mark.parametrize("backend", ["numpy", "torch"])


@cache
def rows_of(formula: str, dtype: str) -> list[tuple[Arrays, list[str]]]:
    """Arrays of the cases that have numbers, and the parameters among them that may be batched."""
    spec = load_formula(formula)
    found = []
    for case in shipped(formula).cases:
        if (
            case.result == "invalid"
            or case.batch
            or any(len(str(value)) > LONGEST for value in case.given.values())
        ):
            continue
        inputs = checked(spec, case.given)
        if inputs.symbols or (formula == "ppo_count" and case.id.endswith("two-to-the-63")):
            continue
        arrays = {name: v for name, v in from_exact(inputs, "numpy", dtype).items() if v is not None}
        # a caller of Python names an MDP, as a case does
        arrays |= {p.name: case.given[p.name] for p in spec.parameters if p.kind == "mdp"}
        batched = [
            p.name
            for p in spec.parameters
            if isinstance(arrays.get(p.name), np.ndarray) and not (p.single and arrays[p.name].ndim == 0)
        ]
        if batched:
            found.append((arrays, batched))
    return found


def largest(arrays: Arrays) -> float:
    """The size of the largest finite input."""
    numbers = [np.abs(v[np.isfinite(v)]) for v in arrays.values() if isinstance(v, np.ndarray) and v.size]
    return float(max((some.max() for some in numbers if some.size), default=0))


def made(arrays: Arrays, backend: str, dtype: str) -> Arrays:
    """The arrays as a backend's own, floating ones in the dtype."""
    if backend == "numpy":
        return dict(arrays)
    import torch

    def tensor(array: Any) -> Any:
        found = torch.from_numpy(np.array(array))
        return found.to(getattr(torch, dtype)) if found.is_floating_point() else found

    return {k: tensor(v) if isinstance(v, np.ndarray) else v for k, v in arrays.items()}


def run(formula: str, backend: str, dtype: str, arrays: Arrays) -> Arrays:
    return rlcalc.compute(formula, **made(arrays, backend, dtype))


def dtype_name(array: Any) -> str:
    return str(array.dtype).removeprefix("torch.")


def plain(array: Any) -> Any:
    return np.asarray(array.float() if dtype_name(array) == "bfloat16" else array)


def turned(array: Any) -> Any:
    return array[..., ::-1].copy() if array.ndim else array


@pytest.mark.parametrize("kind", sweep(KINDS, lambda kind: kind.endswith("float64")))
@each_formula
def test_a_batch_is_its_rows(formula: str, kind: str) -> None:
    backend, _, dtype = kind.partition("-")
    wide = "float32" if dtype == "bfloat16" else dtype  # NumPy has no bfloat16
    counts = all(p.kind != "number" for p in load_formula(formula).parameters)  # no dtype to follow
    wanted = {"int64", "float64"} if counts else {dtype}
    for arrays, batched in rows_of(formula, wide):
        other = {k: turned(v) if k in batched else v for k, v in arrays.items()}
        try:
            first = run(formula, backend, dtype, arrays)
            alone = [first, run(formula, backend, dtype, other), first]
        except rlcalc.InputError:
            assert dtype != "float64" or other is not arrays
            continue  # turned round, or rounded to few digits, it is no input of the formula
        stacked = {k: np.stack([v, other[k], v])[:, None] if k in batched else v for k, v in arrays.items()}
        together = run(formula, backend, dtype, stacked)
        assert together.keys() == alone[0].keys()
        for name, array in together.items():
            kinds = {dtype_name(x) for x in (array, alone[0][name])}
            assert len(kinds) == 1, name
            assert kinds <= wanted, name
            if (formula, name) in WITHOUT_NUMBERS and array.shape == alone[0][name].shape:
                array = array[None, None].repeat(*((3, 0) if backend == "numpy" else (3, 1, 1, 1)))
            assert tuple(array.shape) == (3, 1, *alone[0][name].shape), name
            for row, single in zip(array, alone, strict=True):
                near = {"rtol": NEAR[dtype], "atol": max(NEAR[dtype], UNITS[dtype] * largest(arrays))}
                np.testing.assert_allclose(plain(row[0]), plain(single[name]), **near, err_msg=name)


@both_backends
@each_formula
def test_inputs_are_not_touched_and_outputs_can_be(formula: str, backend: str) -> None:
    for arrays, _ in rows_of(formula, "float64"):
        inputs = made(arrays, backend, "float64")
        before = {k: plain(v).copy() for k, v in inputs.items() if hasattr(v, "dtype")}
        found = rlcalc.compute(formula, **inputs)
        for array in found.values():
            if backend == "numpy" and isinstance(array, np.ndarray):
                array[...] = 7
        for k, v in before.items():
            np.testing.assert_array_equal(plain(inputs[k]), v)


@both_backends
@each_formula
def test_a_batch_of_none_has_the_shape_of_none(formula: str, backend: str) -> None:
    for arrays, batched in rows_of(formula, "float64"):
        try:
            alone = run(formula, backend, "float64", arrays)
        except rlcalc.InputError:
            continue
        none = {k: np.stack([v])[:0] if k in batched else v for k, v in arrays.items()}
        for name, array in run(formula, backend, "float64", none).items():
            if (formula, name) not in WITHOUT_NUMBERS:
                assert tuple(array.shape) == (0, *alone[name].shape), name
