"""``rlcalc explain``: what a known bug, a convention or an error code is, how it shows, and how to fix it."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

import typer

from rlcalc.cli.command import Command
from rlcalc.cli.screen import ALARM, ANSWER, HEADING, Screen, write_json
from rlcalc.errors import InputError, UnknownName

app = typer.Typer(add_completion=False, rich_markup_mode=None)
WIDTH = 80
LABEL = 13
# names are never divided
_HANGING: dict[str, Any] = {
    "subsequent_indent": " " * (LABEL + 2),
    "break_long_words": False,
    "break_on_hyphens": False,
}

# code that is wider goes on below, further in
_CODE: dict[str, Any] = {**_HANGING, "subsequent_indent": " " * 12}

EXAMPLES = """
rlcalc explain recursion-crosses-truncation
rlcalc explain loss --formula ppo_clip --json
rlcalc explain gamma_out_of_range
"""


@app.command("explain", cls=Command, epilog=EXAMPLES)
def explain(
    names: list[str] = typer.Argument(
        None, metavar="NAME...", help="Names of known bugs, conventions or error codes.", show_default=False
    ),
    formula: str = typer.Option(None, "--formula", help="Only as this formula has it."),
    as_json: bool = typer.Option(False, "--json", help="Print it as JSON."),
) -> None:
    """Explain a known bug, a convention or an error code: what it does, how it shows, and how to fix it.

    'rlcalc conform' prints the names of bugs; 'rlcalc conform --faults' lists them. Codes of
    errors are in the JSON of a command that fails, and in golden files.
    """
    from rlcalc import error_codes
    from rlcalc.conform import explain as known

    if not names:
        raise InputError(
            "fault_missing",
            "Which bug? None was named.",
            "For example: rlcalc explain recursion-crosses-truncation",
        )
    found: list[known.Explanation] = []
    codes: list[error_codes.Code] = []
    for name in names:
        try:
            found += known.explain(name, formula)
        except UnknownName:
            if not error_codes.is_code(name):
                raise
            codes.append(error_codes.find(name))
    if as_json:
        write_json([*(one.as_json() for one in found), *(code.as_json() for code in codes)])
        return
    screen = Screen(sys.stdout)
    entries: list[tuple[str, Iterable[tuple[str, str]]]] = [*_grouped(found)]
    entries += [
        (f"{code.name} (error, exit code {code.exit_code})", error_codes.parts(code)) for code in codes
    ]
    for number, (title, labelled) in enumerate(entries):
        if number:
            screen.line()
        _show(screen, title, labelled)


def _grouped(found: Iterable[Any]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Title and text of each; what several formulas share is said once, with the vectors of each."""
    from rlcalc.conform.explain import parts

    groups: dict[tuple[Any, ...], list[tuple[Any, tuple[str, str]]]] = {}
    for one in found:
        *text, last = parts(one)
        groups.setdefault((one.entry.name, *text), []).append((one.entry, last))
    for (name, *text), members in groups.items():
        formulas = [entry.formula for entry, _ in members]
        if len(members) > 1:
            members = [(entry, (label, f"{entry.formula}: {words}")) for entry, (label, words) in members]
        kind = getattr(members[0][0], "kind", "convention")
        yield f"{name} ({kind}; {', '.join(formulas)})", [*text, *(last for _, last in members)]


def _show(screen: Screen, title: str, labelled: Iterable[tuple[str, str]]) -> None:
    for line in textwrap.wrap(title, WIDTH, subsequent_indent="  ", break_on_hyphens=False):
        screen.line(line, HEADING)
    before = ""
    for label, text in labelled:
        shown = "" if label == before else label
        before = label
        if label == "diff":
            if shown:
                screen.line(f"  {shown}")
            style = {"-": ALARM, "+": ANSWER}.get(text[:1], "")
            for line in textwrap.wrap(f"    {text}", WIDTH, **_CODE):
                screen.line(line, style)
            continue
        head = f"  {shown:{LABEL}}"
        screen.lines(textwrap.wrap(text, WIDTH, initial_indent=head, **_HANGING))
