"""Our own public functions, called as those of others are: on the vectors and on generated cases."""

from __future__ import annotations

from typing import Any

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
