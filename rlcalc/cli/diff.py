"""``rlcalc diff``: where two implementations of a formula differ, and which is right."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from rlcalc.cli.command import Command
from rlcalc.cli.progress import Progress
from rlcalc.cli.screen import Screen, write_json
from rlcalc.errors import CheckFailed, InputError

if TYPE_CHECKING:
    from rlcalc.conform.difference import Case, Difference
    from rlcalc.conform.report.text import Line

app = typer.Typer(add_completion=False, rich_markup_mode=None)
MOST_ROWS = 8

EXAMPLES = """
rlcalc diff old.py:gae new.py:gae --formula gae  # did the rewrite change it?
rlcalc diff a.py:loss b.py:loss --formula ppo_clip --json
"""


@app.command("diff", cls=Command, epilog=EXAMPLES)
def diff(
    first: str = typer.Argument(None, metavar="FIRST", help="file.py:function.", show_default=False),
    second: str = typer.Argument(None, metavar="SECOND", help="Another one.", show_default=False),
    formula: str = typer.Option(None, "--formula", help="What both compute; default: by name."),
    torch: bool = typer.Option(False, "--torch", help="Call them with Torch tensors."),
    random: int = typer.Option(None, "--random", min=0, metavar="N", help="Generated cases."),
    seed: int = typer.Option(0, "--seed", help="Seed of the generated cases."),
    as_json: bool = typer.Option(False, "--json", help="Print the difference as JSON."),
) -> None:
    """Find the smallest input on which two functions differ, and say which is right.

    Both are imported and called, as 'rlcalc conform' does it.

    Exit code 0 when they agree, 1 when they differ, 2 when one could not be
    run.
    """
    if not first or not second:
        raise InputError(
            "target_missing",
            "Two functions are compared.",
            "For example: rlcalc diff old.py:gae new.py:gae --formula gae",
        )
    from rlcalc.conform.check import Request
    from rlcalc.conform.difference import difference

    backend = "torch" if torch else "numpy"
    requests = [
        Request(target=name, formula=formula or "", backend=backend, random=random, seed=seed)
        for name in (first, second)
    ]
    with Progress() as progress:
        found = difference(requests[0], requests[1], progress)
    if as_json:
        write_json(_as_json(found))
    else:
        Screen(sys.stdout).report(_lines(found))
    if found.case is not None:
        raise CheckFailed("different", f"{first} and {second} differ.")


def _lines(found: Difference) -> Iterator[Line]:
    from rlcalc.conform.report.text import bug_names, headline

    names = [one.report.target for one in found.checked]
    if found.case is None:
        yield f"{names[0]} and {names[1]} agree on all {found.compared} calls", "good"
    else:
        where = f"{found.differing} of {found.compared} calls" if found.differing else "a generated case"
        yield f"{names[0]} and {names[1]} differ on {where}", "bad"
    for one in found.checked:
        bug = bug_names(one.report)
        yield f"  {headline(one.report)}{f': {bug}' if bug else ''}", ""
    if found.case is not None:
        yield "", ""
        yield from _case_lines(found.case)


def _case_lines(case: Case) -> Iterator[Line]:
    from rlcalc.conform.report.case_table import table_of
    from rlcalc.golden.replay import brief

    kind = "smallest input that shows it" if case.name == "generated" else case.name
    yield f"{kind}, {case.dtype}", "head"
    headings = ("first", "second", "exact")
    answers = {h: a for h, a in zip(headings, case.answers, strict=True) if isinstance(a, list)}
    table = table_of(case.inputs, answers, case.places, "exact", case.counted)
    rest = case.inputs if table is None else table.rest
    yield from ((f"  {name} = {brief(value)}", "") for name, value in rest.items())
    if table is not None:
        yield from ((f"  {line}", "") for line in table.lines(MOST_ROWS, "<-"))
    others = zip(headings, case.answers, strict=True)
    yield from ((f"  {h:6}  {brief(a)}", "") for h, a in others if table is None or h not in answers)


def _as_json(found: Difference) -> dict[str, Any]:
    from rlcalc.conform.report.data import report_json, word

    case = found.case
    return {
        "agree": case is None,
        "compared": found.compared,
        "differing": found.differing,
        "case": case
        and {
            "case": case.name,
            "dtype": case.dtype,
            "inputs": dict(case.inputs),
            **dict(zip(("first", "second", "exact"), map(word, case.answers), strict=True)),
        },
        "reports": [report_json(one.report, one.example) for one in found.checked],
    }
