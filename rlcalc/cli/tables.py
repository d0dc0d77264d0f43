"""Outputs with rows and columns: a matrix, or several outputs that belong to the same rows.

A specification says which outputs stand in one table (``table = "states"``): each vector is a column, each
matrix one column per entry of its last dimension, and the rows are their first dimension. What rows and
columns are called comes from ``Evaluation.names``: states, actions, or the steps of an experience.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rlcalc.agreement import Result
from rlcalc.cli.numbers import View, float_text, shown
from rlcalc.errors import visible
from rlcalc.evaluation import Evaluation
from rlcalc.exact import rational, to_unicode
from rlcalc.steps.printers import cells as width

CELL_DIGITS = 6
MOST_ROWS = 40  # at a terminal
_FIRST_ROWS, _LAST_ROWS = 30, 5
_NARROW = 12  # characters of an exact value that is read at a glance
_GAP = 2
MOST_CELLS = 20_000  # of a table; more are rows of numbers
NOTHING = "–"  # in the place of a value that does not exist, such as that of an action a state does not have

Texts = list[list[str]]  # by column


@dataclass(frozen=True)
class Column:
    """A heading and the values below it: exact, floats or words; ``None`` where there is none.

    A column that leads stays exact for longer than the others where space is short.
    """

    title: str
    values: Sequence[Any]
    leads: bool = False


@dataclass(frozen=True)
class Printable:
    """Tables that stand below each other, as lines, and what is to be said of the numbers in them."""

    parts: list[list[str]]
    remark: str


def is_table(result: Result) -> bool:
    """Whether an output is a matrix with something in it."""
    rows = rows_of(result)
    return isinstance(rows, list) and bool(rows) and all(isinstance(row, list) and row for row in rows)


def rows_of(result: Result) -> Any:
    for found in (result.exact, result.numpy, result.torch):
        if found is not None:
            return found
    return None


def matrix(found: Evaluation, result: Result, view: View) -> Printable | None:
    """One output as a table; ``None`` where its rows differ in length, or there are too many entries."""
    columns = _columns(found, result, plain=True)
    if not columns or len(columns) * len(columns[0].values) > MOST_CELLS:
        return None
    return arranged(_names(found, result, 0, rows_of(result)), columns, found.dtype, view)


def joined(found: Evaluation, results: Sequence[Result], view: View) -> Printable | None:
    """Several outputs as the columns of one table; ``None`` where they do not have the same rows."""
    columns: list[Column] = []
    for result in results:
        made = _columns(found, result)
        if made is None or (columns and len(made[0].values) != len(columns[0].values)):
            return None
        columns += made
    names = _names(found, results[0], 0, rows_of(results[0]))
    return arranged(names, columns, found.dtype, view, results[0].output.shape[0])


def _columns(found: Evaluation, result: Result, plain: bool = False) -> list[Column] | None:
    """The columns of one output: ``plain`` headings are names alone, for a table of its own."""
    rows = rows_of(result)
    if not isinstance(rows, list) or not rows:
        return None
    if not is_table(result):
        return [Column(result.output.symbol, rows, leads=True)]
    if len({len(row) for row in rows}) > 1:
        return None
    names = _names(found, result, -1, rows[0])
    symbol = result.output.symbol
    titles = names if plain else [f"{symbol}({name})" for name in names]
    return [Column(title, values) for title, values in zip(titles, zip(*rows, strict=True), strict=True)]


def _names(found: Evaluation, result: Result, axis: int, entries: Sequence[Any]) -> list[str]:
    """Names along one dimension of an output; numbers where it has none."""
    names = found.names.get(result.output.shape[axis], ())
    return list(names) if len(names) == len(entries) else [str(k) for k in range(len(entries))]


# what fits


def arranged(
    row_names: Sequence[str], columns: Sequence[Column], dtype: str, view: View, corner: str = ""
) -> Printable:
    """The fullest form of all values that fits the page; where none does, columns go below each other.

    Args:
        row_names: one per row.
        columns: each with one value per row.
        dtype: of the floats among them.
        view: how much of a number to show, and the width of the page.
        corner: heading of the row names.
    """
    names = [visible(name) for name in row_names]
    titles = [visible(column.title) for column in columns]
    # where none fits beside each other, short fractions below each other say more than decimals
    made = [
        (_blocks(names, titles, form, view.width), form, remark)
        for form, remark in _forms(columns, dtype, view)
    ]
    blocks, cells, remark = next(
        (one for one in made if len(one[0]) == 1), next((one for one in made[1:] if not one[2]), made[-1])
    )
    kept = _kept(len(names), view)
    parts = [
        _table(names, [titles[k] for k in block], [cells[k] for k in block], kept, corner) for block in blocks
    ]
    return Printable(parts, remark)


def _forms(columns: Sequence[Column], dtype: str, view: View) -> Iterator[tuple[Texts, str]]:
    """Ways to fill the cells, the fullest first."""
    narrow = replace(view, digits=view.digits or CELL_DIGITS)
    # where none fits beside each other, short fractions below each other say more than decimals
    made = [[_cell(value, dtype, narrow) for value in column.values] for column in columns]
    full, exact, near = ([[cell[k] for cell in column] for column in made] for k in range(3))

    def short(some: Texts) -> bool:
        return max((len(text) for column in some for text in column), default=0) <= _NARROW

    yield full, ""
    if short(exact):
        yield exact, ""
    remark = f"to {narrow.digits} digits; exact with --json"
    leads = [k for k, column in enumerate(columns) if column.leads]
    for form in (full, exact) if short([exact[k] for k in leads]) else (full,):
        mixed = [form[k] if k in leads else near[k] for k in range(len(columns))]
        yield mixed, "" if mixed == form else remark
    yield near, remark


def _cell(value: Any, dtype: str, view: View) -> tuple[str, str, str]:
    """A value in full, exact, and as a decimal."""
    if value is None or (not isinstance(value, str) and value == float("-inf")):
        return NOTHING, NOTHING, NOTHING
    if isinstance(value, str):
        text = visible(value)
        return text, text, text
    if isinstance(value, float):
        text = float_text(value, dtype, view.digits if view.digits != CELL_DIGITS else None)
        return text, text, float_text(value, dtype, view.digits)
    plain = rational(value)
    if plain is not None and plain.denominator == 1 and abs(plain) < 10**CELL_DIGITS and not view.decimal:
        text = to_unicode(plain)  # integers need no decimal beside them
        return text, text, text
    one = shown(value, view)
    return str(one), one.exact, one.near


def _blocks(names: list[str], titles: list[str], cells: Texts, width: int) -> list[list[int]]:
    """The columns in groups that fit the page, each beside the names of the rows."""
    first = max(map(len, names), default=0) + 2 * _GAP
    found: list[list[int]] = [[]]
    used = first
    for k, (title, column) in enumerate(zip(titles, cells, strict=True)):
        wide = max([len(title), *map(len, column)])
        if found[-1] and used + wide > width:
            found.append([])
            used = first
        found[-1].append(k)
        used += wide + _GAP
    return found


def _kept(count: int, view: View) -> list[int | None]:
    """Rows to print; ``None`` for those in the middle that a terminal leaves out."""
    if view.whole or count <= MOST_ROWS:
        return list(range(count))
    return [*range(_FIRST_ROWS), None, *range(count - _LAST_ROWS, count)]


def _table(
    names: Sequence[str], titles: Sequence[str], cells: Texts, kept: Sequence[int | None], corner: str
) -> list[str]:
    """The lines of a table, its heading first.

    Rich, with which the tables of fixed columns are printed, takes seconds for thousands of rows.
    """
    rows = [row for row in kept if row is not None]
    columns = [[f"  {corner}", *(f"  {names[row]}" for row in rows)]]
    columns += [[title, *(column[row] for row in rows)] for title, column in zip(titles, cells, strict=True)]
    widths = [max(map(width, column)) for column in columns]
    lines = []
    for row in zip(*columns, strict=True):
        padded = (cell + " " * (wide - width(cell)) for cell, wide in zip(row, widths, strict=True))
        lines.append((" " * _GAP).join(padded).rstrip())
    if None in kept:
        lines.insert(1 + kept.index(None), f"  … {len(names) - len(rows)} more; --all prints them")
    return lines
