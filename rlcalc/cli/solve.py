"""``--solve NAME=VALUE``: for which input the answer is this number."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import typer

from rlcalc._lazy import sympy
from rlcalc._version import __version__
from rlcalc.cli.numbers import View
from rlcalc.cli.screen import ANSWER, Screen, write_json
from rlcalc.errors import InputError
from rlcalc.exact import to_text, to_unicode
from rlcalc.specs import Formula
from rlcalc.study.solving import Solved, solve_for

SCHEMA = "rlcalc-solve-1"
_DIGITS = 20


def show_solution(
    formula: Formula, raw: Mapping[str, Any], question: str, output: str, form: str, view: View
) -> None:
    """Print the polynomial and its roots in the domain.

    Raises:
        InputError: as ``solve_for``; ``solve_has_no_steps`` with LaTeX.
        typer.Exit: with code 1 where no value gives the answer.
    """
    if form == "latex":
        raise InputError("solve_has_no_steps", "--solve and --latex do not go together.", "Choose one.")
    found = solve_for(formula, raw, question, output)
    roots = [_root(root, view.digits or (10 if form == "text" else _DIGITS)) for root in found.roots]
    if form == "json":
        write_json(_document(formula, found, roots))
    elif form == "quiet":
        Screen(sys.stdout).line(" ".join(exact or near for exact, near in roots))
    else:
        _show_text(Screen(sys.stdout), found, roots)
    if not roots and not found.always:
        raise typer.Exit(1)


def _root(root: Any, digits: int) -> tuple[str, str]:
    """A rational root exactly, any other as a decimal."""
    return (to_text(root), "") if root.is_Rational else ("", str(sympy.N(root, digits)))


def _show_text(screen: Screen, found: Solved, roots: list[tuple[str, str]]) -> None:
    p, x = found.parameter, found.unknown
    screen.paragraph(f"{found.output} = {to_unicode(found.answer)},  {x} = {p.symbol}", "", "    ")
    screen.line()
    if found.always:
        screen.line(f"Every {p.symbol} gives {to_unicode(found.target)}.", ANSWER)
        return
    screen.paragraph(f"{to_unicode(found.polynomial)} = 0", "", "    ")
    domain = "" if p.domain.text == "real" else f" {p.domain.words()}"
    if not roots:
        screen.line(f"No {p.symbol}{domain} gives {to_unicode(found.target)}.", ANSWER)
    for exact, near in roots:
        screen.line(f"{p.symbol} {'=' if exact else '≈'} {exact or near}".replace("-", "−"), ANSWER)


def _document(formula: Formula, found: Solved, roots: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "version": __version__,
        "formula": formula.name,
        "output": found.output,
        "solve_for": found.parameter.name,
        "unknown": str(found.unknown),
        "answer": to_text(found.answer),
        "polynomial": to_text(found.polynomial),
        "roots": [{"exact": exact or None, "decimal": near or None} for exact, near in roots],
        "always": found.always,
    }
