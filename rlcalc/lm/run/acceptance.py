"""Acceptance: by reward alone from at most 30 % to at least 90 % right answers, on five seeds.

Each in at most five minutes of the one core that it uses; on an idle machine
that is also what a clock shows. Beside it stand two models that were trained
by `sft_loss` alone, for as many updates: one on what the careless teacher
wrote, as ours was before the reward, and one on the right answers, which ours
never sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from statistics import mean, pstdev
from typing import Any

from rlcalc.lm.run.run import Options, Result, run
from rlcalc.lm.settings import Settings, tuned

SEEDS = (0, 1, 2, 3, 4)
AT_MOST, AT_LEAST, SECONDS = 0.3, 0.9, 300.0


@dataclass(frozen=True)
class Seed:
    """What one seed came to.

    Attributes:
        imitation, taught: accuracy by `sft_loss` alone, on the teacher's answers and on the right ones.
    """

    result: Result
    imitation: float | None
    taught: float | None

    @property
    def passed(self) -> bool:
        found = self.result
        return (
            found.failure is None
            and found.before is not None
            and found.before <= AT_MOST
            and found.accuracy is not None
            and found.accuracy >= AT_LEAST
            and found.cpu_seconds <= SECONDS
        )

    def as_json(self) -> dict[str, Any]:
        return {
            **self.result.as_json(),
            "passed": self.passed,
            "sft_alone": {"teacher": self.imitation, "right_answers": self.taught},
        }


def runs(
    options: Options, algorithm: str = "grpo", seeds: tuple[int, ...] = SEEDS, **given: Any
) -> Iterator[Seed]:
    """One run per seed with its references, as they end."""
    for seed in seeds:
        settings = tuned(algorithm, seed=seed, **given)
        result = run(settings, options)
        if result.failure is not None or result.signal is not None:
            yield Seed(result, None, None)
            return
        imitation = run(imitating(settings), options).accuracy
        yield Seed(result, imitation, run(replace(imitating(settings), teacher="right"), options).accuracy)


def imitating(settings: Settings) -> Settings:
    """The same model for as many updates, by the second stage alone."""
    rest = settings.finetuning + settings.preference + settings.steps
    return replace(settings, finetuning=rest, preference=0, steps=0)


def summary(found: list[Seed]) -> dict[str, Any]:
    """Mean and spread (population deviation) over the seeds, and each seed."""

    def of(read: Callable[[Result], float | None]) -> dict[str, float]:
        values = [read(seed.result) or 0.0 for seed in found]
        return {
            "mean": round(mean(values), 4),
            "spread": round(pstdev(values), 4),
            "least": round(min(values), 4),
            "most": round(max(values), 4),
        }

    return {
        "algorithm": found[0].result.settings.algorithm,
        "passed": all(seed.passed for seed in found),
        "accuracy_before": of(lambda result: result.before),
        "accuracy": of(lambda result: result.accuracy),
        "seconds": of(lambda result: result.seconds),
        "cpu_seconds": of(lambda result: result.cpu_seconds),
        "within": {"accuracy_before": AT_MOST, "accuracy": AT_LEAST, "cpu_seconds": SECONDS},
        "runs": [seed.as_json() for seed in found],
    }
