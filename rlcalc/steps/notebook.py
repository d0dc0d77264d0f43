"""What a notebook shows of an answer: title, formula, inputs, answers, notes, and the steps to unfold."""

from __future__ import annotations

import html as text
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rlcalc.exact import to_latex, to_unicode
from rlcalc.nested import map_nested
from rlcalc.steps.printers import escaped, latex_words, print_latex, step_lines
from rlcalc.steps.terms import Step

if TYPE_CHECKING:
    from rlcalc.specs import Formula

MOST_STEPS = 60
MOST_ENTRIES = 24  # of a list
_WIDTH = 100


def html(
    formula: Formula,
    inputs: Mapping[str, Any],
    answers: Mapping[str, Any],
    steps: Sequence[Step],
    notes: Sequence[str],
    remark: str = "",
    names: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """A small page; all that a user typed is escaped.

    Args:
        names: of the entries along a dimension: states, actions, steps.
    """
    escape, named = text.escape, names or {}
    given = "".join(
        f"<tr><td>{escape(p.symbol)}</td><td><code>{escape(_plain(inputs[p.name]))}</code></td></tr>"
        for p in formula.parameters
        if inputs.get(p.name) is not None
    )
    found = "".join(
        f"<tr><td><b>{escape(o.symbol)}</b></td>"
        f"<td><code>{escape(_named(answers[o.name], o.shape, named))}</code></td>"
        f"<td>{escape(o.name)}</td></tr>"
        for o in formula.outputs
        if o.name in answers
    )
    parts = [f"<b>{escape(formula.title)}</b>", f"<p>$\\displaystyle {escape(formula.latex)}$</p>"]
    parts += [f"<table>{given}</table>", f"<table>{found}</table>"]
    parts += [f"<p>{escape(note)}</p>" for note in [*notes, *([remark] if remark else [])]]
    if steps:
        shown = [line for step in steps[:MOST_STEPS] for line in step_lines(step, _WIDTH)]
        if len(steps) > MOST_STEPS:
            shown.append(f"… {len(steps) - MOST_STEPS} more steps")
        lines = escape("\n".join(shown))
        parts.append(f"<details><summary>{len(steps)} steps</summary><pre>{lines}</pre></details>")
    return f'<div class="rlcalc">{"".join(parts)}</div>'


def latex(
    formula: Formula,
    inputs: Mapping[str, Any],
    answers: Mapping[str, Any],
    steps: Sequence[Step],
    notes: Sequence[str],
) -> str:
    """One display for MathJax: title, inputs, steps, the answer in a box, notes."""
    rows = [rf"&\textbf{{{escaped(formula.title)}}}"]
    rows += [
        rf"&{_symbol(p.latex)} = {latex_words(_plain(inputs[p.name]))}"
        for p in formula.parameters
        if inputs.get(p.name) is not None
    ]
    rows += [line for step in steps[:MOST_STEPS] for line in print_latex(step)]
    if len(steps) > MOST_STEPS:
        rows.append(rf"&\ldots\text{{ {len(steps) - MOST_STEPS} more steps}}")
    answer = formula.answer
    if answer.name in answers:
        rows.append(rf"&\boxed{{{_symbol(answer.latex)} = {_latex(answers[answer.name])}}}")
    rows += [f"&{latex_words(note)}" for note in notes]
    body = " \\\\\n".join(rows)
    return f"$\\displaystyle \\begin{{aligned}}\n{body}\n\\end{{aligned}}$"


def _symbol(name: str) -> str:
    return latex_words(name) if name.isalpha() and len(name) > 2 else name


def _named(value: Any, shape: Sequence[str], names: Mapping[str, Sequence[str]]) -> str:
    """A value as text, its entries behind their names where they have some."""
    if not isinstance(value, list | tuple) or not value or not shape:
        return _plain(value)
    labels = names.get(shape[0], ())
    fits = len(labels) == len(value) <= MOST_ENTRIES
    if not fits or any(" " in label for label in labels):  # a whole step is no name
        return _plain(value)
    nested = any(isinstance(part, list | tuple) for part in value)
    parts = [_named(part, shape[1:], names) for part in value]
    between, after = ("; ", ":") if nested else (", ", "")
    return between.join(f"{label}{after} {part}" for label, part in zip(labels, parts, strict=True))


def _plain(value: Any) -> str:
    """A value as text; of a long list only the ends."""
    if isinstance(value, list | tuple):
        nested = any(isinstance(part, list | tuple) for part in value)
        parts = [_plain(part) for part in value]
        if len(parts) > MOST_ENTRIES:
            parts = [*parts[:3], "…", parts[-1], f"({len(value)} entries)"]
        return ("; " if nested else ", ").join(parts)
    return to_unicode(value) if hasattr(value, "free_symbols") else str(value)


def _latex(value: Any) -> str:
    found = map_nested(
        lambda part: to_latex(part) if hasattr(part, "free_symbols") else latex_words(str(part)), value
    )

    def joined(part: Any) -> str:
        return r",\ ".join(map(joined, part)) if isinstance(part, list | tuple) else str(part)

    return joined(found)
