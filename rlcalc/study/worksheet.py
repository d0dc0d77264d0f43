"""A sheet of exercises, with or without solutions, as Markdown, LaTeX or HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rlcalc.exact import to_unicode
from rlcalc.golden.replay import command_line
from rlcalc.nested import map_nested
from rlcalc.specs import Formula
from rlcalc.steps.derivation import Derivation
from rlcalc.steps.printers import LATEX_NAMES, escaped
from rlcalc.study.draw import exercise

__all__ = ["FORMATS", "sheet"]


@dataclass(frozen=True)
class Exercise:
    """One exercise, ready to be written."""

    number: int
    formula: Formula
    solution: Derivation

    @property
    def given(self) -> list[tuple[str, str, str]]:
        """What is given: symbol in LaTeX, symbol, value."""
        found = []
        for p in self.formula.parameters:
            value = self.solution.inputs.get(p.name)
            if value is not None and not (p.kind == "flag" and "1" not in str(value)):
                found.append((p.latex, p.symbol, _text(value)))
        return found

    @property
    def asked(self) -> str:
        """What is asked for, as a clause."""
        answer = self.formula.answer
        return f"{answer.symbol}: {answer.about}"

    @property
    def answer(self) -> str:
        value = self.solution.answer
        return _text(map_nested(lambda part: part if isinstance(part, str) else to_unicode(part), value))

    @property
    def command(self) -> str:
        """The line that shows the same solution."""
        return command_line(self.formula, self.solution.inputs, "sympy").removesuffix(" --backends sympy")


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        nested = any(isinstance(part, list | tuple) for part in value)
        return ("; " if nested else ", ").join(_text(part) for part in value)
    return str(value)


def sheet(formulas: Sequence[Formula], seed: int, count: int, form: str, solutions: bool) -> str:
    """The whole sheet; the formulas take turns.

    Raises:
        InputError: ``nothing_drawn``.
    """
    found = []
    for number in range(1, count + 1):
        formula = formulas[(number - 1) % len(formulas)]
        found.append(Exercise(number, formula, exercise(formula, f"{seed}/{formula.name}/{number}")))
    return FORMATS[form](found, seed, solutions)


def _title(seed: int) -> str:
    return f"Exercises (sheet {seed})"


# Markdown


def _markdown(exercises: Sequence[Exercise], seed: int, solutions: bool) -> str:
    lines = [f"# {_title(seed)}", ""]
    for e in exercises:
        lines += [f"## {e.number}. {e.formula.title}", "", f"$$ {e.formula.latex} $$", "", "Given:", ""]
        lines += [f"- {symbol} = `{value}`" for _, symbol, value in e.given]
        lines += ["", f"Find {e.asked}", ""]
    if solutions:
        lines += ["# Solutions", ""]
        for e in exercises:
            lines += [f"## {e.number}. {e.formula.title}", "", "```", e.solution.text(80), "```", ""]
            lines += [f"**{e.formula.answer.symbol} = {e.answer}**", "", f"`{e.command}`", ""]
    return "\n".join(lines)


# LaTeX

_PREAMBLE = r"""\documentclass[a4paper,11pt]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{amsmath,amssymb}
\usepackage[margin=25mm]{geometry}
\allowdisplaybreaks
\begin{document}
"""


def _latex(exercises: Sequence[Exercise], seed: int, solutions: bool) -> str:
    lines = [_PREAMBLE + rf"\section*{{{_tex(_title(seed))}}}", r"\begin{enumerate}"]
    for e in exercises:
        lines.append(rf"\item \textbf{{{_tex(e.formula.title)}}} \[ {e.formula.latex} \]")
        given = ", \\quad ".join(f"${_upright(name)} = {_math(value)}$" for name, _, value in e.given)
        answer = e.formula.answer
        lines.append(f"Given {given}. Find ${_upright(answer.latex)}$: {_tex(answer.about)}")
    lines.append(r"\end{enumerate}")
    if solutions:
        lines += [r"\section*{Solutions}", r"\begin{enumerate}"]
        for e in exercises:
            lines += [rf"\item \textbf{{{_tex(e.formula.title)}}}", e.solution.latex(pages=True)]
            lines.append(rf"Answer: ${_math(e.answer)}$")
        lines.append(r"\end{enumerate}")
    text = "\n".join([*lines, r"\end{document}", ""])
    return "".join(c if c.isascii() else LATEX_NAMES.get(c, _SIGNS.get(c, "?")) for c in text)


_SIGNS = {
    "−": "-", "·": r"\cdot ", "→": r"\to ", "←": r"\leftarrow ", "≤": r"\le ", "≥": r"\ge ", "∞": r"\infty ",
    "Σ": r"\Sigma ", "∂": r"\partial ", "′": "'", "…": r"\dots ", "×": r"\times ", "²": "^2",
    "₀": "_0", "₁": "_1", "₂": "_2", "‖": r"\Vert ", "½": r"\tfrac12 ",
    "√": r"\sqrt{}", "≈": r"\approx ",
}  # fmt: skip
_PLAIN = {"–": "--", "—": "---", "’": "'", "“": "``", "”": "''", "š": r"\v{s}", "é": r"\'e", "ö": r"\"o"}


def _tex(text: str) -> str:
    """Words with formulas in them, as LaTeX in text."""
    found = []
    for part in re.split(r"([^\x00-\x7f])", text):
        sign = LATEX_NAMES.get(part, _SIGNS.get(part))
        if part in _PLAIN:
            found.append(_PLAIN[part])
        elif sign is not None:
            found.append(f"${sign.strip()}$" if not sign.startswith(("^", "_")) else f"${{}}{sign}$")
        elif part:
            found.append(escaped(part).replace("|", r"\textbar{}") if part.isascii() else "?")
    return "".join(found)


def _upright(name: str) -> str:
    """A symbol in LaTeX; a word is set as one."""
    if not name.isascii():
        return "".join(LATEX_NAMES.get(char, _SIGNS.get(char, char)) for char in name)
    return rf"\text{{{name}}}" if name.isalpha() and len(name) > 2 else name


def _math(text: str) -> str:
    """A value as LaTeX in a formula: fractions set as such, words upright."""
    parts = re.split(r"(-?[0-9]+/[0-9]+|-?[0-9.]+|[,;] )", text.replace("−", "-"))
    return "".join(_math_part(part) for part in parts if part)


def _math_part(part: str) -> str:
    fraction = re.fullmatch(r"(-?)([0-9]+)/([0-9]+)", part)
    if fraction:
        return rf"{fraction[1]}\tfrac{{{fraction[2]}}}{{{fraction[3]}}}"
    if re.fullmatch(r"-?[0-9.]+", part):
        return part
    return part.replace(" ", r"\ ") if part in (", ", "; ") else rf"\text{{{_tex(part)}}}"


# HTML

_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:45em;margin:2em auto;padding:0 1em}"
    "pre{overflow-x:auto;background:#f4f4f4;padding:.6em}code{white-space:nowrap}"
    "@media print{section{break-inside:avoid}}@media(prefers-color-scheme:dark)"
    "{body{background:#111;color:#eee}pre{background:#222}}"
)


def _html(exercises: Sequence[Exercise], seed: int, solutions: bool) -> str:
    escape = html.escape
    lines = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(_title(seed))}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(_title(seed))}</h1>",
    ]
    for e in exercises:
        lines.append(
            f"<section><h2>{e.number}. {escape(e.formula.title)}</h2><pre>{escape(e.formula.text)}</pre>"
        )
        lines.append("<ul>")
        lines += [f"<li>{escape(symbol)} = <code>{escape(value)}</code></li>" for _, symbol, value in e.given]
        lines.append(f"</ul><p>Find {escape(e.asked)}</p></section>")
    if solutions:
        lines.append("<h1>Solutions</h1>")
        for e in exercises:
            lines.append(f"<section><h2>{e.number}. {escape(e.formula.title)}</h2>")
            lines.append(f"<pre>{escape(e.solution.text(80))}</pre>")
            lines.append(f"<p><strong>{escape(e.formula.answer.symbol)} = {escape(e.answer)}</strong></p>")
            lines.append(f"<p><code>{escape(e.command)}</code></p></section>")
    return "\n".join([*lines, "</body></html>", ""])


FORMATS: dict[str, Callable[[Sequence[Exercise], int, bool], str]] = {
    "markdown": _markdown,
    "latex": _latex,
    "html": _html,
}
