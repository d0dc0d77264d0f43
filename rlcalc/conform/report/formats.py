"""Reports for other programs: JSON, JUnit XML, GitHub annotations, SARIF, Markdown, and a badge.

Each takes what was checked, one function or all of a project, and returns the
whole text.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from rlcalc._version import __version__
from rlcalc.conform.check import Checked
from rlcalc.conform.report.data import junit_entries, report_json
from rlcalc.conform.report.text import bug_names, headline, summary_lines
from rlcalc.errors import RlcalcError
from rlcalc.files import read_text
from rlcalc.junit import junit_text

MOST_SOURCE = 10**7


def place(checked: Checked) -> tuple[str, int]:
    """File and line of the function; an empty name where its target names no file.

    The file is parsed and never run. A name that is not found there, such as
    one that a decorator makes, is given the first line.
    """
    file, _, attribute = checked.report.target.rpartition(":")
    if not file.endswith(".py"):
        return "", 0
    try:
        body: Any = ast.parse(read_text(Path(file), MOST_SOURCE)).body
    except (RlcalcError, SyntaxError, ValueError, RecursionError):
        return file, 1
    line = 1
    for name in attribute.split("."):
        found = next((node for node in body if getattr(node, "name", None) == name), None)
        if found is None:
            return file, line
        line, body = found.lineno, getattr(found, "body", [])
    return file, line


def _message(checked: Checked) -> str:
    return "\n".join(text for text, _ in summary_lines(checked.report, checked.example)).strip()


def github(all_checked: Sequence[Checked]) -> str:
    """Workflow commands: an error at the function's line for each that fails, a notice for the others."""
    lines = []
    for checked in all_checked:
        file, line = place(checked)
        where = f"file={_property(file)},line={line}," if file else ""
        kind = "notice" if checked.report.passed else "error"
        title = _property(headline(checked.report))
        lines.append(f"::{kind} {where}title={title}::{_data(_message(checked))}")
    return "".join(line + "\n" for line in lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def sarif(all_checked: Sequence[Checked]) -> str:
    """SARIF 2.1.0: one result for each function that fails, by the rule of its bug."""
    failed = [checked for checked in all_checked if not checked.report.passed]
    rules = {}
    results = []
    for checked in failed:
        report = checked.report
        rule = bug_names(report) or report.verdict
        rules[rule] = {"id": rule, "shortDescription": {"text": _about(checked)}}
        result: dict[str, Any] = {
            "ruleId": rule,
            "level": "error",
            "message": {"text": _message(checked)},
        }
        file, line = place(checked)
        if file:
            uri = Path(file).as_posix()
            location = {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}
            result["locations"] = [{"physicalLocation": location}]
        results.append(result)
    driver = {"name": "rlcalc", "version": __version__, "rules": list(rules.values())}
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _about(checked: Checked) -> str:
    faults = [fault for match in checked.report.matches[:1] for fault in match.faults]
    return " ".join(fault.does for fault in faults) or headline(checked.report)


def markdown(all_checked: Sequence[Checked]) -> str:
    """A job summary: one row a function, then the report of each that fails."""
    lines = ["| function | formula | verdict | known bug |", "|---|---|---|---|"]
    for checked in all_checked:
        report = checked.report
        bug = f"`{bug_names(report)}`" if bug_names(report) else ""
        mark = "✓" if report.passed else "✗"
        lines.append(f"| `{_cell(report.target)}` | {report.formula} | {mark} {report.verdict} | {bug} |")
    for checked in all_checked:
        if not checked.report.passed:
            # four marks, since a message of the function may hold three
            lines += ["", "````text", _message(checked), "````"]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("`", "'").replace("\n", " ")


def junit_xml(all_checked: Sequence[Checked]) -> str:
    """JUnit XML: a test for each vector and dtype, and one for the generated cases."""
    entries = [entry for one in all_checked for entry in junit_entries(one.report, one.example)]
    formulas = dict.fromkeys(one.report.formula for one in all_checked)
    return junit_text(f"rlcalc conform {' '.join(formulas)}", entries)


def as_json(all_checked: Sequence[Checked]) -> str:
    """A list of reports, as ``rlcalc conform --json`` prints one."""
    found = [report_json(one.report, one.example) for one in all_checked]
    return json.dumps(found, ensure_ascii=False, indent=2) + "\n"


FORMATS: dict[str, Callable[[Sequence[Checked]], str]] = {
    "json": as_json,
    "junit": junit_xml,
    "github": github,
    "markdown": markdown,
    "sarif": sarif,
}


GOOD, BAD = "#2da44e", "#cf222e"
CHARACTER = 6.6  # width of one in the badge's font


def badge(all_checked: Sequence[Checked]) -> str:
    """An SVG that says how many functions conform; it needs no font and no other host."""
    passed, count = sum(checked.report.passed for checked in all_checked), len(all_checked)
    label, text = "rlcalc", "conforms" if passed == count else f"{passed} of {count} conform"
    left, right = (round(CHARACTER * len(word)) + 12 for word in (label, text))
    colour = GOOD if passed == count else BAD
    words = f"{label}: {escape(text)}"
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img">
<title>{words}</title>
<rect width="{left}" height="20" fill="#57606a"/>
<rect x="{left}" width="{right}" height="20" fill="{colour}"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
<text x="{left / 2}" y="14">{label}</text>
<text x="{left + right / 2}" y="14">{escape(text)}</text>
</g>
</svg>
"""


# the badge is a picture of the whole, and no report
ALL = {**FORMATS, "badge": badge}
