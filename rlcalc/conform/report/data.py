"""A conformance report for programs: JSON, and the tests of a JUnit report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rlcalc import junit
from rlcalc.conform.catalogue import Catalogue
from rlcalc.conform.conform_report import ConformReport
from rlcalc.conform.convention import Convention
from rlcalc.conform.diagnose import Diagnosis, Match
from rlcalc.conform.report.counterexample import Counterexample
from rlcalc.golden.replay import brief
from rlcalc.nested import map_nested

SCHEMA = "rlcalc-conform-2"


def report_json(report: ConformReport, example: Counterexample | None = None) -> dict[str, Any]:
    """The report as plain data; no number in it is infinite or missing by NaN."""
    matches = _matches_json(report.matches)
    return {
        "schema": SCHEMA,
        "target": report.target,
        "formula": report.formula,
        "part": report.part or None,
        "verdict": report.verdict,
        "passed": report.passed,
        "conventions": [c.name for c in report.conventions],
        "constants": constants_json(report.conventions),
        "declared": report.declared,
        "right_except": None if report.spared is None else report.spared.name,
        "binding": None if report.binding is None else report.binding.table(),
        "backend": report.backend,
        "not_tested": list(report.not_tested),
        "digits": {d: report.digits(d) for d in dict.fromkeys(j.dtype for j in report.judgements)},
        "vectors": _counts_json(report),
        "matches": [match for match, _ in matches],
        "failed": len(report.failures),
        "generated": report.random,
        "diagnosis": _diagnosis_json(report.diagnosis, [old for _, old in matches]),
        "counterexample": None if example is None else _example_json(example),
        "results": [
            {"id": j.vector.id, "dtype": j.dtype, "status": j.status, "digits": j.digits, "why": j.why}
            for j in report.judgements
        ],
        "notes": [*report.notes, *([report.random_skipped] if report.random_skipped else [])],
    }


def _example_json(example: Counterexample) -> dict[str, Any]:
    return {
        "case": example.case,
        "dtype": example.dtype,
        "status": example.status,
        "why": example.why,
        "output": example.output,
        "inputs": dict(example.inputs),
        "batch": list(example.batch),
        "entry": list(example.entry),
        "expected": example.expected,
        "got": word(example.got),
        "traceback": list(example.frames),
        "steps": list(example.steps),
        "command": example.command,
        "test": example.test,
    }


def _counts_json(report: ConformReport) -> dict[str, int]:
    """How many vectors there are, and how many of the calls passed, failed and were left out."""
    status = [j.status for j in report.judgements]
    skipped, passed = status.count("skipped"), status.count("passed")
    return {
        "count": len({j.vector.id for j in report.judgements}),
        "calls": len(status),
        "passed": passed,
        "failed": len(status) - passed - skipped,
        "skipped": skipped,
    }


def _matches_json(found: Sequence[Match]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each match as it is, and as the former key ``diagnosis`` has it, with its former names."""
    matches = []
    for match in found:
        conventions = [c.name for c in match.conventions]
        fixes = [fault.fix for fault in match.faults]
        places = [place for fault in match.faults for place in fault.reported_in]
        new = {
            "fault": " + ".join(fault.name for fault in match.faults),
            "conventions": conventions,
            "constants": constants_json(match.conventions),
            "agrees_on": match.compared,
            "shown_by": list(match.shown),
            "fix": " ".join(fixes),
            "reported_in": places,
        }
        old = {
            "faults": [fault.name for fault in match.faults],
            "conventions": conventions,
            "shown": list(match.shown),
            "compared": match.compared,
            "fix": fixes,
            "mend": fixes,
            "reported_in": places,
            "sources": places,
        }
        matches.append((new, old))
    return matches


def constants_json(conventions: Sequence[Convention]) -> dict[str, dict[str, float]]:
    """The values of constants by name, by the convention as it is declared; without any, nothing."""
    return {
        c.name: {constant.name: value for constant, value in zip(c.constants, c.values, strict=True)}
        for c in conventions
        if c.constants
    }


def _diagnosis_json(found: Diagnosis | None, matches: list[dict[str, Any]]) -> dict[str, Any] | None:
    if found is None:
        return None
    nearest = found.nearest
    return {
        "matches": matches,
        "nearest": None if nearest is None else dict(zip(("fault", "agrees", "of"), nearest, strict=True)),
        "tried": found.tried,
    }


def catalogue_json(known: Catalogue) -> dict[str, Any]:
    """What is declared about a formula."""
    return {
        "formula": known.formula,
        "conventions": [
            {"name": c.name, "about": c.about, "users": c.users, "constants": _domains(c)}
            for c in (*known.conventions, *known.families, *known.excuses)
        ],
        "faults": [fault.as_json() for fault in known.faults],
    }


def _domains(convention: Convention) -> list[dict[str, Any]]:
    """What is still to be chosen in a convention, and between which values."""
    if not convention.open:
        return []
    return [{"name": c.name, "low": c.low, "high": c.high} for c in convention.constants]


def word(value: Any) -> Any:
    """Floats in nested lists as JSON has them; NaN and infinities as words."""
    return map_nested(lambda x: str(x) if isinstance(x, float) and x - x != 0 else x, value)


def junit_entries(report: ConformReport, example: Counterexample | None) -> list[junit.Entry]:
    """A test per vector and dtype, and one for the generated cases."""
    where = f"rlcalc.conform.{report.formula}"
    entries = []
    for j in report.judgements:
        name = f"{j.vector.id} [{j.dtype}]"
        failure = (j.why or j.status) if j.failed else ""
        if j.failed and j.got is not None and j.expected is not None:
            right = brief(map_nested(float, j.expected))
            failure = f"{j.status}: {failure}\nexpected {right}\ngot      {brief(j.got)}"
        skipped = (j.why or "not run") if j.status == "skipped" else ""
        entries.append(junit.Entry(name, where, failure=failure, skipped=skipped))
    if report.random:
        shown = report.found is not None and example is not None
        failure = f"{example.why or example.status}\n\n{example.test}" if shown and example else ""
        entries.append(junit.Entry(f"{report.random} generated cases", where, failure=failure))
    return entries
