"""``rlcalc find WORDS``: commands by what they are about."""

from __future__ import annotations

import sys

import typer

from rlcalc.cli.command import Command
from rlcalc.cli.screen import FAINT, OPTION, Screen, page_width, write_json
from rlcalc.cli.search import search
from rlcalc.errors import InputError, UnknownName, shown

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """
rlcalc find eligibility trace
rlcalc find boltzmann
rlcalc find off-policy --json
"""


@app.command("find", cls=Command, epilog=EXAMPLES)
def find(
    words: list[str] = typer.Argument(
        None, metavar="WORDS...", help="What it is about, in your own words.", show_default=False
    ),
    json: bool = typer.Option(False, "--json", help="Print the commands as JSON."),
) -> None:
    """Find the command for something: by name, by another name for it, or by what it is about."""
    if not words:
        raise InputError(
            "words_missing", "Find what? No word was given.", "For example: rlcalc find eligibility"
        )
    hits = search(words)
    if not hits:
        raise UnknownName(
            "nothing_found",
            f"No command is about {shown(' '.join(words))}.",
            "Try fewer or more general words; 'rlcalc list' shows all formulas.",
        )
    if json:
        write_json({"found": [{"command": hit.command, "title": hit.title} for hit in hits]})
        return
    screen = Screen(sys.stdout)
    width = max(len(hit.command) for hit in hits)
    for hit in hits:
        screen.headed(f"{hit.command:{width}}", f"  {hit.title}", OPTION, " " * (width + 2))
    screen.line(f"'rlcalc {hits[0].command} -h' says how it is called."[: page_width()], FAINT)
