"""What people see of a run: a live panel or plain lines, and a learning curve.

No Torch here: everything is numbers by now.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from rlcalc.training.run import Progress

BLOCKS = " ▁▂▃▄▅▆▇█"
DOT, GOAL = "●", "┄"
WIDEST = 60
SECONDS_PER_LINE = 2.0
Points = Sequence[tuple[int, float]]
Quantities = Callable[["Progress"], list[tuple[str, str]]]


def pace(progress: Progress, what: str) -> list[tuple[str, str]]:
    """How fast a run goes and how long it takes at most, and its checks."""
    rate = progress.trained / max(progress.seconds, 1e-9)
    found = [
        (f"{what}/s", f"{rate:,.0f}" if rate >= 10 else f"{rate:.2f}"),
        ("ETA", f"<= {_duration(max(0, progress.remaining) / max(rate, 1e-9))}"),
    ]
    if progress.checks:
        passed = sum(check["passed"] for check in progress.checks)
        found.append(("checks", f"{passed}/{len(progress.checks)} passed"))
    return found


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole // 60 % 60:02d} min"


class Lines:
    """A line every two seconds, for a pipe or a file.

    Args:
        quantities: label and text of everything that is shown.
        value: the number that the curve of a panel is drawn of, if there is one.
    """

    def __init__(
        self, stream: IO[str], quantities: Quantities, value: Callable[[Progress], float | None]
    ) -> None:
        self.stream, self.quantities, self.value = stream, quantities, value
        self.next_at = 0.0

    def __call__(self, progress: Progress) -> None:
        if progress.seconds < self.next_at:
            return
        self.next_at = progress.seconds + SECONDS_PER_LINE
        self.stream.write("  ".join(f"{label} {text}" for label, text in self.quantities(progress)) + "\n")
        self.stream.flush()

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None: ...


class Live(Lines):
    """One panel that is redrawn, for a terminal."""

    def __init__(
        self, stream: IO[str], quantities: Quantities, value: Callable[[Progress], float | None]
    ) -> None:
        super().__init__(stream, quantities, value)
        from rich.console import Console
        from rich.live import Live as Panel

        self.recent: list[float] = []
        self.panel = Panel(console=Console(file=stream), transient=True, auto_refresh=False)
        self.drawn = -1.0

    def __call__(self, progress: Progress) -> None:
        value = self.value(progress)
        if value is not None:
            self.recent.append(value)
        if time.monotonic() - self.drawn < 0.1:
            return
        self.drawn = time.monotonic()
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        for label, text in self.quantities(progress):
            table.add_row(Text(label, "dim"), Text(text))
        table.add_row(Text("curve", "dim"), Text(sparkline(self.recent, 40)))
        self.panel.update(table, refresh=True)

    def __enter__(self) -> Live:
        self.panel.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.panel.stop()


def averaged(values: Sequence[float], width: int) -> list[float]:
    """At most ``width`` means of consecutive values."""
    if len(values) <= width:
        return list(values)
    edges = [round(i * len(values) / width) for i in range(width + 1)]
    return [sum(values[a:b]) / (b - a) for a, b in pairwise(edges)]


def sparkline(values: Sequence[float], width: int) -> str:
    """Finite values as one line of blocks, from the least to the largest."""
    points = averaged([value for value in values if math.isfinite(value)], width)
    if not points:
        return ""
    low, high = min(points), max(points)
    span = (high - low) or 1.0
    return "".join(BLOCKS[1 + round((value - low) / span * 7)] for value in points)


def curve(
    history: Points,
    goal: float | None,
    evaluations: Points = (),
    width: int = WIDEST,
    unit: str = "steps",
    words: tuple[str, str] = ("training", "evaluation"),
) -> str:
    """The learning curve in block characters, over steps; empty without a finished episode.

    Args:
        history: steps and mean return of the episodes of training, the blocks.
        evaluations: steps and mean return, the dots.
        goal: a line where there is nothing else, with its label.
        width: columns, labels included.
        unit: what is counted along the curve.
        words: what blocks and dots stand for.
    """
    history = [point for point in history if math.isfinite(point[1])]
    dots = [point for point in evaluations if math.isfinite(point[1])]
    if not history:
        return ""
    values = [value for _, value in (*history, *dots)]
    low, high = min(0.0, *values), max([*values, *([] if goal is None else [goal])])
    span, height = (high - low) or 1.0, 8
    labels = {height - 1: f"{high:.4g}", 0: f"{low:.4g}"}

    def row_of(value: float) -> int:
        return min(height - 1, int((value - low) / span * height))

    if goal is not None:
        labels[row_of(goal)] = f"{goal:.4g}"
    margin = max(map(len, labels.values()))
    columns = max(1, width - margin - 2)
    last = max(steps for steps, _ in (*history, *dots))

    def column_of(steps: int) -> int:
        return min(columns - 1, steps * columns // (last + 1))

    blank = GOAL if goal is not None else " "
    bars = [max(1, round((value - low) / span * height * 8)) for value in _stretched(history, columns, last)]
    marks = {(row_of(value), column_of(steps)) for steps, value in dots}
    lines = []
    for row in reversed(range(height)):
        cells = [BLOCKS[min(8, max(0, bar - row * 8))] for bar in bars]
        if goal is not None and row == row_of(goal):
            cells = [blank if cell == " " else cell for cell in cells]
        drawn = "".join(DOT if (row, at) in marks else cell for at, cell in enumerate(cells))
        lines.append(f"{labels.get(row, ''):>{margin}} │{drawn}")
    lines.append(f"{'':>{margin}} └{'─' * columns}")
    lines.append(f"{'':>{margin}}  0{f'{last:,} {unit}':>{columns - 1}}")
    what = [f"█ {words[0]}"] + [f"{DOT} {words[1]}"] * bool(dots) + [f"{GOAL} goal"] * (goal is not None)
    lines.append(f"{'':>{margin}}  {'  '.join(what)}")
    return "\n".join(line.rstrip() for line in lines)


def _stretched(history: Points, columns: int, last: int) -> list[float]:
    """The mean return of the iterations that fall into each column, or that of the next one."""
    found: list[float] = []
    at = 0
    for column in range(columns):
        end, inside = (column + 1) * last / columns, []
        while at < len(history) - 1 and history[at][0] < end:
            inside.append(history[at][1])
            at += 1
        found.append(sum(inside) / len(inside) if inside else history[at][1])
    return found
