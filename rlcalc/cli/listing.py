"""``rlcalc list`` and ``rlcalc show``: what is known about the formulas."""

from __future__ import annotations

import sys
from typing import Any

import typer

from rlcalc.cli.command import Command
from rlcalc.cli.commands import BUILT_IN
from rlcalc.cli.screen import HEADING, Screen, clauses, write_json
from rlcalc.errors import InputError
from rlcalc.specs import GROUPS, Formula, Head, Parameter, heads, load_formula

list_app = typer.Typer(add_completion=False, rich_markup_mode=None)
show_app = typer.Typer(add_completion=False, rich_markup_mode=None)


# list


@list_app.command("list", cls=Command, epilog="rlcalc list\nrlcalc list --json")
def list_formulas(json: bool = typer.Option(False, "--json", help="Print the list as JSON.")) -> None:
    """List all formulas, by chapter of the lecture."""
    if json:
        write_json(
            {
                "formulas": [_head(head) for head in heads()],
                "commands": [{"command": name, "about": entry.about} for name, entry in BUILT_IN.items()],
            }
        )
        return
    screen = Screen(sys.stdout)
    names = max(len(head.command) for head in heads())
    titles = max(len(head.title) for head in heads())
    first = True
    for group in GROUPS:
        found = [head for head in heads() if head.group == group]
        if not found:
            continue
        if not first:
            screen.line()
        first = False
        screen.line(group, HEADING)
        for head in found:
            line = f"  {head.command:{names}}  {head.title:{titles}}  {', '.join(head.sections)}"
            screen.line(line.rstrip())


def _head(head: Head) -> dict[str, Any]:
    return {
        "command": head.command,
        "name": head.name,
        "title": head.title,
        "group": head.group,
        "sections": list(head.sections),
    }


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
    spec = load_formula(formula)
    if json:
        write_json(_document(spec))
    else:
        _page(spec)


def _page(spec: Formula) -> None:
    """The specification as a page; a line of LaTeX is to be copied, so it is never broken."""
    from rlcalc.cli.help import Page, Row, examples, facts, indented, rows
    from rlcalc.cli.render import origin

    page = Page()
    names = f"rlcalc {spec.command}, in Python rlcalc.{spec.name}"
    page.add(f"{spec.title} ({origin(spec)})", [names])
    page.add("Formula", [*clauses(spec.text, "  "), *indented(spec.about)])
    page.add("LaTeX", [f"  {spec.latex}"])
    inputs = [Row(f"{p.option}  {p.symbol}", [facts(spec, p), p.help, _caution(p)]) for p in spec.parameters]
    page.add("Inputs", rows(inputs, below=True))
    forms = [", ".join(spec.parameter(name).option for name in form.parameters) for form in spec.forms]
    page.add("Ways of calling", [f"  {form}" for form in forms])
    page.add("Outputs", rows([Row(f"{o.name}  {o.symbol}", [o.about]) for o in spec.outputs], below=True))
    page.add("Conventions", rows([Row(c["name"], [c["about"]]) for c in spec.conventions], below=True))
    page.add("References", [line for r in spec.references for line in indented(r, hang=2)])
    page.add("Examples", examples(spec))
    page.show()


def _caution(parameter: Parameter) -> str:
    return f"Above {parameter.caution.above}: {parameter.caution.note}" if parameter.caution else ""


def _document(spec: Formula) -> dict[str, Any]:
    """A specification as JSON; intervals and numbers as text."""
    return {
        "name": spec.name,
        "command": spec.command,
        "title": spec.title,
        "group": spec.group,
        "sections": list(spec.sections),
        "text": spec.text,
        "latex": spec.latex,
        "about": spec.about,
        "symbolic": spec.symbolic,
        "plot": spec.plot,
        "exact_limit": spec.exact_limit,
        "parameters": [_parameter(parameter) for parameter in spec.parameters],
        "forms": [{"name": form.name, "parameters": list(form.parameters)} for form in spec.forms],
        "outputs": [
            {
                "name": output.name,
                "symbol": output.symbol,
                "latex": output.latex,
                "kind": output.kind,
                "shape": list(output.shape),
                "of": output.of,
                "exact_only": output.exact_only,
                "about": output.about,
            }
            for output in spec.outputs
        ],
        "conventions": [dict(convention) for convention in spec.conventions],
        "references": list(spec.references),
        "examples": [dict(example) for example in spec.examples],
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "option": parameter.option,
        "symbol": parameter.symbol,
        "latex": parameter.latex,
        "kind": parameter.kind,
        "shape": list(parameter.shape),
        "each": parameter.each,
        "domain": "distribution" if parameter.distribution else parameter.domain.text,
        "choices": list(parameter.choices),
        "required": parameter.required,
        "default": parameter.default,
        "help": parameter.help,
    }
