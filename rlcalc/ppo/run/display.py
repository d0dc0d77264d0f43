"""What people see of a PPO run: numbers while it goes on, and a picture at the end.

No Torch here: everything is numbers by now.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rlcalc.plotting import BLUE, GREY, VERMILION, new_figure, save
from rlcalc.training.display import pace

if TYPE_CHECKING:
    from rlcalc.ppo.run.run import Result
    from rlcalc.ppo.settings import Settings
    from rlcalc.training.run import Progress


def quantities(progress: Progress, settings: Settings) -> list[tuple[str, str]]:
    """Label and text of everything that is shown while a run goes on."""
    now = progress.metrics
    value = "none ended" if now.episode_return is None else f"{now.episode_return:.1f}"
    found = [
        ("steps", f"{now.env_steps:,} of {settings.planned:,}"),
        ("return", value),
        ("loss", f"{now.loss:.4f}"),
        ("objective", f"{now.clip_objective:.4f}"),
        ("critic loss", f"{now.critic_loss:.4g}"),
        ("entropy", f"{now.entropy:.3f}"),
        ("approx KL", f"{now.kl:.4f}"),
        ("clip fraction", f"{now.clip_fraction:.3f}"),
        ("explained variance", f"{now.explained_variance:.3f}"),
    ]
    return found + pace(progress, "steps")


def picture(path: Path, result: Result) -> None:
    """Draw the learning curve to a file; the ending says the format.

    Raises:
        InputError: as `save`.
    """
    figure, (axes,) = new_figure()
    steps, values = [step for step, _ in result.history], [value for _, value in result.history]
    axes.plot(
        steps, values, marker=".", markersize=4, linewidth=1.2, color=BLUE, label="episodes of training"
    )
    if result.evaluations:
        axes.plot(
            [step for step, _ in result.evaluations], [value for _, value in result.evaluations],
            "o", color=VERMILION, label=f"evaluation, {result.settings.evaluation_episodes} episodes",
        )  # fmt: skip
    if result.goal is not None:
        axes.axhline(result.goal, color=GREY, linestyle="--", linewidth=0.8, label=f"goal: {result.goal:g}")
    axes.set_xlabel("environment steps")
    axes.set_ylabel("mean return")
    axes.set_title(f"PPO on {result.settings.env}, seed {result.settings.seed}, {result.device}")
    axes.set_ylim(bottom=min(0.0, *values) if values else 0.0)
    save(figure, path)
