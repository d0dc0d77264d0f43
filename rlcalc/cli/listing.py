"""``rlcalc list`` and ``rlcalc show``: what is known about the formulas."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import typer

from rlcalc.cli.command import Command
from rlcalc.cli.commands import BUILT_IN
from rlcalc.cli.help import Line, Page
from rlcalc.cli.screen import write_json
from rlcalc.errors import InputError
from rlcalc.heads import GROUPS, heads

if TYPE_CHECKING:  # the list reads no specification whole
    from rlcalc.specs import Formula

list_app = typer.Typer(add_completion=False, rich_markup_mode=None)
show_app = typer.Typer(add_completion=False, rich_markup_mode=None)


# list


@list_app.command("list", cls=Command, epilog="rlcalc list\nrlcalc list --json")
def list_formulas(
    json: bool = typer.Option(False, "--json", help="Print the list as JSON."),
    markdown: bool = typer.Option(False, "--markdown", help="Print it as a Markdown table."),
) -> None:
    """List all formulas, by chapter of the lecture."""
    if json and markdown:
        raise InputError("options_mixed", "--json and --markdown do not go together.", "Choose one.")
    if markdown:
        sys.stdout.write(markdown_table())
        return
    if json:
        write_json(
            {
                "formulas": [
                    _facts(head, "command", "name", "title", "group", "sections", "stage") for head in heads()
                ],
                "commands": [{"command": name, "about": entry.about} for name, entry in BUILT_IN.items()],
            }
        )
        return
    names = max(len(head.command) for head in heads())
    titles = max(len(head.title) for head in heads())
    page = Page()
    for group in GROUPS:
        found = [head for head in heads() if head.group == group]
        lines = [f"  {head.command:{names}}  {head.title:{titles}}  {head.place}" for head in found]
        page.add(group, map(str.rstrip, lines))
    remark = (
        "Numbers are sections of the lecture notes, words are stages of training a language model.",
        "'rlcalc show NAME' tells everything.",
    )
    page.add("", [Line("", "", text) for text in remark])
    page.show()


def markdown_table() -> str:
    """Every command with what it computes or does."""
    rows = [(head.command, head.title) for head in heads()]
    rows += [(name, entry.about) for name, entry in BUILT_IN.items()]
    lines = ["| command | what it computes |", "|---|---|"]
    lines += [f"| `{name}` | {text} |" for name, text in rows]
    return "\n".join(lines) + "\n"


# show


@show_app.command("show", cls=Command, epilog="rlcalc show lambda-return\nrlcalc show ppo_clip --json")
def show_formula(
    formula: str = typer.Argument("", metavar="FORMULA", help="Command or Python name of a formula."),
    json: bool = typer.Option(False, "--json", help="Print everything as JSON."),
) -> None:
    """Show everything about one formula."""
    if not formula:
        raise InputError(
            "formula_missing", "Which formula? None was named.", "For example: rlcalc show lambda-return"
        )
    from rlcalc.cli.pages import show_page
    from rlcalc.specs import load_formula

    spec = load_formula(formula)
    if json:
        write_json(_document(spec))
    else:
        show_page(spec).show()


_FACTS = (
    "name", "command", "title", "group", "sections", "stage", "text",
    "latex", "about", "symbolic", "plot",
)  # fmt: skip
_OF_PARAMETER = (
    "name", "option", "symbol", "latex", "kind", "shape", "each",
    "choices", "required", "default",
)  # fmt: skip
_OF_OUTPUT = ("name", "symbol", "latex", "kind", "shape", "of", "exact_only", "about")


def _document(spec: Formula) -> dict[str, Any]:
    """A specification as JSON; intervals and numbers as text."""
    return {
        **_facts(spec, *_FACTS, "exact_limit"),
        "parameters": [
            _facts(p, *_OF_PARAMETER, "help")
            | {"domain": "distribution" if p.distribution else p.domain.text}
            for p in spec.parameters
        ],
        "forms": [_facts(form, "name", "parameters") for form in spec.forms],
        "outputs": [_facts(output, *_OF_OUTPUT) for output in spec.outputs],
        "conventions": [dict(convention) for convention in spec.conventions],
        "references": list(spec.references),
        "examples": [dict(example) for example in spec.examples],
    }


def _facts(entry: Any, *names: str) -> dict[str, Any]:
    found = {name: getattr(entry, name) for name in names}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}
