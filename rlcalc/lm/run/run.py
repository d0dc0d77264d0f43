"""One run through the four stages: checked, evaluated, logged, and never lost.

Interruption is decided between updates, so that what is saved is a state that
an uninterrupted run passes through; a resumed run on a CPU is then
bit-identical to one that was never stopped.
"""

from __future__ import annotations

import contextlib
import math
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from rlcalc.errors import DataError, InputError, RlcalcError, shown
from rlcalc.lm.check.checks import Checks
from rlcalc.lm.records import Metrics
from rlcalc.lm.settings import Settings, from_mapping
from rlcalc.lm.train import Trainer
from rlcalc.records import Place, read_record
from rlcalc.training import run as shared
from rlcalc.training.checkpoint import NAME, Format
from rlcalc.training.log import finite
from rlcalc.training.ranks import Ranks, group
from rlcalc.training.run import Options, Progress, Show, claim, device_of, one_thread

__all__ = ["FORMAT", "Options", "Progress", "Result", "read", "run"]

FORMAT = Format(b"rlcalc-lm", "lm-run")


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


def _are_pairs(value: Any) -> str:
    right = all(
        isinstance(pair, list | tuple)
        and [type(x) for x in pair] == [int, float]
        and pair[0] >= 0
        and math.isfinite(pair[1])
        for pair in value
    )
    return "" if right else "expected pairs of an update and a finite number."


def _are_stages(value: Any) -> str:
    known = {name for name, _ in Settings().stages}
    right = all(name in known and type(x) is float for name, x in value.items())
    return "" if right else "expected the accuracy at the end of stages."


@dataclass(frozen=True)
class Saved:
    """What a checkpoint holds; the rest as in `Result`."""

    settings: Settings
    trainer: tuple[Any, ...]
    rewards: tuple[Any, ...] = field(metadata={"check": _are_pairs})
    accuracies: tuple[Any, ...] = field(metadata={"check": _are_pairs})
    stages: dict[str, Any] = field(metadata={"check": _are_stages})


def read(folder: Path) -> Saved:
    """The checkpoint in a folder, with everything in it of the type that it should have.

    Raises:
        InputError, DataError: as `Format.load`, and as `Settings.check`.
    """
    state = FORMAT.load(folder)
    place = Place(str(folder / NAME), code="checkpoint_foreign")
    try:
        settings = from_mapping(state.pop("settings"))
        return read_record(Saved, state, place, settings=settings)
    except RlcalcError:
        raise
    except (ValueError, OverflowError, RecursionError):
        place.refuse("it holds a number or a list that is too large to be of a run.")


def run(settings: Settings, options: Options, show: Show = lambda progress: None) -> Result:
    """Train through all stages until their updates are done or a signal stops it.

    Args:
        settings: ignored but for ``steps`` when a checkpoint is resumed.
        show: called after every update, on rank 0.

    Raises:
        InputError: a device, folder or file cannot be used.
        DataError: the checkpoint to resume is not one.
    """
    settings.check()
    device = device_of(options)
    with contextlib.ExitStack() as held:
        claim(held, options, FORMAT)
        saved: Saved | None = None
        if options.resume and options.folder is not None:
            saved = read(options.folder)
            settings = replace(saved.settings, steps=settings.steps)
        held.enter_context(one_thread(device))
        ranks = held.enter_context(group(device, settings.prompts, what="prompts"))
        if settings.texts % ranks.size or (settings.prompts // ranks.size) % settings.minibatches:
            raise InputError(
                "texts_uneven",
                f"{settings.texts} texts or {settings.minibatches} minibatches of {settings.prompts} prompts "
                f"do not divide evenly among {ranks.size} ranks.",
            )
        return _Run(settings, options, device, ranks).result_of(saved, show)


class _Run(shared.Run):
    """What a run holds while it lasts."""

    steps_key = "iteration"
    format = FORMAT
    result: Result

    def __init__(self, settings: Settings, options: Options, device: torch.device, ranks: Ranks) -> None:
        checks = Checks(settings.seed) if options.checks else None
        super().__init__(options, ranks, Result(settings, str(device)), checks)
        self.settings = settings
        self.trainer = Trainer(settings, device, None, checks, ranks)

    def result_of(self, saved: Saved | None, show: Show) -> Result:
        if saved is not None:
            self._restore(saved)
        began = time.process_time()
        self.go(saved is not None, show)
        self.result.cpu_seconds = time.process_time() - began
        return self.result

    @property
    def done(self) -> int:
        return self.trainer.iterations

    @property
    def planned(self) -> int:
        return self.settings.planned

    @property
    def iterations(self) -> int:
        return self.trainer.iterations

    @property
    def name(self) -> str:
        return f"lm-run-{self.settings.algorithm}-{self.settings.seed}"

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

    def state(self) -> dict[str, Any] | None:
        parts = self.ranks.gather(self.trainer.state_dict())
        if not self.result.writes:
            return None
        return {
            "settings": asdict(self.settings),
            "trainer": parts,
            "rewards": [list(pair) for pair in self.result.rewards],
            "accuracies": [list(pair) for pair in self.result.accuracies],
            "stages": dict(self.result.stages),
        }

    def _restore(self, saved: Saved) -> None:
        if len(saved.trainer) != self.ranks.size:
            raise InputError(
                "ranks_differ",
                f"The checkpoint is of {len(saved.trainer)} ranks, and this run has {self.ranks.size}.",
            )
        try:
            self.trainer.load_state_dict(saved.trainer[self.ranks.rank])
        except DataError as error:
            where = shown(self.options.folder)
            raise DataError(error.code, f"The checkpoint in {where}: {error.message}") from error
        self.result.rewards = [(at, value) for at, value in saved.rewards]
        self.result.accuracies = [(at, value) for at, value in saved.accuracies]
        self.result.stages = dict(saved.stages)
