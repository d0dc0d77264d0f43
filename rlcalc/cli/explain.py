"""``rlcalc explain``: what a known bug is, how it shows, and how to fix it."""

from __future__ import annotations

import sys
import textwrap
from typing import Any

import typer

from rlcalc.cli.command import Command
from rlcalc.cli.screen import ALARM, ANSWER, HEADING, Screen, write_json
from rlcalc.errors import InputError

app = typer.Typer(add_completion=False, rich_markup_mode=None)
WIDTH = 80
LABEL = 13
# names are never divided
_HANGING: dict[str, Any] = {
    "subsequent_indent": " " * (LABEL + 2),
    "break_long_words": False,
    "break_on_hyphens": False,
}

EXAMPLES = """
rlcalc explain recursion-crosses-truncation
rlcalc explain loss --formula ppo_clip --json
"""


@app.command("explain", cls=Command, epilog=EXAMPLES)
def explain(
    names: list[str] = typer.Argument(  # noqa: B008
        None, metavar="NAME...", help="Of known bugs or conventions.", show_default=False
    ),
    formula: str = typer.Option(None, "--formula", help="Only as this formula has it."),
    as_json: bool = typer.Option(False, "--json", help="Print it as JSON."),
) -> None:
    """Explain a known bug or a convention: what it does, how it shows, and how to fix it.

    'rlcalc conform' prints these names; 'rlcalc conform --faults' lists them.
    """
    from rlcalc.conform import explain as known

    if not names:
        raise InputError(
            "fault_missing",
            "Which bug? None was named.",
            "For example: rlcalc explain recursion-crosses-truncation",
        )
    found = [one for name in names for one in known.explain(name, formula)]
    if as_json:
        write_json([one.as_json() for one in found])
        return
    screen = Screen(sys.stdout)
    for number, one in enumerate(found):
        if number:
            screen.line()
        kind = getattr(one.entry, "kind", "convention")
        screen.line(f"{one.entry.name} ({one.entry.formula}, {kind})", HEADING)
        before = ""
        for label, text in known.parts(one):
            shown = "" if label == before else label
            before = label
            if label == "diff":
                style = {"-": ALARM, "+": ANSWER}.get(text[:1], "")
                screen.line(f"  {shown:{LABEL}}{text}", style)
                continue
            head = f"  {shown:{LABEL}}"
            for line in textwrap.wrap(text, WIDTH, initial_indent=head, **_HANGING):
                screen.line(line)
