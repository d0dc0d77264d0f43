"""A function of a user, read without an adapter and judged by the certified vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from rlcalc.conform.binding.model import Binding
from rlcalc.conform.binding.which import found_formula
from rlcalc.conform.conform_report import ConformReport
from rlcalc.conform.runner import run
from rlcalc.conform.target.base import from_function
from tests.sweep import sweep


def judged(
    function: Callable[..., Any], formula: str, said: str, layout: str, named: bool = True, random: int = 0
) -> ConformReport:
    """The report, once formula, layout and verdict are as they should be.

    Args:
        said: the verdict, a convention or a bug, which is said once.
        random: how many generated cases.
        named: whether the function's name tells the formula.
    """
    target = from_function(function)
    assert not named or found_formula(target, f"a.py:{function.__name__}") == formula
    report = run(target, formula, random=random)
    assert report.binding is not None
    assert report.binding.layout == layout
    found = report.diagnosis.matches if report.diagnosis else ()
    matches = [fault.name for match in found for fault in match.faults]
    ways = [way.name for way in report.conventions]
    assert [report.verdict, *ways, *matches].count(said) == 1, (report.verdict, ways, matches)
    return report


def judging(
    cases: Sequence[tuple[Callable[..., Any], str, str, str]],
    inner: int = 2,
    as_well: Callable[[Binding], bool] = lambda _: True,
) -> Callable[..., None]:
    """A test of many functions, each with its formula, what is said of it, and its layout.

    Args:
        inner: how many of the first the inner loop has.
        as_well: what else holds of each reading.
    """

    @pytest.mark.parametrize(
        ("function", "formula", "said", "layout"),
        sweep(cases, inner, lambda case: str(case[0].__name__)),
    )
    def test(function: Callable[..., Any], formula: str, said: str, layout: str) -> None:
        binding = judged(function, formula, said, layout).binding
        assert binding is not None
        assert as_well(binding)

    return test
