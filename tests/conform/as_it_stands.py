"""A function of a user, read without an adapter and judged by the certified vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from rlcalc.conform.binding.which import found_formula
from rlcalc.conform.conform_report import ConformReport
from rlcalc.conform.runner import run
from rlcalc.conform.target.base import from_function
from tests.sweep import sweep


def bugs(report: ConformReport) -> list[str]:
    """Names of the known bugs that it matches, each by itself where it has several at once."""
    return [fault.name for match in report.matches for fault in match.faults]


def matched(report: ConformReport) -> list[str]:
    """What it behaves like: a known bug, or several at once, and the conventions beside."""
    return [match.name for match in report.matches]


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
    ways = [way.name for way in report.conventions]
    assert [report.verdict, *ways, *bugs(report)].count(said) == 1, (report.verdict, ways, bugs(report))
    return report


def judging(
    cases: Sequence[tuple[Any, ...]],
    inner: int = 2,
    as_well: Callable[..., bool] = lambda report: True,
    unnamed: Sequence[Callable[..., Any]] = (),
) -> Callable[..., None]:
    """A test of many functions, each with its formula, what is said of it, and its layout.

    Args:
        cases: with what ``as_well`` asks for, if anything, after these.
        inner: how many of the first the inner loop has.
        as_well: what else holds of each report.
        unnamed: functions whose names say nothing of their formula.
    """

    @pytest.mark.parametrize(
        ("function", "formula", "said", "layout", "more"),
        sweep([(*case[:4], case[4:]) for case in cases], inner, named),
    )
    def test(function: Callable[..., Any], formula: str, said: str, layout: str, more: Sequence[Any]) -> None:
        report = judged(function, formula, said, layout, function not in unnamed)
        assert as_well(report, *more)

    return test


def named(case: Sequence[Any]) -> str:
    """The name of a case: one function may be there with several bugs."""
    return f"{case[0].__name__}-{case[2]}"
