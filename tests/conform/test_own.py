"""Our own public functions, called as those of others are: on the vectors and on generated cases."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import rlcalc
from rlcalc.conform.runner import run
from rlcalc.conform.target.base import from_function
from rlcalc.specs import formula_names
from tests.sweep import sweep

# one of a kind: sequence, single numbers, distribution, batch with a mask, process, recorded steps
EACH_KIND = {"gae", "ppo_clip", "kl", "policy_clip", "bellman", "q_learning"}


@pytest.mark.parametrize("backend", sweep(("numpy", "torch"), "numpy".__eq__))
@pytest.mark.parametrize("formula", sweep(formula_names(), EACH_KIND.__contains__))
def test_the_public_function_conforms(formula: str, backend: str) -> None:
    function: Any = getattr(rlcalc, formula)
    report = run(from_function(function, f"rlcalc:{formula}", backend), formula, random=10)
    assert report.verdict == "conforms", (report.verdict, report.failures[:1], report.found)


def _changed(answer: Any, change: Callable[[Any], Any]) -> Any:
    """An answer whose arrays of floats went through something."""
    if hasattr(answer, "_fields"):
        return type(answer)(*(_changed(part, change) for part in answer))
    if isinstance(answer, dict):
        return {name: _changed(part, change) for name, part in answer.items()}
    return change(answer) if getattr(answer, "dtype", np.dtype(int)).kind == "f" else answer


def _last_entry(array: Any, factor: float = 1.001) -> Any:
    found = np.array(array)
    found.reshape(-1)[-1:] *= factor
    return found


CARELESS: dict[str, Callable[[Any], Any]] = {
    "one entry by a thousandth": _last_entry,
    "rounded for a table": lambda array: np.round(array, 4),
    "infinity with the other sign": lambda array: np.where(np.isinf(array), -array, array),
    "infinity as a large number": lambda array: np.nan_to_num(array, nan=np.nan).astype(array.dtype),
    "held to a range": lambda array: np.clip(array, -1e4, 1e4),
}


@pytest.mark.parametrize("formula", sweep(formula_names(), {"ppo_clip", "kl"}.__contains__))
def test_what_a_careless_copy_changes_fails_on_the_vectors_alone(formula: str, verdict_alone: None) -> None:
    for what, change in CARELESS.items():
        moved: list[bool] = []

        @functools.wraps(getattr(rlcalc, formula))
        def careless(*args: Any, change: Any = change, moved: Any = moved, **kwargs: Any) -> Any:
            # what a loss makes of masked logits is asked for a remark, and judged by no vector
            asked = all(np.isfinite(x).all() for x in kwargs.values() if hasattr(x, "dtype"))

            def noted(array: Any) -> Any:
                new = change(array)
                with np.errstate(all="ignore"):
                    near = np.abs(new - array) <= 1e-6 * np.maximum(np.abs(array), 1)
                same = near | (new == array) | (np.isnan(new) & np.isnan(array))
                # single precision has seven digits, and the last of them is anyone's
                moved.append(asked and array.dtype == np.float64 and not np.all(same))
                return new

            return _changed(getattr(rlcalc, formula)(*args, **kwargs), noted)

        report = run(from_function(careless, f"careless:{formula}", "numpy"), formula, random=0)
        if any(moved):
            assert report.verdict == "nonconforming", what
