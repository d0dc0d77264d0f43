"""Acceptance: CartPole-v1 solved on five seeds, each within 200,000 steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import mean, pstdev
from typing import Any

from rlcalc.ppo.run.run import Options, Result, run
from rlcalc.ppo.settings import tuned

ENV = "cartpole"
SEEDS = (0, 1, 2, 3, 4)
WITHIN = 200_000


def runs(options: Options, envs: int | None = None, seeds: tuple[int, ...] = SEEDS) -> Iterator[Result]:
    """One run per seed, as they end."""
    for seed in seeds:
        yield run(tuned(ENV, steps=WITHIN, envs=envs, seed=seed), options)


def summary(results: list[Result]) -> dict[str, Any]:
    """Mean and spread (population deviation) over the seeds of steps, seconds and return."""

    def of(read: Callable[[Result], float]) -> dict[str, float]:
        values = [read(result) for result in results]
        return {
            "mean": round(mean(values), 3),
            "spread": round(pstdev(values), 3),
            "worst": round(max(values), 3),
        }

    returns = [result.mean_return or 0.0 for result in results]
    return {
        "env": ENV,
        "passed": all(result.solved and result.failure is None for result in results),
        "solved": sum(result.solved for result in results),
        "seeds": [result.settings.seed for result in results],
        "within": WITHIN,
        "env_steps": of(lambda result: float(result.env_steps)),
        "seconds": of(lambda result: result.seconds),
        "mean_return": {
            "mean": round(mean(returns), 3),
            "spread": round(pstdev(returns), 3),
            "worst": round(min(returns), 3),
        },
        "runs": [result.as_json() for result in results],
    }
