"""A verification's report as a table, as JSON and as JUnit XML."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlcalc.golden.results import CaseReport, Failure, Report

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# XML 1.0 has no way to write the other control characters
_XML_CONTROLS = {code: "�" for code in range(32) if code not in (9, 10, 13)}


@dataclass(frozen=True)
class Row:
    """Everything about one formula.

    Attributes:
        cases: how many ran.
        failed: how many of them have a failure.
        cells: by ``(backend, dtype)``: what the table shows.
    """

    formula: str
    cases: int
    failed: int
    cells: dict[tuple[str, str], str]


def columns(report: Report) -> list[tuple[str, str]]:
    """Backend and dtype of each column."""
    return [
        (backend, dtype)
        for backend in report.backends
        for dtype in (("",) if backend == "sympy" else report.dtypes)
    ]


def rows(report: Report) -> list[Row]:
    """One row per formula, in the order in which they ran."""
    names = dict.fromkeys(case.case.formula for case in report.cases)
    return [_row(name, [c for c in report.cases if c.case.formula == name], report) for name in names]


def total(report: Report) -> Row:
    """All formulas together."""
    return _row("total", report.cases, report)


def _row(name: str, cases: list[CaseReport], report: Report) -> Row:
    return Row(
        name,
        len(cases),
        sum(not case.passed for case in cases),
        {column: _cell(cases, column) for column in columns(report)},
    )


def _cell(cases: list[CaseReport], column: tuple[str, str]) -> str:
    """Least correct digits; for the exact backend how many cases came out right."""
    runs = [run for case in cases for run in case.runs if (run.backend, run.dtype) == column]
    ran = [run for run in runs if run.status != "skipped"]
    if not ran:
        return "skipped"
    if column[0] == "sympy":
        right = sum(run.status == "passed" for run in ran)
        return "exact" if right == len(ran) else f"{right} of {len(ran)}"
    digits = [run.digits for run in ran if run.digits is not None]
    if digits:
        return f"{min(digits):.1f}"
    return "passed" if all(run.status == "passed" for run in ran) else "failed"


def skipped(report: Report) -> list[str]:
    """Reasons for what was not compared, with how often each."""
    count: dict[str, set[str]] = {}
    for case in report.cases:
        for run in case.runs:
            if run.status == "skipped":
                why = f"{run.backend}, {run.why or 'nothing to compare'}"
                count.setdefault(why, set()).add(case.case.id)
    return [f"skipped on {why}: {len(ids)} of {len(report.cases)}" for why, ids in sorted(count.items())]


def failure_lines(failure: Failure) -> list[str]:
    """One failure for people."""
    on = " ".join(part for part in (failure.backend, failure.dtype) if part)
    where = f"{failure.case} on {on}" + (f", {failure.output}" if failure.output else "")
    lines = [where + (f" ({failure.reading})" if failure.reading else "") + f": {failure.why}"]
    if failure.expected:
        lines.append(f"  expected {failure.expected}")
    if failure.got:
        lines.append(f"  got      {failure.got}")
    if failure.command:
        lines.append(f"  {failure.command}")
    return lines


def report_json(report: Report) -> dict[str, Any]:
    """The report as plain data; no number in it is infinite or missing by NaN."""
    return {
        "passed": report.passed,
        "backends": list(report.backends),
        "dtypes": list(report.dtypes),
        "device": report.device,
        "cases": len(report.cases),
        "failed": sum(not case.passed for case in report.cases),
        "formulas": [
            {
                "formula": row.formula,
                "cases": row.cases,
                "failed": row.failed,
                "digits": [
                    {"backend": backend, "dtype": dtype, "least": least(report, row.formula, backend, dtype)}
                    for backend, dtype in columns(report)
                    if backend != "sympy"
                ],
            }
            for row in rows(report)
        ],
        "failures": [asdict(failure) for failure in report.failures],
        "results": [
            {
                "id": case.case.id,
                "result": case.case.result,
                "passed": case.passed,
                "runs": [
                    {
                        "backend": run.backend,
                        "dtype": run.dtype or None,
                        "status": run.status,
                        "digits": run.digits,
                        "why": run.why,
                    }
                    for run in case.runs
                ],
            }
            for case in report.cases
        ],
    }


def least(report: Report, formula: str, backend: str, dtype: str) -> float | None:
    """Least correct digits of a formula; ``None`` where none were counted."""
    return min(
        (
            run.digits
            for case in report.cases
            if case.case.formula == formula
            for run in case.runs
            if (run.backend, run.dtype) == (backend, dtype) and run.digits is not None
        ),
        default=None,
    )


def write_junit(report: Report, path: Path) -> None:
    """JUnit XML: a suite per formula, a test per case, backend and dtype.

    Raises:
        DataError: ``file_not_written``.
    """
    import xml.etree.ElementTree as ET

    from rlcalc.golden.toml_edit import write_whole

    top = ET.Element("testsuites", name="rlcalc verify")
    for name in dict.fromkeys(case.case.formula for case in report.cases):
        suite = ET.SubElement(top, "testsuite", name=name)
        for case in report.cases:
            if case.case.formula == name:
                _junit_case(suite, case)
        _count(suite, list(suite))
    _count(top, [test for suite in top for test in suite])
    ET.indent(top)
    text = ET.tostring(top, encoding="unicode")
    write_whole(path, f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n')


def _junit_case(suite: Element, report: CaseReport) -> None:
    import xml.etree.ElementTree as ET

    names = [(run.backend, run.dtype, run.status, run.why) for run in report.runs]
    if any(failure.backend == "source" for failure in report.failures):
        names.append(("source", "", "failed", ""))
    for backend, dtype, status, why in names:
        on = f"{backend} {dtype}".strip()
        test = ET.SubElement(
            suite, "testcase", classname=f"rlcalc.{report.case.formula}", name=f"{report.case.id} [{on}]"
        )
        if status == "skipped":
            ET.SubElement(test, "skipped", message=_xml(why or "nothing to compare"))
        for failure in report.failures:
            if (failure.backend, failure.dtype) == (backend, dtype):
                element = ET.SubElement(test, "failure", message=_xml(failure.why), type="disagreement")
                element.text = _xml("\n".join(failure_lines(failure)))


def _count(element: Element, tests: list[Element]) -> None:
    element.set("tests", str(len(tests)))
    element.set("failures", str(sum(test.find("failure") is not None for test in tests)))
    element.set("skipped", str(sum(test.find("skipped") is not None for test in tests)))
    element.set("errors", "0")


def _xml(text: str) -> str:
    return text.translate(_XML_CONTROLS)
