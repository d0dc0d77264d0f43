"""``rlcalc verify``: the golden vectors on every backend."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rlcalc.cli.argv import split_commas
from rlcalc.cli.command import Command
from rlcalc.cli.progress import Progress
from rlcalc.cli.screen import ALARM, ANSWER, HEADING, Screen, write_json
from rlcalc.errors import CheckFailed, DataError, shown

if TYPE_CHECKING:
    from rlcalc.golden.files import GoldenFile
    from rlcalc.golden.results import Report

EXAMPLES = """
rlcalc verify  # everything
rlcalc verify --formula gae --backends sympy numpy --dtype float32
"""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command, epilog=EXAMPLES)
def verify(
    paths: list[Path] = typer.Argument(
        None, help="Golden files, or folders of them. Default: the shipped ones.", show_default=False
    ),
    formula: str = typer.Option(None, "--formula", help="Only this formula."),
    section: str = typer.Option(None, "--section", help="Only this section, such as 2.4, or chapter."),
    backends: list[str] = typer.Option(
        None,
        "--backends",
        metavar="NAME...",
        help="Backends to run: sympy, numpy, torch. Default: all three.",
    ),
    dtype: list[str] = typer.Option(
        None,
        "--dtype",
        metavar="NAME...",
        help="dtype of the NumPy and Torch results: float64, float32. Default: float64.",
    ),
    device: str = typer.Option(
        "cpu", "--device", help="Device of the Torch results: cpu, cuda, cuda:1, mps or auto."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print the report as JSON."),
    junit: Path = typer.Option(None, "--junit", metavar="FILE", help="Also write JUnit XML."),
    verbose: bool = typer.Option(False, "--verbose", "-v", help="Also print a line per case."),
) -> None:
    """Run the golden vectors on every backend and count correct digits.

    Exit code 1 when a case fails, 2 when nothing could be run.
    """
    from rlcalc.evaluation import BACKENDS
    from rlcalc.files import check_target
    from rlcalc.golden import verify as runner
    from rlcalc.golden.report import report_json, write_junit

    if junit is not None:
        check_target(junit)
    files = _files(paths or [], formula if section is None else None)
    cases = runner.select(files, formula, section)
    chosen = _words(backends) or list(runner.installed())
    kinds = _words(dtype) or ["float64"]
    done = count(1)
    with Progress() as bar:
        report = runner.verify(
            cases, chosen, kinds, device, lambda _: bar("golden cases", next(done), len(cases))
        )
    if not backends:
        report.missing = {name: f"pip install 'rlcalc[{name}]'" for name in BACKENDS if name not in chosen}
    if junit is not None:
        write_junit(report, junit)
    if as_json:
        write_json(report_json(report))
    else:
        _print_report(report, verbose)
    if not report.passed:
        failed = sum(not case.passed for case in report.cases)
        raise CheckFailed("verification_failed", f"{failed} of {len(report.cases)} cases failed.")


def _words(given: Sequence[str] | None) -> list[str]:
    return [part for word in given or () for part in split_commas(word)]


def _files(paths: Sequence[Path], formula: str | None) -> tuple[GoldenFile, ...]:
    """The shipped files, of one formula that one alone, or those that were named.

    Raises:
        DataError: ``file_unreadable``, ``no_golden_files``, or a file is wrong.
    """
    from rlcalc.golden.files import load_all, load_files, shipped
    from rlcalc.specs import load_formula

    if not paths:
        return load_all() if formula is None else (shipped(load_formula(formula).name),)
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(path.rglob("*.toml"))
            if not inside:
                raise DataError("no_golden_files", f"There are no golden files in {shown(path)}.")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise DataError("file_unreadable", f"There is no file or folder {shown(path)}.")
    return load_files(list(dict.fromkeys(path.resolve() for path in found)))


def _print_report(report: Report, verbose: bool = False) -> None:
    from rlcalc.golden.report import details, failure_lines, notes, summary

    out, remarks = Screen(sys.stdout), Screen(sys.stderr)
    out.line(summary(report), ANSWER if report.passed else ALARM)
    out.line()
    _print_table(report, out)
    for failure in report.failures:
        out.line()
        for at, text in enumerate(failure_lines(failure)):
            out.line(text, ALARM if at == 0 else "")
    if verbose:
        out.line()
        out.lines(details(report))
    for note in notes(report):
        remarks.note(note)


def _print_table(report: Report, out: Screen) -> None:
    from rich.table import Table

    from rlcalc.golden.report import headings, rows, total

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=HEADING)
    for name in ("formula", "cases", "failed", *headings(report).values()):
        table.add_column(name, justify="left" if name == "formula" else "right", no_wrap=True)
    for row in [*rows(report), total(report)]:
        style = ALARM if row.failed else ANSWER if row.formula == "total" else ""
        table.add_row(row.formula, str(row.cases), str(row.failed), *row.cells.values(), style=style)
    out.print(table)
