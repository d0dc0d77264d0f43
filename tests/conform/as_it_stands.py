"""A function of a user, read without an adapter and judged by the certified vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rlcalc.conform.binding.bind import likeliest
from rlcalc.conform.binding.names import guessed_formulas
from rlcalc.conform.runner import ConformReport, run
from rlcalc.conform.target.base import from_function


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
    names = guessed_formulas(f"a.py:{function.__name__}", target.facts)
    assert not named or likeliest(target, names) == formula
    report = run(target, formula, random=random)
    assert report.binding is not None
    assert report.binding.layout == layout
    found = report.diagnosis.matches if report.diagnosis else ()
    matches = [fault.name for match in found for fault in match.faults]
    ways = [way.name for way in report.conventions]
    assert [report.verdict, *ways, *matches].count(said) == 1, (report.verdict, ways, matches)
    return report
