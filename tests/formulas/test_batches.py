"""A batch is its rows, in the dtype given, for every formula and on both numeric backends.

Rows are golden cases, whose answers are certified one by one, each beside
itself with the last axis of all inputs turned round.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rlcalc
from rlcalc.data import data_folder
from rlcalc.evaluation import checked
from rlcalc.golden.files import load
from rlcalc.inputs.arrays import from_exact
from rlcalc.specs import formula_names, load_formula

LONGEST = 100  # characters of an input; what goes wrong with batches does so with short rows
WITHOUT_NUMBERS = {("traces", "eligibility")}  # follows from the states alone, which have no batch
Arrays = dict[str, Any]


def rows_of(formula: str, dtype: str) -> list[tuple[Arrays, list[str]]]:
    """Arrays of the cases that have numbers, and the parameters among them that may be batched."""
    spec = load_formula(formula)
    found = []
    for case in load(data_folder("golden") / f"{formula}.toml").cases:
        if case.result == "invalid" or any(len(str(value)) > LONGEST for value in case.given.values()):
            continue
        inputs = checked(spec, case.given)
        if inputs.symbols:
            continue
        arrays = {name: v for name, v in from_exact(inputs, "numpy", dtype).items() if v is not None}
        # a caller of Python names an MDP, as a case does
        arrays |= {p.name: case.given[p.name] for p in spec.parameters if p.kind == "mdp"}
        batched = [
            p.name
            for p in spec.parameters
            if isinstance(arrays.get(p.name), np.ndarray) and not (p.single and arrays[p.name].ndim == 0)
        ]
        found.append((arrays, batched))
    return found


def turned(array: Any) -> Any:
    return array[..., ::-1].copy() if array.ndim else array


def run(formula: str, backend: str, arrays: Arrays) -> Arrays:
    if backend == "torch":
        import torch

        arrays = {
            k: torch.from_numpy(np.array(v)) if isinstance(v, np.ndarray) else v for k, v in arrays.items()
        }
    return rlcalc.compute(formula, **arrays)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("formula", formula_names())
def test_a_batch_is_its_rows(formula: str, backend: str, dtype: str) -> None:
    near = {"rtol": 1e-11, "atol": 1e-11} if dtype == "float64" else {"rtol": 2e-4, "atol": 2e-4}
    for arrays, batched in rows_of(formula, dtype):
        if not batched:
            continue
        other = {k: turned(v) if k in batched else v for k, v in arrays.items()}
        first = run(formula, backend, arrays)
        try:
            alone = [first, run(formula, backend, other), first]
        except rlcalc.InputError:
            continue  # turned round it is no input of the formula
        stacked = {k: np.stack([v, other[k], v])[:, None] if k in batched else v for k, v in arrays.items()}
        together = run(formula, backend, stacked)
        assert together.keys() == alone[0].keys()
        for name, array in together.items():
            kinds = {str(x.dtype).removeprefix("torch.") for x in (array, alone[0][name])}
            assert kinds == {"int64" if formula == "ppo_count" else dtype}, name
            if (formula, name) in WITHOUT_NUMBERS:
                array = (
                    array[None, None].repeat(3, 0) if backend == "numpy" else array.expand(3, 1, *array.shape)
                )
            assert tuple(array.shape) == (3, 1, *alone[0][name].shape), name
            for row, single in zip(array, alone, strict=True):
                np.testing.assert_allclose(np.asarray(row[0]), np.asarray(single[name]), **near, err_msg=name)
