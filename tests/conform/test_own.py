"""Our own public functions, called as those of others are: on the vectors and on generated cases."""

from __future__ import annotations

from typing import Any

import pytest

import rlcalc
from rlcalc.conform.runner import run
from rlcalc.conform.target.base import from_function
from rlcalc.specs import formula_names


@pytest.mark.parametrize("backend", ["numpy", pytest.param("torch", marks=pytest.mark.slow)])
@pytest.mark.parametrize("formula", formula_names())
def test_the_public_function_conforms(formula: str, backend: str) -> None:
    function: Any = getattr(rlcalc, formula)
    report = run(from_function(function, f"rlcalc:{formula}", backend), formula, random=10)
    assert report.verdict == "conforms", (report.verdict, report.failures[:1], report.found)
