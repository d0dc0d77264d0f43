"""``rlcalc worksheet FORMULA...``: exercises with small numbers, and their solutions."""

from __future__ import annotations

import sys

import typer

from rlcalc.cli.command import Command
from rlcalc.errors import InputError, shown, suggestion
from rlcalc.specs import load_formula

app = typer.Typer(add_completion=False, rich_markup_mode=None)
MOST = 200

EXAMPLES = """
rlcalc worksheet lambda-return gae --seed 7 --count 4
rlcalc worksheet q-learning --solutions --format latex
"""


@app.command("worksheet", cls=Command, epilog=EXAMPLES)
def worksheet(
    formulas: list[str] = typer.Argument(
        None, metavar="FORMULA...", help="Formulas that take turns.", show_default=False
    ),
    seed: int = typer.Option(1, "--seed", help="The same seed gives the same sheet."),
    count: int = typer.Option(5, "--count", help="Exercises."),
    solutions: bool = typer.Option(False, "--solutions", help="Add the derivations."),
    form: str = typer.Option("markdown", "--format", metavar="NAME", help="markdown, latex or html."),
) -> None:
    """Print a sheet of exercises with small integers and thirds, and answers with small denominators."""
    from rlcalc.study.worksheet import FORMATS, sheet

    if not formulas:
        raise InputError(
            "formula_missing", "Exercises on what? No formula was named.",
            "For example: rlcalc worksheet lambda-return",
        )  # fmt: skip
    if form not in FORMATS:
        hint = suggestion(form, list(FORMATS)) or f"Use {', '.join(FORMATS)}."
        raise InputError("format_unknown", f"There is no format {shown(form)} here.", hint)
    if not 1 <= count <= MOST:
        raise InputError("count_out_of_range", f"--count takes an integer from 1 to {MOST}, not {count}.")
    sys.stdout.write(sheet([load_formula(name) for name in formulas], seed, count, form, solutions))
