"""A conformance report for people and as JSON."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

from rlcalc.conform.judge import Judgement
from rlcalc.conform.runner import Report

if TYPE_CHECKING:
    from rlcalc.cli.screen import Screen

WIDTH = 80
GOOD = ("conforms", "conforms-under-convention")


def headline(report: Report) -> str:
    """The verdict in one sentence."""
    names = " and ".join(c.name for c in report.conventions)
    if report.verdict == "conforms-under-convention":
        return f"{report.target} conforms to {report.formula} under convention {names}"
    if report.verdict == "conforms":
        return f"{report.target} conforms to {report.formula}"
    return f"{report.target}: {report.verdict} as {report.formula}" + (f" under {names}" if names else "")


def print_report(report: Report, screen: Screen) -> None:
    """The report, at most 80 columns where the user's own words allow it."""
    screen.line(headline(report), "bold green" if report.passed else "bold red")
    for line in report_lines(report):
        screen.line(line)


def report_lines(report: Report) -> list[str]:
    """Everything below the headline."""
    lines = []
    ran = [j for j in report.judgements if j.status != "skipped"]
    for dtype in dict.fromkeys(j.dtype for j in ran):
        of = [j for j in ran if j.dtype == dtype]
        bad = sum(j.failed for j in of)
        digits = report.digits(dtype)
        told = "" if digits is None else f", least correct digits {digits:.1f}"
        lines.append(f"  {dtype}: {len(of) - bad} of {len(of)} vectors passed{told}")
    for why in dict.fromkeys(j.why for j in report.judgements if j.status == "skipped"):
        count = sum(j.why == why for j in report.judgements)
        lines.append(f"  not run, {why}: {count}")
    lines += _diagnosis(report)
    for judgement in report.failures[:3]:
        lines += failure_lines(judgement)
    return lines


def failure_lines(judgement: Judgement) -> list[str]:
    """One vector that failed."""
    lines = [f"  {judgement.vector.id} in {judgement.dtype}: {judgement.status}, {judgement.why}"]
    if judgement.got is not None:
        from rlcalc.reproduce import brief

        lines.append(f"    expected {brief(floats(judgement.expected))}")
        lines.append(f"    got      {brief(judgement.got)}")
    return lines


def _diagnosis(report: Report) -> list[str]:
    found = report.diagnosis
    if found is None:
        return []
    lines = []
    for match in found.matches:
        lines.append(f"your {report.formula} behaves as {match.name}")
        lines.append(f"  on all {match.compared} vectors, of which {len(match.shown)} show it")
        for fault in match.faults:
            for label, text in (("does", fault.does), ("cause", fault.cause), ("mend", fault.mend)):
                lines += wrap(text, WIDTH, initial_indent=f"  {label}: ", subsequent_indent="    ")
            lines += [f"  seen in: {source}" for source in fault.sources]
    if not found.matches:
        lines.append(f"none of {found.tried} known faults and combinations behaves like this")
    if found.nearest is not None:
        name, agree, of = found.nearest
        lines.append(f"  nearest: {name}, which gives {agree} of the {of} wrong answers")
    return lines


def floats(value: Any) -> Any:
    """Fractions as floats, in nested lists."""
    return [floats(part) for part in value] if isinstance(value, list) else float(value)


def report_json(report: Report) -> dict[str, Any]:
    """The report as plain data."""
    found = report.diagnosis
    return {
        "target": report.target,
        "formula": report.formula,
        "verdict": report.verdict,
        "passed": report.passed,
        "conventions": [c.name for c in report.conventions],
        "declared": report.declared,
        "digits": {d: report.digits(d) for d in dict.fromkeys(j.dtype for j in report.judgements)},
        "diagnosis": None
        if found is None
        else {
            "matches": [
                {
                    "faults": [f.name for f in m.faults],
                    "conventions": [c.name for c in m.conventions],
                    "shown": list(m.shown),
                    "compared": m.compared,
                }
                for m in found.matches
            ],
            "tried": found.tried,
        },
        "results": [
            {
                "id": j.vector.id,
                "dtype": j.dtype,
                "status": j.status,
                "digits": j.digits,
                "why": j.why,
            }
            for j in report.judgements
        ],
        "notes": report.notes,
    }
