"""A conformance report for people, as JSON and as JUnit XML."""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from rlcalc.conform.diagnose import Diagnosis
from rlcalc.conform.report.counterexample import Counterexample
from rlcalc.conform.runner import ConformReport
from rlcalc.digits import DIGITS
from rlcalc.golden.replay import brief

if TYPE_CHECKING:
    from rlcalc.cli.screen import Screen

WIDTH = 80
# a process of four states and three actions, with room to spare
LONGEST_TABLE = 2000
WORDS = {
    "nonconforming": "does not conform to",
    "hangs": "hangs, asked for",
    "raises": "raises, asked for",
    "wrong-shape": "gives a wrong shape for",
    "nan": "gives nan for",
    "wrong-dtype": "gives a wrong dtype for",
    "changes-inputs": "changes its inputs, asked for",
}


def headline(report: ConformReport) -> str:
    """The verdict in one sentence."""
    under = " and ".join(c.name for c in report.conventions)
    if report.verdict in WORDS:
        words = WORDS[report.verdict]
        return f"{report.target} {words} {report.formula}" + (f" under {under}" if under else "")
    if report.verdict == "conforms-under-convention":
        return f"{report.target} conforms to {report.formula} under convention {under}"
    return f"{report.target} conforms to {report.formula}"


def print_report(report: ConformReport, example: Counterexample | None, screen: Screen) -> None:
    """The report; its running text fills 80 columns, what the user named is never broken."""
    good = report.verdict.startswith("conforms")
    screen.line(headline(report), "bold green" if good else "bold red")
    for line in counts(report):
        screen.line(f"  {line}")
    for convention in report.conventions:
        lines(screen, f"{convention.name}: {convention.about}", "  ", "    ")
    if report.diagnosis is not None:
        screen.line()
        print_diagnosis(report.formula, report.diagnosis, screen)
    if example is not None:
        print_example(example, screen)


def counts(report: ConformReport) -> list[str]:
    """What was run and how it went."""
    found = []
    ran = [j for j in report.judgements if j.status != "skipped"]
    for dtype in dict.fromkeys(j.dtype for j in ran):
        of = [j for j in ran if j.dtype == dtype]
        good = sum(not j.failed for j in of)
        digits = report.digits(dtype)
        told = "" if digits is None else f", {digits:.1f} of {DIGITS[dtype]:.1f} digits correct at least"
        found.append(f"{dtype}: {good} of {len(of)} vectors{told}")
    reasons: dict[str, set[str]] = {}
    for j in report.judgements:
        if j.status == "skipped":
            reasons.setdefault(j.why, set()).add(j.vector.id)
    found += [f"not run, {why}: {len(ids)} vectors" for why, ids in reasons.items()]
    if report.random_skipped:
        found.append(f"no generated cases: {report.random_skipped}")
    elif report.random:
        failed = report.found is not None
        word = "a failing one, shrunk below" if failed else "all right"
        found.append(f"{report.random} generated cases: {word}")
    return [*found, *report.notes]


def print_diagnosis(formula: str, found: Diagnosis, screen: Screen) -> None:
    """Which known fault it is, or that it is none."""
    for match in found.matches:
        screen.line(f"your {formula} behaves as {match.name}", "bold")
        screen.line(f"  on all {match.compared} cases, of which {len(match.shown)} show the fault")
        for fault in match.faults:
            if len(match.faults) > 1:
                screen.line(f"  {fault.name}")
            for label in ("does", "cause", "fix"):
                lines(screen, f"{label}: {getattr(fault, label)}", "  ", "    ")
            if fault.reported_in:
                lines(screen, f"reported in: {', '.join(fault.reported_in)}", "  ", "    ")
    if not found.matches:
        screen.line(f"none of {found.tried} known faults and combinations of them behaves like this")
    if found.nearest is not None:
        name, agree, of = found.nearest
        screen.line(f"  nearest is {name}: it gives {agree} of the {of} wrong answers")


def print_example(example: Counterexample, screen: Screen) -> None:
    """The smallest failing case: inputs, both answers, the steps, the test."""
    screen.line()
    kind = "smallest failing case" if example.case == "generated" else example.case
    part = "a batch" if example.whole else "one entry of a batch"
    shape = f", {part} {list(example.batch)}" if example.batch else ""
    screen.line(f"{kind}, {example.dtype}{shape}: {example.why or example.status}", "bold")
    for name, value in example.inputs.items():
        if isinstance(value, dict):  # the tables of a decision process
            for key, part in value.items():
                screen.line(f"  {name}.{key} = {brief(part, LONGEST_TABLE)}")
        else:
            screen.line(f"  {name} = {brief(value)}")
    if example.expected is not None:
        word = "exact" if example.exact else "right"
        screen.line(f"  {word} answer  {brief(example.expected)}")
    if example.got is not None:
        screen.line(f"  your answer   {brief(example.got)}")
    if example.flaky:
        screen.line("  it does not give the same answer twice")
    if example.steps:
        screen.line()
        for line in example.steps:
            screen.line(f"  {line}" if line else "")
    screen.line()
    screen.line("a test that shows it:", "bold")
    screen.line()
    for line in example.test.rstrip("\n").split("\n"):
        screen.line(line)


