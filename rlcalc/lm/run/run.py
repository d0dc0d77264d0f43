"""One run through the four stages: checked, evaluated, logged, and never lost.

Interruption is decided between updates, so that what is saved is a state that
an uninterrupted run passes through; a resumed run on a CPU is then
bit-identical to one that was never stopped.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Any

import torch

from rlcalc.errors import InputError
from rlcalc.lm.check.checks import Checks
from rlcalc.lm.records import Metrics
from rlcalc.lm.settings import Settings
from rlcalc.lm.train import Trainer
from rlcalc.training import checkpoint
from rlcalc.training import run as shared
from rlcalc.training.checkpoint import Format, are_finite_pairs
from rlcalc.training.log import finite
from rlcalc.training.ranks import Ranks
from rlcalc.training.run import Options, Progress, Show, conduct

__all__ = ["FORMAT", "Options", "Progress", "Result", "run"]


@dataclass
class Result(shared.Result):
    """What a run came to.

    Attributes:
        stages: accuracy at the end of each stage that has ended, by its name.
        rewards: (update, mean reward of its answers), from stage 3 on.
        accuracies: (update, share of all problems whose likeliest answer is right).
        cpu_seconds: of this process, which is what a run costs on a machine that others share.
    """

    settings: Settings
    stages: dict[str, float] = field(default_factory=dict)
    rewards: list[tuple[int, float]] = field(default_factory=list)
    accuracies: list[tuple[int, float]] = field(default_factory=list)
    cpu_seconds: float = 0.0

    @property
    def before(self) -> float | None:
        """Accuracy before the first update by reward."""
        return next((self.stages[name] for name in _BEFORE if name in self.stages), None)

    @property
    def accuracy(self) -> float | None:
        """Accuracy when it was last looked at."""
        return self.accuracies[-1][1] if self.accuracies else None

    @property
    def by_reward(self) -> int:
        """Updates by reward that were done, those before a resumption with them."""
        return max(0, self.iterations - self.settings.before_reward)

    def as_json(self) -> dict[str, Any]:
        return {
            "algorithm": self.settings.algorithm,
            "device": self.device,
            "seed": self.settings.seed,
            "updates": self.iterations,
            "seconds": round(self.seconds, 3),
            "cpu_seconds": round(self.cpu_seconds, 3),
            "accuracy_before": self.before,
            "accuracy": self.accuracy,
            "stages": self.stages,
            "reward": finite(self.rewards[-1][1]) if self.rewards else None,
            "checks": self.checks,
        }


_BEFORE = ("preference", "fine-tuning", "pre-training")


def _are_stages(value: Any) -> str:
    known = {name for name, _ in Settings().stages}
    right = all(name in known and type(x) is float for name, x in value.items())
    return "" if right else "expected the accuracy at the end of stages."


@dataclass(frozen=True)
class Saved(checkpoint.Saved):
    """What a checkpoint holds; the rest as in `Result`."""

    rewards: tuple[Any, ...] = field(metadata={"check": are_finite_pairs})
    accuracies: tuple[Any, ...] = field(metadata={"check": are_finite_pairs})
    stages: dict[str, Any] = field(metadata={"check": _are_stages})


FORMAT = Format(b"rlcalc-lm", "lm-run", Saved, Settings)


def run(settings: Settings, options: Options, show: Show = lambda progress: None) -> Result:
    """Train through all stages until their updates are done or a signal stops it; as `conduct`."""
    result: Result = conduct(_Run, settings, options, show)
    return result


class _Run(shared.Run):
    """What a run holds while it lasts."""

    steps_key = "iteration"
    format = FORMAT
    result: Result
    trainer: Trainer

    def __init__(self, settings: Settings, options: Options, device: torch.device, ranks: Ranks) -> None:
        if settings.texts % ranks.size or (settings.prompts // ranks.size) % settings.minibatches:
            raise InputError(
                "texts_uneven",
                f"{settings.texts} texts or {settings.minibatches} minibatches of {settings.prompts} prompts "
                f"do not divide evenly among {ranks.size} ranks.",
            )
        checks = Checks(settings.seed) if options.checks else None
        super().__init__(options, ranks, Result(settings, str(device)), checks)
        self.trainer = Trainer(settings, device, None, checks, ranks)

    @classmethod
    def shared(cls, settings: Settings) -> tuple[int, str]:
        return settings.prompts, "prompts"

    @property
    def done(self) -> int:
        return self.trainer.iterations

    @property
    def name(self) -> str:
        return f"lm-run-{self.settings.algorithm}-{self.settings.seed}"

    def go(self, resumed: bool, show: Show) -> None:
        began = time.process_time()
        super().go(resumed, show)
        self.result.cpu_seconds = time.process_time() - began

    def advance(self) -> Metrics:
        stage, at, length = self.trainer.stage()
        metrics = self.trainer.iterate()
        self.result.stages.pop(stage, None)  # of a run with fewer steps, which this one goes on from
        if at == length - 1 and metrics.accuracy is not None:
            self.result.stages[stage] = metrics.accuracy
        return metrics

    def noted(self, metrics: Metrics) -> None:
        result = self.result
        if metrics.reward is not None and math.isfinite(metrics.reward):
            result.rewards.append((metrics.iteration, metrics.reward))
        if metrics.accuracy is not None and self.trainer.looked_at == metrics.iteration:
            result.accuracies.append((metrics.iteration, metrics.accuracy))

    def kept(self) -> dict[str, Any]:
        return {
            "rewards": [list(pair) for pair in self.result.rewards],
            "accuracies": [list(pair) for pair in self.result.accuracies],
            "stages": dict(self.result.stages),
        }

    def restored(self, saved: Saved) -> None:
        self.result.rewards = [(at, value) for at, value in saved.rewards]
        self.result.accuracies = [(at, value) for at, value in saved.accuracies]
        self.result.stages = dict(saved.stages)
