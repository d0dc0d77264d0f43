"""``rlcalc peers``: released libraries against the certified vectors."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import typer

from rlcalc.cli.command import Command
from rlcalc.cli.screen import HEADING, Screen, write_json
from rlcalc.errors import InputError

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command, epilog="rlcalc peers  # all that are installed\nrlcalc peers trl --random 50")
def peers(
    names: list[str] = typer.Argument(
        None, metavar="[LIBRARY]...", help="Default: all that are installed.", show_default=False
    ),
    random: int = typer.Option(200, "--random", min=0, metavar="N", help="Generated cases per function."),
    as_json: bool = typer.Option(False, "--json", help="Print the matrix as JSON."),
    markdown: bool = typer.Option(False, "--markdown", help="Print it as Markdown, with a test per fault."),
    write: list[Path] = typer.Option(
        None, "--write", metavar="FILE", help="Put date and grid into FILE, between its two marks."
    ),
    tests: Path = typer.Option(
        None, "--write-tests", metavar="FOLDER", help="Put a pytest file per function that fails into FOLDER."
    ),
    report: Path = typer.Option(
        None, "--report", metavar="FILE", help="Put all of --markdown into FILE, between its two marks."
    ),
) -> None:
    """Which released libraries conform, and which faults they have.

    Runs the functions of the libraries that are installed ('pip install
    rlcalc[peers]'), or shows the matrix of the last release where there are
    none. A convention that a library documents does not count against it;
    each function that does not conform comes with a case.
    """
    from rlcalc.conform.peers import libraries, library
    from rlcalc.conform.peers.matrix import (
        cells,
        install,
        matrix_json,
        matrix_lines,
        matrix_markdown,
        matrix_summary,
        published,
        write_between,
        write_tests,
    )

    if as_json and markdown:
        raise InputError("format_twice", "--json and --markdown do not go together.")
    chosen = [library(name) for name in names] if names else libraries()
    notes = Screen(sys.stderr)
    with contextlib.redirect_stdout(sys.stderr):  # what a library prints is no part of the matrix
        found = cells(chosen, random, notes.line if notes.terminal else None)
    if not found:
        lines = dict.fromkeys(install(lib) for lib in chosen)
        notes.note(f"None of these libraries is installed. To run them yourself: {', or '.join(lines)}")
    for path in write or ():
        write_between(path, matrix_summary(found, chosen))
    if report is not None:
        write_between(report, matrix_markdown(found, chosen))
    for path in write_tests(tests, found) if tests is not None else ():
        notes.note(f"wrote {path}")
    screen = Screen(sys.stdout)
    if as_json:
        write_json(matrix_json(found, chosen))
    elif markdown:
        screen.block(matrix_markdown(found, chosen).rstrip("\n"))
    else:
        for line in matrix_lines(found, chosen) if found else published(chosen):
            screen.line(line, "" if line.startswith(" ") else HEADING)
