"""Library × formula: which conforms, under which convention, or has which fault."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from rlcalc.conform.conform_report import ConformReport
from rlcalc.conform.faults._by_trying import inputs_changed_in_place
from rlcalc.conform.peers import LIBRARIES, Adapter, Library
from rlcalc.conform.peers.alone import pass_over
from rlcalc.conform.peers.cell import CONVENTION, KINDS, NOT_RUN, PASSES, Cell
from rlcalc.conform.peers.readings import compared, differing
from rlcalc.conform.peers.table import Row
from rlcalc.conform.report.counterexample import Counterexample, counterexample
from rlcalc.conform.runner import run
from rlcalc.errors import DataError, InputError
from rlcalc.files import read_text, write_text
from rlcalc.golden.replay import brief

BEGIN, END = "<!-- rlcalc peers: begin -->", "<!-- rlcalc peers: end -->"
# the same grid as in the README, from the last run before a release
PUBLISHED = Path(__file__).with_name("published.md")
RANDOM = 200
SHORT = 60
LONGEST_FILE = 2**22


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


def cell(library: Library, adapter: Adapter | Row, random: int = RANDOM) -> Cell:
    """Run one adapter."""
    settings = ", ".join(f"{name}={value}" for name, value in adapter.settings.items())
    facts = (library.distribution, library.version, adapter.function, adapter.formula)
    judged = partial(Cell, *facts, note=adapter.note, settings=settings)
    try:
        pass_over(library.table.alone)
        target = adapter.target()
    except Exception as error:
        # a library that is installed but cannot be imported is no verdict about its formula
        why = f"{type(error).__name__}: {error}".splitlines()[0]
        return judged(verdict=NOT_RUN, why=why)
    # lost precision is a cell of its own, where a user's function has a note
    precise = ("float64",) if "float64" in target.dtypes else ()

    def asked(require: Sequence[str]) -> ConformReport:
        return run(
            target, adapter.formula, adapter.conventions, random=random, mapped=adapter.map, require=require
        )

    try:
        report = asked(precise)
        rounds = bool(precise) and not _right(report) and _right(asked(()))
    except InputError as error:
        return judged(verdict=NOT_RUN, why=error.message)
    example = None if report.verdict.startswith("conforms") else counterexample(report, target)
    matches = report.matches
    ran = [j for j in report.judgements if j.dtype == target.dtypes[0] and j.status != "skipped"]
    return judged(
        verdict=report.verdict,
        conventions=tuple(c.name for c in report.conventions),
        documented=report.declared,
        faults=tuple(match.name for match in matches) or _tried(report),
        rounds=rounds or (bool(matches) and all(f.rounds for match in matches for f in match.faults)),
        why=_why(report, example, target.dtypes),
        passed=(sum(not j.failed for j in ran), len(ran)),
        digits=report.digits(target.dtypes[0]),
        example=example,
    )


def _tried(report: ConformReport) -> tuple[str, ...]:
    """What no comparison of answers shows."""
    return (inputs_changed_in_place.name,) if report.verdict == "changes-inputs" else ()


def _right(report: ConformReport) -> bool:
    return report.verdict.startswith("conforms")


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
                "settings": c.settings,
                "formula": c.formula,
                "verdict": c.verdict,
                "kind": c.kind,
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
            lines.append(f"      {c.called}, {c.passed[0]} of {c.passed[1]} vectors")
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
    if library.table.source:
        return f"pip install --no-deps '{library.table.source}'"
    if library.table.version:
        return f"pip install {library.distribution}=={library.table.version}"
    return f"pip install 'rlcalc[peers{'-verl' if library.name == 'verl' else ''}]'"


def matrix_markdown(found: Sequence[Cell], libraries: Sequence[Library]) -> str:
    """The matrix with versions and date, a row for every function, and every counterexample."""
    lines = [*_summary(found), ""]
    lines += ["| library | function | formula | verdict | vectors |", "|---|---|---|---|---|"]
    for c in found:
        note = f" ({_cell(c.note)})" if c.note else ""
        lines.append(
            f"| {c.library} {c.version} | `{c.called}` | {c.formula} | {_cell(c.said('`'))}{note} "
            f"| {c.passed[0]} of {c.passed[1]} |"
        )
    lines += _absent(libraries)
    lines += _readings(found)
    for c in found:
        if c.example is None:
            continue
        lines += ["", "<details>", f"<summary>{c.library}: {c.called}, {c.formula}</summary>", ""]
        lines += ["```python", c.example.test.rstrip("\n"), "```", "", "</details>"]
    return "\n".join(lines) + "\n"


def matrix_summary(found: Sequence[Cell], libraries: Sequence[Library]) -> str:
    """Date and grid alone, for a README."""
    return "\n".join([*_summary(found), *_absent(libraries)]) + "\n"


def _summary(found: Sequence[Cell]) -> list[str]:
    return [f"Run on {date.today().isoformat()} by `rlcalc peers`.", "", *_grid(found)]


def _absent(libraries: Sequence[Library]) -> list[str]:
    """Which libraries have no row, and why."""
    plain = [lib.distribution for lib in libraries if not lib.installed and not lib.table.absent]
    lines = ["", f"Not installed when this ran: {', '.join(plain)}."] if plain else []
    refused = [f"- {lib.distribution}: {lib.table.absent}" for lib in libraries if lib.table.absent]
    return [*lines, "", "Could not be installed:", *refused] if refused else lines


def _readings(found: Sequence[Cell]) -> list[str]:
    """What a reading of the source says of the functions, next to what running them said."""
    pairs = compared(found, {distribution: name for name, distribution in LIBRARIES.items()})
    if not pairs:
        return []
    others = differing(pairs)
    lines = [
        "",
        f"Read in the source and found by running: {len(pairs) - len(others)} of {len(pairs)} agree.",
    ]
    lines += [
        "",
        "| library | function | formula | as read | as found by running | agree |",
        "|---" * 6 + "|",
    ]
    for reading, c in pairs:
        agree = "yes" if reading.agrees(c) else f"no: {_cell(reading.why)}"
        lines.append(
            f"| {c.library} {c.version} | `{c.called}` | {c.formula} | {_cell(reading.says)} "
            f"| {_cell(c.said('`'))} | {agree} |"
        )
    return lines


def _grid(found: Sequence[Cell]) -> list[str]:
    """Library × what its functions are; – where none is."""
    lines = ["| library | " + " | ".join(KINDS) + " |", "|---" * (len(KINDS) + 1) + "|"]
    for name, version in dict.fromkeys((c.library, c.version) for c in found if c.verdict != NOT_RUN):
        row = []
        for kind in KINDS:
            words = [_brief(c) for c in found if (c.library, c.version, c.kind) == (name, version, kind)]
            row.append("<br>".join(dict.fromkeys(words)) or "–")
        lines.append(f"| {name} {version} | " + " | ".join(row) + " |")
    return lines


def _brief(c: Cell) -> str:
    if c.kind == PASSES:
        return c.formula
    if c.kind == CONVENTION:
        found = "" if c.documented else ", found by trying"
        under = ", ".join(f"`{name}`" for name in c.conventions)
        return f"{c.formula} ({under}{found})"
    named = " or ".join(f"`{name}`" for name in c.faults)
    return f"{c.formula}: {named or _cell(c.why or c.verdict)}"


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
    """The matrix of the last release: a line for each library and for what its functions are."""
    whole = read_text(PUBLISHED, LONGEST_FILE)
    start, end = _marks(PUBLISHED, whole)
    date, *rest = whole[start:end].strip().splitlines()
    table = [line for line in rest if line.startswith("|")]
    (_, *heads), _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in table)
    lines = [date]
    chosen = {lib.distribution for lib in libraries}
    for library, *cells_ in rows:
        if library.split()[0] in chosen:
            lines.append(library)
            for head, text in zip(heads, cells_, strict=True):
                words = [word.replace("`", "") for word in text.split("<br>") if word != "–"]
                lines += [f"  {head}: {', '.join(words)}"] * bool(words)
    return lines


def write_tests(folder: Path, found: Sequence[Cell]) -> list[Path]:
    """A pytest file for every function that does not pass, which its maintainer can take as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for c in found:
        if c.example is None:
            continue
        stem = re.sub(r"\W+", "_", f"{c.library}_{c.function.rpartition('.')[2]}_{c.formula}")
        path = folder / f"test_{stem}.py"
        number = 2
        while path in written:  # one function called in several ways
            path = folder / f"test_{stem}_{number}.py"
            number += 1
        names = dict.fromkeys(n for name in c.faults for n in name.partition(" (")[0].split(" + "))
        named = f"#   rlcalc explain {' '.join(names)}\n" if names else ""
        head = f"# {c.library} {c.version}, {c.function} as {c.formula}: {c.kind}\n{named}"
        write_text(path, f"{head}{c.example.test}")
        written.append(path)
    return written
