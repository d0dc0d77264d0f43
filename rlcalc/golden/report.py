"""A verification's report as a table, as JSON and as JUnit XML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rlcalc import junit
from rlcalc.errors import many
from rlcalc.golden.results import CaseReport, Failure, Report, Run

# after digits that are fewer than usual because the case allows no more
ILL_CONDITIONED = "*"


@dataclass(frozen=True)
class Row:
    """Everything about one formula.

    Attributes:
        cases: how many ran.
        failed: how many of them have a failure.
        cells: by backend, what the table shows: ``exact``, or the least correct digits in every dtype,
            with a star where a case declares that no more can be had.
    """

    formula: str
    cases: int
    failed: int
    cells: dict[str, str]


def headings(report: Report) -> dict[str, str]:
    """Heading of each backend's column: ``numpy 64/32``."""
    short = "/".join(dtype.replace("float", "") for dtype in report.dtypes)
    return {name: "exact" if name == "sympy" else f"{name} {short}" for name in report.backends}


def rows(report: Report) -> list[Row]:
    """One row per formula, in the order in which they ran."""
    names = dict.fromkeys(case.case.formula for case in report.cases)
    return [_row(name, [c for c in report.cases if c.case.formula == name], report) for name in names]


def total(report: Report) -> Row:
    """All formulas together."""
    return _row("total", report.cases, report)


def _row(name: str, cases: list[CaseReport], report: Report) -> Row:
    cells = {}
    for backend in report.backends:
        dtypes = ("",) if backend == "sympy" else report.dtypes
        cells[backend] = "/".join(_cell(cases, backend, dtype) for dtype in dtypes)
        if set(cells[backend].split("/")) == {"-"}:
            cells[backend] = "-"
    return Row(name, len(cases), sum(not case.passed for case in cases), cells)


def _runs(cases: Iterable[CaseReport], backend: str, dtype: str) -> Iterator[tuple[CaseReport, Run]]:
    for case in cases:
        for run in case.runs:
            if (run.backend, run.dtype) == (backend, dtype):
                yield case, run


def _cell(cases: list[CaseReport], backend: str, dtype: str) -> str:
    """Least correct digits; for the exact backend how many cases came out right."""
    ran = [(case, run) for case, run in _runs(cases, backend, dtype) if run.status != "skipped"]
    if not ran:
        return "-"
    right = sum(run.status == "passed" for _, run in ran)
    if backend == "sympy":
        return "exact" if right == len(ran) else f"{right} of {len(ran)}"
    counted = [(run.digits, dtype in case.case.digits) for case, run in ran if run.digits is not None]
    if counted:
        digits, expected = min(counted)
        return f"{digits:.1f}{ILL_CONDITIONED if expected else ''}"
    return "passed" if right == len(ran) else "failed"


def summary(report: Report) -> str:
    """The one line that says how it went."""
    failed = sum(not case.passed for case in report.cases)
    formulas = len({case.case.formula for case in report.cases})
    result = "all passed" if not failed else f"{failed} failed, {len(report.cases) - failed} passed"
    return f"{many(len(report.cases), 'case')} of {many(formulas, 'formula')}: {result}"


def notes(report: Report) -> list[str]:
    """What a reader of the table must know: its units, its stars, and what did not run."""
    found = []
    if {"numpy", "torch"} & set(report.backends):
        found.append("NumPy and Torch: least correct digits of any answer, per dtype.")
    if any(ILL_CONDITIONED in cell for cell in total_and_rows(report)):
        found.append(
            f"{ILL_CONDITIONED} ill-conditioned; its golden case gives the attainable digits and the reason."
        )
    found += [f"{name} is not installed, so it did not run: {how}" for name, how in report.missing.items()]
    return found + skipped(report)


def total_and_rows(report: Report) -> list[str]:
    """All cells of the table."""
    return [cell for row in (*rows(report), total(report)) for cell in row.cells.values()]


def skipped(report: Report) -> list[str]:
    """Reasons for what was not compared, with how often each."""
    ids: dict[str, set[str]] = {}
    backends: dict[str, dict[str, None]] = {}
    for case in report.cases:
        for run in case.runs:
            if run.status == "skipped":
                why = (run.why or "nothing to compare").partition(":")[0]
                ids.setdefault(why, set()).add(case.case.id)
                backends.setdefault(why, {})[run.backend] = None
    return [
        f"Skipped on {' and '.join(backends[why])}: {len(ids[why])} of {len(report.cases)} cases, {why}."
        for why in sorted(ids)
    ]


def details(report: Report) -> Iterator[str]:
    """A line per case: its digits on every backend, or why it did not run there."""
    for case in report.cases:
        parts = []
        for run in case.runs:
            on = f"{run.backend} {run.dtype}".strip()
            digits = f" {run.digits:.1f}" if run.digits is not None else ""
            parts.append(f"{on} {run.status}{digits}" + (f" ({run.why})" if run.status == "skipped" else ""))
        yield f"{case.case.id}: {'; '.join(parts)}"


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
    columns = [(name, dtype) for name in report.backends if name != "sympy" for dtype in report.dtypes]
    return {
        "passed": report.passed,
        "backends": list(report.backends),
        "dtypes": list(report.dtypes),
        "device": report.device,
        "not_installed": list(report.missing),
        "cases": len(report.cases),
        "failed": sum(not case.passed for case in report.cases),
        "formulas": [
            {
                "formula": row.formula,
                "cases": row.cases,
                "failed": row.failed,
                "digits": [
                    {"backend": backend, "dtype": dtype, "least": least(report, row.formula, backend, dtype)}
                    for backend, dtype in columns
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
    cases = [case for case in report.cases if case.case.formula == formula]
    digits = (run.digits for _, run in _runs(cases, backend, dtype) if run.digits is not None)
    return min(digits, default=None)


def write_junit(report: Report, path: Path) -> None:
    """JUnit XML: a test per case, backend and dtype.

    Raises:
        InputError: ``file_not_written``.
    """
    junit.write_junit(path, "rlcalc verify", [entry for case in report.cases for entry in _entries(case)])


def _entries(report: CaseReport) -> Iterator[junit.Entry]:
    tests = [(run.backend, run.dtype, run.why or "nothing to compare", run.status) for run in report.runs]
    if any(failure.backend == "source" for failure in report.failures):
        tests.append(("source", "", "", "failed"))
    for backend, dtype, why, status in tests:
        failures = [f for f in report.failures if (f.backend, f.dtype) == (backend, dtype)]
        yield junit.Entry(
            f"{report.case.id} [{f'{backend} {dtype}'.strip()}]",
            f"rlcalc.{report.case.formula}",
            failure="\n".join(line for failure in failures for line in failure_lines(failure)),
            skipped=why if status == "skipped" else "",
        )
