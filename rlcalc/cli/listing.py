"""``rlcalc list`` and ``rlcalc show``: what is known about the formulas."""

from __future__ import annotations

import sys
from typing import Any

import typer
from typer.core import TyperCommand

from rlcalc.cli.app import BUILT_IN, help_option
from rlcalc.cli.screen import HEADING, Screen
from rlcalc.errors import InputError
from rlcalc.specs import GROUPS, Formula, Head, Parameter, heads, load_formula

list_app = typer.Typer(add_completion=False, rich_markup_mode=None)
show_app = typer.Typer(add_completion=False, rich_markup_mode=None)


class ListCommand(TyperCommand):
    def get_help(self, ctx: Any) -> str:
        from rlcalc.cli.help import command_page

        lines = ["rlcalc list", "rlcalc list --json"]
        return command_page("rlcalc list", "all formulas, by chapter of the lecture", lines, ctx)


class ShowCommand(TyperCommand):
    def get_help(self, ctx: Any) -> str:
        from rlcalc.cli.help import command_page

        lines = ["rlcalc show lambda-return", "rlcalc show ppo-clip --json"]
        return command_page("rlcalc show FORMULA", "everything about one formula", lines, ctx)


# list


@list_app.command("list", cls=ListCommand, add_help_option=False)
def list_formulas(
    json: bool = typer.Option(False, "--json", help="Print the list as JSON."), help: bool = help_option()
) -> None:
    """All formulas, by chapter of the lecture."""
    if json:
        from rlcalc.cli.render import write_json

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


def _complete(incomplete: str) -> list[str]:
    return [head.command for head in heads() if head.command.startswith(incomplete)]


@show_app.command("show", cls=ShowCommand, add_help_option=False)
def show_formula(
    formula: str = typer.Argument("", help="Command or Python name of a formula.", autocompletion=_complete),
    json: bool = typer.Option(False, "--json", help="Print everything as JSON."),
    help: bool = help_option(),
) -> None:
    """Everything about one formula."""
    if not formula:
        raise InputError(
            "formula_missing", "Which formula? None was named.", "For example: rlcalc show lambda-return"
        )
    spec = load_formula(formula)
    if json:
        from rlcalc.cli.render import write_json

        write_json(_document(spec))
    else:
        _page(spec)


def _page(spec: Formula) -> None:
    from rlcalc.cli import help as helptext
    from rlcalc.cli.render import lecture

    screen = Screen(sys.stdout)
    screen.line(f"{spec.title} ({lecture(spec.sections)})", HEADING)
    screen.line(f"rlcalc {spec.command}, in Python rlcalc.{spec.name}")
    parts: list[tuple[str, list[str]]] = [
        ("Formula", [*helptext.indented(spec.text, hang=4), *helptext.indented(spec.about)]),
        ("LaTeX", [f"  {spec.latex}"]),  # to be copied, so never broken
        (
            "Inputs",
            helptext.rows(
                [
                    (f"{p.option}  {p.symbol}", [helptext.facts(spec, p), p.help, *_cautions(p)])
                    for p in spec.parameters
                ],
                below=True,
            ),
        ),
        (
            "Outputs",
            helptext.rows([(f"{o.name}  {o.symbol}", [o.about]) for o in spec.outputs], below=True),
        ),
    ]
    if spec.forms:
        forms = [", ".join(spec.parameter(name).option for name in form.parameters) for form in spec.forms]
        parts.insert(3, ("Ways of calling", [f"  {form}" for form in forms]))
    if spec.conventions:
        told = [(c["name"], [c["about"]]) for c in spec.conventions]
        parts.append(("Conventions", helptext.rows(told, below=True)))
    parts.append(("References", [line for r in spec.references for line in helptext.indented(r, hang=2)]))
    parts.append(("Examples", helptext.examples(spec)))
    for title, lines in parts:
        screen.line()
        screen.line(title, HEADING)
        for line in lines:
            screen.line(line)


def _cautions(parameter: Parameter) -> list[str]:
    return [f"Above {parameter.caution_above}: {parameter.caution}"] if parameter.caution else []


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
