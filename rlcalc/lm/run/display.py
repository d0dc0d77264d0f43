"""What people see of a run of a language model: numbers while it goes on, and a picture at the end.

No Torch here: everything is numbers by now.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rlcalc.plotting import BLUE, GREY, VERMILION, new_figure, save
from rlcalc.training.display import pace

if TYPE_CHECKING:
    from rlcalc.lm.run.run import Result
    from rlcalc.lm.settings import Settings
    from rlcalc.training.run import Progress

_SHOWN = (
    ("accuracy", "accuracy", ".1%"),
    ("reward", "reward", ".3f"),
    ("loss", "loss", ".4f"),
    ("critic_loss", "critic loss", ".4f"),
    ("kl", "KL to reference", ".4f"),
    ("length", "length", ".2f"),
    ("entropy", "entropy", ".3f"),
    ("clip_fraction", "clip fraction", ".3f"),
    ("form", "well formed", ".1%"),
)


def quantities(progress: Progress, settings: Settings) -> list[tuple[str, str]]:
    """Label and text of everything that is shown while a run goes on."""
    now = progress.metrics
    found = [("stage", now.stage), ("updates", f"{now.iteration:,} of {settings.planned:,}")]
    for name, label, form in _SHOWN:
        value = getattr(now, name)
        if value is not None:
            found.append((label, format(value, form)))
    return found + pace(progress, "updates")


def picture(path: Path, result: Result) -> None:
    """Draw reward and accuracy over the updates to a file; the ending says the format.

    Raises:
        InputError: as `save`.
    """
    figure, (axes,) = new_figure()
    for points, style, colour, label in (
        (result.rewards, "-", BLUE, "mean reward of sampled answers"),
        (result.accuracies, "o", VERMILION, "likeliest answer right"),
    ):
        axes.plot(
            [at for at, _ in points], [value for _, value in points],
            style, markersize=3, linewidth=1.2, color=colour, label=label,
        )  # fmt: skip
    at = 0
    for name, length in result.settings.stages:
        if length and at < result.iterations:
            axes.axvline(at, color=GREY, linestyle=":", linewidth=0.8)
            # a stage too short for its name has it before its line
            side = "right" if length < result.iterations / 20 else "left"
            axes.text(at, 0.98, f" {name} ", color=GREY, fontsize=8, rotation=90, ha=side, va="top")
        at += length
    axes.set_xlabel("updates")
    axes.set_ylabel("share right")
    axes.set_ylim(0, 1)
    s = result.settings
    axes.set_title(f"{s.algorithm.upper()}, sums up to {s.largest}, seed {s.seed}, {result.device}")
    save(figure, path)
