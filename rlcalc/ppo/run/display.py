"""What people see of a run: a live panel or plain lines, a learning curve, a picture.

No Torch here: everything is numbers by now.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from rlcalc.errors import InputError, shown

if TYPE_CHECKING:
    from rlcalc.ppo.records import Metrics
    from rlcalc.ppo.run.run import Result
    from rlcalc.ppo.settings import Settings

BLOCKS = " ▁▂▃▄▅▆▇█"
SECONDS_PER_LINE = 2.0


def quantities(metrics: Metrics, seconds: float, settings: Settings, first: int) -> list[tuple[str, str]]:
    """Label and text of everything that is shown while a run goes on."""
    rate = (metrics.env_steps - first) / max(seconds, 1e-9)
    left = max(0, settings.steps - metrics.env_steps) / max(rate, 1e-9)
    value = "none ended" if metrics.episode_return is None else f"{metrics.episode_return:.1f}"
    return [
        ("steps", f"{metrics.env_steps:,} of {settings.steps:,}"),
        ("return", value),
        ("loss", f"{metrics.loss:.4f}"),
        ("clip", f"{metrics.clip_objective:.4f}"),
        ("critic", f"{metrics.critic_loss:.4g}"),
        ("entropy", f"{metrics.entropy:.3f}"),
        ("KL", f"{metrics.kl:.4f}"),
        ("steps/s", f"{rate:,.0f}"),
        ("left", f"at most {_duration(left)}"),
    ]


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return (
        f"{whole // 60} min {whole % 60:02d} s"
        if whole < 3600
        else f"{whole // 3600} h {whole // 60 % 60:02d} min"
    )


class Lines:
    """A line every two seconds, for a pipe or a file."""

    def __init__(self, stream: IO[str], settings: Settings) -> None:
        self.stream, self.settings = stream, settings
        self.first: int | None = None
        self.next_at = 0.0

    def __call__(self, metrics: Metrics, seconds: float) -> None:
        if self.first is None:
            self.first = metrics.env_steps if metrics.env_steps > self.settings.batch else 0
        if seconds < self.next_at:
            return
        self.next_at = seconds + SECONDS_PER_LINE
        parts = quantities(metrics, seconds, self.settings, self.first)
        self.stream.write("  ".join(f"{label} {text}" for label, text in parts) + "\n")
        self.stream.flush()

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None: ...


class Live(Lines):
    """One panel that is drawn anew, for a terminal."""

    def __init__(self, stream: IO[str], settings: Settings) -> None:
        super().__init__(stream, settings)
        from rich.console import Console
        from rich.live import Live as Panel

        self.recent: list[float] = []
        self.panel = Panel(console=Console(file=stream), transient=True, auto_refresh=False)
        self.drawn = -1.0

    def __call__(self, metrics: Metrics, seconds: float) -> None:
        if self.first is None:
            self.first = metrics.env_steps if metrics.env_steps > self.settings.batch else 0
        if metrics.episode_return is not None:
            self.recent.append(metrics.episode_return)
        if time.monotonic() - self.drawn < 0.1:
            return
        self.drawn = time.monotonic()
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        for label, text in quantities(metrics, seconds, self.settings, self.first):
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
    """Values as one line of blocks, from the least to the largest."""
    points = averaged(values, width)
    if not points:
        return ""
    low, high = min(points), max(points)
    span = (high - low) or 1.0
    return "".join(BLOCKS[1 + round((value - low) / span * 7)] for value in points)


def curve(history: Sequence[tuple[int, float]], goal: float | None, width: int = 60, height: int = 8) -> str:
    """The learning curve in block characters, with its axes; empty without a finished episode."""
    if not history:
        return ""
    points = averaged([value for _, value in history], width)
    low = min(0.0, *points)
    high = max([*points, *([] if goal is None else [goal])])
    span = (high - low) or 1.0
    eighths = [max(1, round((value - low) / span * height * 8)) for value in points]
    margin = max(len(f"{high:.4g}"), len(f"{low:.4g}"))
    lines = []
    for row in reversed(range(height)):
        bar = "".join(BLOCKS[min(8, max(0, cell - row * 8))] for cell in eighths)
        label = f"{high:.4g}" if row == height - 1 else f"{low:.4g}" if row == 0 else ""
        lines.append(f"{label:>{margin}} │{bar}")
    last = f"{history[-1][0]:,} steps"
    lines.append(f"{'':>{margin}} └{'─' * len(points)}")
    lines.append(f"{'':>{margin}}  0{last:>{max(len(points) - 1, len(last) + 1)}}")
    return "\n".join(line.rstrip() for line in lines)


def picture(path: Path, result: Result) -> None:
    """Draw the learning curve to a file; the ending says the format.

    Raises:
        InputError: ``plot_needs_matplotlib``, ``plot_unwritable``.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError(
            "plot_needs_matplotlib", "--plot draws with matplotlib, which is not installed.",
            "Install rlcalc[plot].",
        ) from None  # fmt: skip
    figure: Any = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    steps = [step for step, _ in result.history]
    values = [value for _, value in result.history]
    axes.plot(steps, values, marker=".", markersize=4, linewidth=1.2, label="episodes of training")
    goal, evaluations = result.goal, result.evaluations
    if evaluations:
        axes.plot(
            [step for step, _ in evaluations], [value for _, value in evaluations],
            "o", markersize=5, label=f"evaluation, {result.settings.evaluation_episodes} episodes",
        )  # fmt: skip
    if goal is not None:
        axes.axhline(goal, color="gray", linestyle="--", linewidth=0.8, label=f"solved: {goal:g}")
    axes.set_xlabel("environment steps")
    axes.set_ylabel("mean return")
    axes.set_title(f"PPO on {result.settings.env}, seed {result.settings.seed}, {result.device}")
    axes.set_ylim(bottom=min(0.0, *values) if values else 0.0)
    axes.legend(loc="best", frameon=False)
    try:
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise InputError("plot_unwritable", f"No picture can be written to {shown(path)}: {error}") from error