def lines(screen: Screen, text: str, first: str, later: str) -> None:
    """Running text, filled."""
    for line in wrap(text, WIDTH, initial_indent=first, subsequent_indent=later, break_long_words=False):
        screen.line(line)


def report_json(report: ConformReport, example: Counterexample | None = None) -> dict[str, Any]:
    """The report as plain data; no number in it is infinite or missing by NaN."""
    return {
        "target": report.target,
        "formula": report.formula,
        "verdict": report.verdict,
        "passed": report.passed,
        "conventions": [c.name for c in report.conventions],
        "declared": report.declared,
        "digits": {d: report.digits(d) for d in dict.fromkeys(j.dtype for j in report.judgements)},
        "vectors": len({j.vector.id for j in report.judgements}),
        "failed": len(report.failures),
        "generated": report.random,
        "diagnosis": _diagnosis_json(report.diagnosis),
        "counterexample": None
        if example is None
        else {
            "case": example.case,
            "dtype": example.dtype,
            "status": example.status,
            "why": example.why,
            "output": example.output,
            "inputs": dict(example.inputs),
            "batch": list(example.batch),
            "expected": example.expected,
            "got": _plain(example.got),
            "steps": list(example.steps),
            "command": example.command,
            "test": example.test,
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
        "notes": [*report.notes, *([report.random_skipped] if report.random_skipped else [])],
    }


def _diagnosis_json(found: Diagnosis | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "matches": [
            {
                "faults": [f.name for f in m.faults],
                "conventions": [c.name for c in m.conventions],
                "shown": list(m.shown),
                "compared": m.compared,
                "fix": [f.fix for f in m.faults],
                "mend": [f.fix for f in m.faults],
                "reported_in": [s for f in m.faults for s in f.reported_in],
                "sources": [s for f in m.faults for s in f.reported_in],
            }
            for m in found.matches
        ],
        "nearest": None
        if found.nearest is None
        else dict(zip(("fault", "agrees", "of"), found.nearest, strict=True)),
        "tried": found.tried,
    }


def _plain(value: Any) -> Any:
    """Floats as JSON has them; the others as words."""
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, float) and value - value != 0:
        return str(value)
    return value


# XML 1.0 has no way to write the other control characters
_XML_CONTROLS = {code: "\N{REPLACEMENT CHARACTER}" for code in range(32) if code not in (9, 10, 13)}


def write_junit(report: ConformReport, example: Counterexample | None, path: Path) -> None:
    """JUnit XML: a test per vector and dtype, and one for the generated cases.

    Raises:
        DataError: ``file_not_written``.
    """
    import xml.etree.ElementTree as ET

    from rlcalc.files import write_text

    suite = ET.Element("testsuite", name=f"rlcalc conform {report.formula}")
    where = f"rlcalc.conform.{report.formula}"
    for j in report.judgements:
        test = ET.SubElement(suite, "testcase", classname=where, name=f"{j.vector.id} [{j.dtype}]")
        if j.status == "skipped":
            ET.SubElement(test, "skipped", message=_xml(j.why))
        elif j.failed:
            failure = ET.SubElement(test, "failure", message=_xml(j.why or j.status), type=j.status)
            if j.got is not None and j.expected is not None:
                failure.text = _xml(f"expected {brief(_floats(j.expected))}\ngot      {brief(j.got)}")
    if report.random:
        test = ET.SubElement(suite, "testcase", classname=where, name=f"{report.random} generated cases")
        if report.found is not None and example is not None:
            kind = report.found.judgement.status
            failure = ET.SubElement(test, "failure", message=_xml(example.why or kind), type=kind)
            failure.text = _xml(example.test)
    tests = list(suite)
    suite.set("tests", str(len(tests)))
    suite.set("failures", str(sum(t.find("failure") is not None for t in tests)))
    suite.set("skipped", str(sum(t.find("skipped") is not None for t in tests)))
    suite.set("errors", "0")
    top = ET.Element("testsuites", name="rlcalc conform")
    top.append(suite)
    for key in ("tests", "failures", "skipped", "errors"):
        top.set(key, suite.get(key, "0"))
    ET.indent(top)
    text = ET.tostring(top, encoding="unicode")
    write_text(path, f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n')


def _floats(value: Any) -> Any:
    return [_floats(part) for part in value] if isinstance(value, list) else float(value)


def _xml(text: str) -> str:
    return text.translate(_XML_CONTROLS)
