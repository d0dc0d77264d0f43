"""A failing case as a table: one row an entry, the right answer beside the given one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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

    def lines(self, most: int, mark: str = MARK) -> list[str]:
        """Aligned text, of at most so many lines: the heading, and the rows around the first wrong one."""
        count = max(map(len, self.columns.values()))
        shown = _around(min(self.wrong, default=0), count, max(most - 1, 1))
        cells = [list(self.columns), *([_cell(c, row) for c in self.columns.values()] for row in shown)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        found = ["  ".join(map(str.rjust, row, widths)) for row in cells]
        for place, row in enumerate(shown, start=1):
            found[place] += f"  {mark}" if row in self.wrong else ""
        return [line.rstrip() for line in found]


def _around(first: int, count: int, most: int) -> range:
    start = max(0, min(first - (most - 1) // 2, count - most))
    return range(start, min(count, start + most))


def _cell(column: Sequence[str], row: int) -> str:
    return column[row] if row < len(column) else ""


def case_table(example: Counterexample) -> CaseTable | None:
    """The table of a failing case; ``None`` where its right answer is no list."""
    answers = {"right": example.right, YOURS: example.given}
    flat = {k: v for k, v in answers.items() if _is_flat(v)}
    return table_of(example.inputs, flat, example.wrong, "right", example.counted)


def table_of(
    inputs: Mapping[str, Any], answers: Mapping[str, Any], wrong: Iterable[int], first: str, counted: str
) -> CaseTable | None:
    """A table of inputs and answers; ``None`` where the first answer is one number or a matrix.

    Args:
        inputs: exact, by parameter.
        answers: lists of one length, by heading.
        wrong: rows to mark.
        first: heading of the answer that says how many rows there are.
        counted: what the rows are, a dimension of the specification: ``T`` for steps, ``A`` for actions.
    """
    if first not in answers or not _is_flat(answers[first]):
        return None
    length = len(answers[first])
    per_row = {
        name: values
        for name, values in inputs.items()
        if _is_flat(values) and len(values) in (length, length + 1)
    }
    if len(per_row) + len(answers) + 1 > MOST_COLUMNS:
        return None
    columns = {name: [_short(value) for value in values] for name, values in {**per_row, **answers}.items()}
    rows = max(map(len, columns.values()))
    rest = {name: value for name, value in inputs.items() if name not in per_row}
    # an input may have the dimension's letter for a name
    number = counted.lower() if counted.lower() not in columns else "row"
    return CaseTable(rest, {number: [str(row) for row in range(rows)], **columns}, frozenset(wrong))


def _is_flat(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and not any(isinstance(v, list | dict) for v in value)


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.10g}"
    return brief(value, CELL)
