"""A failing case as a table: one row an entry, the right answer beside the given one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rlcalc.conform.report.counterexample import Counterexample
from rlcalc.golden.replay import brief

MOST_COLUMNS = 8
CELL = 14  # characters, beyond which an exact number is cut
YOURS = "yours"
MARK = "<- wrong"


@dataclass(frozen=True)
class CaseTable:
    """Cells of a case, and what has no place in a row.

    Attributes:
        rest: inputs that are one value, or have another shape.
        columns: by heading, one text a row; an input with one entry more has a row of its own at the end.
        wrong: numbers of the rows whose answer is wrong.
    """

    rest: Mapping[str, Any]
    columns: Mapping[str, Sequence[str]]
    wrong: frozenset[int]

    def lines(self, most: int) -> list[str]:
        """Aligned text, of at most so many lines: the heading, and the rows around the first wrong one."""
        count = max(map(len, self.columns.values()))
        shown = _around(min(self.wrong, default=0), count, max(most - 1, 1))
        cells = [list(self.columns), *([_cell(c, row) for c in self.columns.values()] for row in shown)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        found = ["  ".join(map(str.rjust, row, widths)) for row in cells]
        for place, row in enumerate(shown, start=1):
            found[place] += f"  {MARK}" if row in self.wrong else ""
        return [line.rstrip() for line in found]


def _around(first: int, count: int, most: int) -> range:
    start = max(0, min(first - (most - 1) // 2, count - most))
    return range(start, min(count, start + most))


def _cell(column: Sequence[str], row: int) -> str:
    return column[row] if row < len(column) else ""


def case_table(example: Counterexample) -> CaseTable | None:
    """The table of a case whose answer is a list; ``None`` for one number, a matrix, or no answer."""
    right, got = example.right, example.given
    if not _is_flat(right):
        return None
    length = len(right)
    inputs = example.inputs
    per_row = {
        name: [_short(value) for value in values]
        for name, values in inputs.items()
        if _is_flat(values) and len(values) in (length, length + 1)
    }
    if len(per_row) + 3 > MOST_COLUMNS:
        return None
    rows = max(map(len, per_row.values()), default=length)
    columns = {"t": [str(row) for row in range(rows)], **per_row, "right": [_short(value) for value in right]}
    if _is_flat(got):
        columns[YOURS] = [_short(value) for value in got]
    rest = {name: value for name, value in inputs.items() if name not in per_row}
    return CaseTable(rest, columns, frozenset(example.wrong))


def _is_flat(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and not any(isinstance(v, list | dict) for v in value)


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.10g}"
    return brief(value, CELL)
