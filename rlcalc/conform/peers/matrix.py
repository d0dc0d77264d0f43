"""Library × formula: which conforms, under which convention, or has which fault."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from rlcalc.conform.peers import Adapter, Library
from rlcalc.conform.report.counterexample import Counterexample, counterexample
from rlcalc.conform.runner import ConformReport, run
from rlcalc.errors import DataError
from rlcalc.files import read_text, write_text
from rlcalc.golden.replay import brief

BEGIN, END = "<!-- rlcalc peers: begin -->", "<!-- rlcalc peers: end -->"
# the same grid as in the README, from the last run before a release
PUBLISHED = Path(__file__).with_name("published.md")
RANDOM = 200
NOT_RUN = "not-run"
SHORT = 60
LONGEST_FILE = 2**22


@dataclass(frozen=True)
class Cell:
    """One function of one library.

    Attributes:
        verdict: as of a report; ``not-run`` where the library could not be loaded.
        conventions: under which it conforms; ``documented`` says that the library declares them.
        faults: what it behaves as, simplest first.
        rounds: it is right but for rounding to float32 on the way.
        passed: how many vectors of how many in float64, which may be fewer than there are.
    """

    library: str
    version: str
    function: str
    formula: str
    verdict: str
    conventions: tuple[str, ...] = ()
    documented: bool = False
    faults: tuple[str, ...] = ()
    rounds: bool = False
    note: str = ""
    why: str = ""
    passed: tuple[int, int] = (0, 0)
    digits: float | None = None
    example: Counterexample | None = field(default=None, compare=False)

    @property
    def words(self) -> str:
        """The verdict as it stands in the table."""
        if self.verdict == "conforms-under-convention":
            found = "" if self.documented else ", found by trying"
            return "conforms under " + " and ".join(self.conventions) + found
        if self.faults:
            return f"{self.verdict}: " + " or ".join(self.faults)
        if self.verdict in ("conforms", NOT_RUN):
            return self.verdict
        return f"{self.verdict}: {self.why}" if self.why else self.verdict


def cells(
    libraries: Sequence[Library], random: int = RANDOM, tell: Callable[[str], None] | None = None
) -> list[Cell]:
    """Run every adapter of every library that is installed. This runs the libraries' code."""
    found = []
    for library in libraries:
        for adapter in library.adapters if library.installed else ():
            if tell is not None:
                tell(f"{library.distribution} {library.version}: {adapter.function}")
            found.append(cell(library, adapter, random))
    return found


def cell(library: Library, adapter: Adapter, random: int = RANDOM) -> Cell:
    """Run one adapter."""
    facts = (library.distribution, library.version, adapter.function, adapter.formula)
    try:
        target = adapter.target()
    except Exception as error:
        # a library that is installed but cannot be imported is no verdict about its formula
        why = f"{type(error).__name__}: {error}".splitlines()[0]
        return Cell(*facts, NOT_RUN, note=adapter.note, why=why)
    # lost precision is a cell of its own, where a user's function has a note
    precise = ("float64",) if "float64" in target.dtypes else ()
    report = run(target, adapter.formula, adapter.conventions, random=random, require=precise)
    example = None if report.verdict.startswith("conforms") else counterexample(report, target)
    matches = () if report.diagnosis is None else report.diagnosis.matches
    ran = [j for j in report.judgements if j.dtype == target.dtypes[0] and j.status != "skipped"]
    return Cell(
        *facts,
        verdict=report.verdict,
        conventions=tuple(c.name for c in report.conventions),
        documented=report.declared,
        faults=tuple(match.name for match in matches),
        rounds=bool(matches) and all(fault.rounds for match in matches for fault in match.faults),
        note=adapter.note,
        why=_why(report, example, target.dtypes),
        passed=(sum(not j.failed for j in ran), len(ran)),
        digits=report.digits(target.dtypes[0]),
        example=example,
    )


def _why(report: ConformReport, example: Counterexample | None, dtypes: Sequence[str]) -> str:
    """What is wrong with the case shown, and in which dtype nothing is."""
    if example is None:
        return ""
    failing = {j.dtype for j in report.failures} | {example.dtype}
    right = [dtype for dtype in dtypes if dtype not in failing]
    return f"{example.why}; nothing wrong in {' and '.join(right)}" if right else example.why


def matrix_json(found: Sequence[Cell], libraries: Sequence[Library]) -> dict[str, Any]:
    """The matrix as plain data."""
    return {
        "date": date.today().isoformat(),
        "libraries": [
            {"name": lib.distribution, "version": lib.version or None, "adapters": len(lib.adapters)}
            for lib in libraries
        ],
        "cells": [
            {
                "library": c.library,
                "version": c.version,
                "function": c.function,
                "formula": c.formula,
                "verdict": c.verdict,
                "conventions": list(c.conventions),
                "documented": c.documented,
                "faults": list(c.faults),
                "vectors": {"passed": c.passed[0], "of": c.passed[1]},
                "digits": c.digits,
                "why": c.why,
                "note": c.note,
                "counterexample": None
                if c.example is None
                else {
                    "case": c.example.case,
                    "inputs": dict(c.example.inputs),
                    "expected": c.example.expected,
                    "got": str(c.example.got),
                    "test": c.example.test,
                },
            }
            for c in found
        ],
    }


