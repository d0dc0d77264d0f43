"""``rlcalc check``: every function that a project lists in its ``pyproject.toml``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rlcalc.cli.command import Command
from rlcalc.cli.conform import FORMATS, checked_format
from rlcalc.cli.progress import Progress
from rlcalc.cli.screen import Screen
from rlcalc.errors import CheckFailed, InputError, RlcalcError
from rlcalc.files import check_target, write_text

if TYPE_CHECKING:
    from rlcalc.conform.check import Checked, Request

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """
rlcalc check  # every function that pyproject.toml lists
rlcalc check --format github --badge rlcalc.svg  # in CI
"""


@app.command("check", cls=Command, epilog=EXAMPLES)
def check(
    config: Path = typer.Option(
        None, "--config", metavar="FILE", help="Default: the nearest pyproject.toml.", show_default=False
    ),
    form: str = typer.Option("text", "--format", metavar="NAME", help=f"{', '.join(FORMATS)}."),
    junit: Path = typer.Option(None, "--junit", metavar="FILE", help="Also write JUnit XML."),
    markdown: Path = typer.Option(
        None, "--markdown", metavar="FILE", help="Also write Markdown, as for the summary of a CI job."
    ),
    badge: Path = typer.Option(
        None, "--badge", metavar="FILE", help="Write an SVG that says how many conform."
    ),
) -> None:
    """Check every function that a project lists, as 'rlcalc conform' does one.

    The file says what to check, with the options of 'rlcalc conform' as keys:

        [[tool.rlcalc.check]]
        target = "agent/gae.py:gae"
        formula = "gae"
        conventions = ["truncation-as-termination"]

    The functions are imported and called, in a process of their own.

    Exit code 0 when all conform as declared, 1 when one does not, 2 when one
    could not be run.
    """
    from rlcalc.conform.project import find_file, read_project
    from rlcalc.conform.report.formats import ALL
    from rlcalc.conform.report.text import summary_lines

    checked_format(form)
    extra = {"junit": junit, "markdown": markdown, "badge": badge}
    wanted = {name: path.absolute() for name, path in extra.items() if path is not None}
    for path in wanted.values():
        check_target(path)
    project = read_project(config or find_file(Path.cwd()))
    with chdir(project.folder):
        found, refusals = _run(project.requests)
        texts = {name: ALL[name](found) for name in {form, *wanted} & ALL.keys()}
    sys.stdout.write(texts.get(form, ""))
    for one in found if form == "text" else ():
        Screen(sys.stdout).report(summary_lines(one.report, one.example))
        print()
    for name, path in wanted.items():
        write_text(path, texts[name])
    failed = sum(not one.report.passed for one in found)
    if refusals:
        first = refusals[0]
        also = f" {len(refusals)} of {len(project.requests)} checks could not be run." * (len(refusals) > 1)
        raise InputError(first.code, first.message + also, first.hint)
    if failed:
        raise CheckFailed("nonconforming", f"{failed} of {len(found)} functions do not conform as declared.")


def _run(requests: Sequence[Request]) -> tuple[list[Checked], list[RlcalcError]]:
    """All of them, also when one cannot be run: what was refused is said at the end."""
    from rlcalc.conform.check import check as run

    found, refusals = [], []
    with Progress() as progress:
        for request in requests:
            try:
                found.append(run(request, progress))
            except RlcalcError as error:
                refusals.append(error)
    return found, refusals
