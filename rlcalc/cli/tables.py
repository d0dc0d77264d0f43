"""Outputs with rows and columns, such as the values of every action in every state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rlcalc.cli.numbers import View, float_text, shown
from rlcalc.errors import visible
from rlcalc.evaluation import Evaluation, Result

CELL_DIGITS = 6
_NARROW = 12  # characters of an exact value that is read at a glance
_GAP = 2

Cells = list[list[str]]


def is_table(result: Result) -> bool:
    """Whether an output is a matrix with something in it."""
    rows = rows_of(result)
    return isinstance(rows, list) and bool(rows) and all(isinstance(row, list) and row for row in rows)


def rows_of(result: Result) -> Any:
    for found in (result.exact, result.numpy, result.torch):
        if found is not None:
            return found
    return None


def table(found: Evaluation, result: Result, view: View) -> tuple[Any, str] | None:
    """A table of Rich and what to say of its numbers; ``None`` where no form of it is narrow enough."""
    rows = rows_of(result)
    if len({len(row) for row in rows}) > 1:
        return None
    row_names = _labels(found, result.output.shape[0], len(rows))
    column_names = _labels(found, result.output.shape[-1], len(rows[0]))
    for cells, remark in _forms(rows, found.dtype, view):
        widths = [max(map(len, column)) for column in zip(column_names, *cells, strict=True)]
        if sum(widths) + max(map(len, row_names)) + _GAP * (len(widths) + 1) <= view.width:
            return _table(row_names, column_names, cells), remark
    return None


def _labels(found: Evaluation, dimension: str, count: int) -> list[str]:
    """Names of the states, actions or steps along a dimension; numbers where they have none."""
    mdp = found.inputs.given.get("mdp")
    columns = found.results.get("columns")
    names: Sequence[Any] = ()
    if mdp is not None:
        names = {"S": mdp.states, "A": mdp.actions}.get(dimension, ())
    elif dimension == "S" and columns is not None:
        names = columns.exact or columns.numpy or ()
    return [visible(str(name)) for name in names] if len(names) == count else [str(k) for k in range(count)]


def _forms(rows: Any, dtype: str, view: View) -> list[tuple[Cells, str]]:
    """Ways to fill the cells, the fullest first."""
    if isinstance(rows[0][0], float):
        return [([[float_text(value, dtype, view.digits) for value in row] for row in rows], "")]
    narrow = View(digits=view.digits or CELL_DIGITS, decimal=view.decimal)
    cells = [[shown(value, narrow) for value in row] for row in rows]
    forms = [([[str(cell) for cell in row] for row in cells], "")]
    if max(len(cell.exact) for row in cells for cell in row) <= _NARROW:
        forms.append(([[cell.exact for cell in row] for row in cells], ""))
    near = [[cell.near for cell in row] for row in cells]
    return [*forms, (near, f"to {narrow.digits} digits; exact with --json")]


def _table(row_names: list[str], column_names: list[str], cells: Cells) -> Any:
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    made.add_column("", no_wrap=True)
    for name in column_names:
        made.add_column(Text(name), no_wrap=True)
    for name, row in zip(row_names, cells, strict=True):
        made.add_row(Text(f"  {name}"), *(Text(cell) for cell in row))
    return made