def matrix_lines(found: Sequence[Cell], libraries: Sequence[Library]) -> list[str]:
    """The matrix for people."""
    lines = []
    for lib in libraries:
        if not lib.installed:
            lines.append(f"{lib.distribution}: not installed ({install(lib)})")
            continue
        lines.append(f"{lib.distribution} {lib.version}")
        for c in (c for c in found if c.library == lib.distribution):
            lines.append(f"  {c.formula}: {c.words}")
            lines.append(f"      {c.function}, {c.passed[0]} of {c.passed[1]} vectors")
            if c.example is not None:
                given = ", ".join(f"{k} = {brief(v, SHORT)}" for k, v in c.example.inputs.items())
                lines.append(f"      for {given}")
                if c.example.got is not None:
                    lines.append(
                        f"      exact {brief(c.example.expected, SHORT)}, got {brief(c.example.got, SHORT)}"
                    )
    return lines


def install(library: Library) -> str:
    """The line that installs a library; the extra of most has none whose requirements contradict theirs."""
    return f"pip install 'rlcalc[peers{'-verl' if library.name == 'verl' else ''}]'"


def matrix_markdown(found: Sequence[Cell], libraries: Sequence[Library]) -> str:
    """The matrix with versions and date, a row for every function, and every counterexample."""
    lines = [*_summary(found), ""]
    lines += ["| library | function | formula | verdict | vectors |", "|---|---|---|---|---|"]
    for c in found:
        note = f" ({_cell(c.note)})" if c.note else ""
        lines.append(
            f"| {c.library} {c.version} | `{c.function}` | {c.formula} | {_cell(c.words)}{note} "
            f"| {c.passed[0]} of {c.passed[1]} |"
        )
    lines += _absent(libraries)
    for c in found:
        if c.example is None:
            continue
        lines += ["", "<details>", f"<summary>{c.library}: {c.function}, {c.formula}</summary>", ""]
        lines += ["```python", c.example.test.rstrip("\n"), "```", "", "</details>"]
    return "\n".join(lines) + "\n"


def matrix_summary(found: Sequence[Cell], libraries: Sequence[Library]) -> str:
    """Date and grid alone, for a README."""
    return "\n".join([*_summary(found), *_absent(libraries)]) + "\n"


def _summary(found: Sequence[Cell]) -> list[str]:
    return [f"Run on {date.today().isoformat()} by `rlcalc peers`.", "", *_grid(found)]


def _absent(libraries: Sequence[Library]) -> list[str]:
    absent = [lib.distribution for lib in libraries if not lib.installed]
    return ["", f"Not installed when this ran: {', '.join(absent)}."] if absent else []


def _grid(found: Sequence[Cell]) -> list[str]:
    """Formula × library, in as few words as can be; – where a library has no function for it."""
    columns = list(dict.fromkeys((c.library, c.version) for c in found))
    lines = ["| | " + " | ".join(" ".join(column) for column in columns) + " |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    for formula in dict.fromkeys(c.formula for c in found):
        row = []
        for name, _ in columns:
            words = [_brief(c) for c in found if (c.library, c.formula) == (name, formula)]
            row.append("<br>".join(dict.fromkeys(words)) or "–")
        lines.append(f"| {formula} | " + " | ".join(row) + " |")
    return lines


def _brief(c: Cell) -> str:
    if c.verdict == "conforms-under-convention":
        return "under " + " and ".join(c.conventions)
    if c.verdict in ("conforms", NOT_RUN):
        return c.verdict
    word = "precision" if c.rounds else "**no**"
    return f"{word}: {' or '.join(c.faults) or _cell(c.why or c.verdict)}"


def _cell(text: str) -> str:
    """Text inside a Markdown table."""
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())


def write_between(path: Path, text: str) -> None:
    """Put the matrix into a file, between its two marks.

    Raises:
        DataError: ``file_unreadable``, ``no_marks``.
    """
    whole = read_text(path, LONGEST_FILE)
    start, end = _marks(path, whole)
    write_text(path, f"{whole[:start]}\n{text}{whole[end:]}")


def _marks(path: Path, whole: str) -> tuple[int, int]:
    """Where the text between the two marks begins and ends."""
    start, end = whole.find(BEGIN), whole.find(END)
    if start < 0 or end < start:
        raise DataError(
            "no_marks", f"{path} has no place for the matrix.", f"Mark it with {BEGIN} and {END}."
        )
    return start + len(BEGIN), end


def published(libraries: Sequence[Library]) -> list[str]:
    """The matrix of the last release, a line per library and formula."""
    whole = read_text(PUBLISHED, LONGEST_FILE)
    start, end = _marks(PUBLISHED, whole)
    date, *rest = whole[start:end].strip().splitlines()
    (_, *heads), _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in rest if line)
    lines = [date]
    chosen = {lib.distribution for lib in libraries}
    for column, head in enumerate(heads, 1):
        if head.split()[0] in chosen:
            words = [(row[0], word) for row in rows for word in row[column].split("<br>") if word != "–"]
            lines += [head, *(f"  {formula}: {word.replace('**', '')}" for formula, word in words)]
    return lines
