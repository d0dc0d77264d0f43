"""A process on a grid, as rows of cells: its values, and the best moves as arrows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rlcalc.cli.numbers import View, float_text, shown
from rlcalc.errors import visible
from rlcalc.evaluation import Evaluation

if TYPE_CHECKING:  # most formulas need no process
    from rlcalc.mdp.model import MDP

CELL_DIGITS = 4
_GAP = 2
WALL, END = "▒", "■"
ARROWS = {
    "up": "↑", "u": "↑", "north": "↑", "n": "↑", "↑": "↑",
    "down": "↓", "d": "↓", "south": "↓", "s": "↓", "↓": "↓",
    "left": "←", "l": "←", "west": "←", "w": "←", "←": "←",
    "right": "→", "r": "→", "east": "→", "e": "→", "→": "→",
}  # fmt: skip


def process_of(found: Evaluation) -> MDP | None:
    """The process of an evaluation that lies on a grid."""
    made = next((found.inputs.given[p.name] for p in found.formula.parameters if p.kind == "mdp"), None)
    return made if made is not None and made.places else None


def value_lines(mdp: MDP, values: Sequence[Any], view: View, dtype: str = "float64") -> list[str]:
    """The values of the states in their cells; exact where all are short, else decimals."""
    narrow = View(digits=view.digits or CELL_DIGITS, decimal=view.decimal)
    pairs = [
        (text := float_text(value, dtype, narrow.digits), text)
        if isinstance(value, float)
        else ((one := shown(value, narrow)).exact, one.near)
        for value in values
    ]
    for texts in ([exact for exact, _ in pairs], [near for _, near in pairs]):
        lines = cells(mdp, texts)
        if max(map(len, lines)) <= min(view.width, 80) and max(map(len, texts)) <= 12:
            return lines
    return lines


def arrow_lines(mdp: MDP, actions: Sequence[str]) -> list[str]:
    """The actions of every state in its cell, as arrows where their names are directions."""
    return cells(mdp, [arrows(mdp, s, words) for s, words in enumerate(actions)])


def arrows(mdp: MDP, s: int, words: str) -> str:
    """Words such as ``up left`` as arrows; a terminal state has a sign of its own."""
    if mdp.terminal[s]:
        return END
    names = [ARROWS.get(word.lower(), word) for word in words.split()]
    return ("" if all(len(name) == 1 for name in names) else " ").join(names)


def cells(mdp: MDP, texts: Sequence[str]) -> list[str]:
    """Texts by state in the cells of the grid, those of a column with one width."""
    by_place = {place: visible(text) for place, text in zip(mdp.places, texts, strict=True)}
    rows = 1 + max(row for row, _ in mdp.places)
    columns = 1 + max(column for _, column in mdp.places)
    wide = [
        max((len(by_place.get((row, column), WALL)) for row in range(rows)), default=1)
        for column in range(columns)
    ]
    return [
        "  "
        + (" " * _GAP)
        .join(by_place.get((row, column), WALL).ljust(wide[column]) for column in range(columns))
        .rstrip()
        for row in range(rows)
    ]


def grid_lines(found: Evaluation, view: View, columns: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """What to print of a table of states that lies on a grid: headings with their lines.

    Args:
        columns: the vectors of the table by output name.
    """
    mdp = process_of(found)
    if mdp is None or len(mdp.states) < 4:
        return []
    made: list[tuple[str, list[str]]] = []
    for name, values in columns.items():
        output = found.results[name].output
        if output.kind == "word":
            made.append((f"{output.symbol} on the grid", arrow_lines(mdp, values)))
        else:
            made.append((f"{output.symbol} on the grid", value_lines(mdp, values, view, found.dtype)))
    return made
