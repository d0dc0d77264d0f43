"""One run from beginning to end: checked, evaluated, logged, and never lost.

Interruption is decided between iterations, so that what is saved is a state
that an uninterrupted run passes through; a resumed run on a CPU is then
bit-identical to one that was never stopped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from rlcalc.errors import InputError
from rlcalc.ppo.check import exact
from rlcalc.ppo.check.checks import Checks
from rlcalc.ppo.envs import make_env
from rlcalc.ppo.records import Metrics
from rlcalc.ppo.run.capture import WARM_UP, CudaGraph, can_capture, capture
from rlcalc.ppo.run.evaluate import Evaluator
from rlcalc.ppo.settings import Settings
from rlcalc.ppo.train import Trainer
from rlcalc.training import checkpoint
from rlcalc.training import run as shared
from rlcalc.training.checkpoint import Format, are_finite_pairs, are_pairs
from rlcalc.training.log import finite
from rlcalc.training.ranks import Ranks
from rlcalc.training.run import Progress, Show, conduct, one_thread

__all__ = ["FORMAT", "Options", "Progress", "Result", "one_thread", "run"]


@dataclass(frozen=True)
class Options(shared.Options):
    """How to run, as opposed to what: nothing here changes what is learned.

    Attributes:
        capture: on a GPU, record an iteration and replay it instead of launching every kernel.
    """

    capture: bool = True


@dataclass
class Result(shared.Result):
    """What a run came to.

    Attributes:
        mean_return: of the last evaluation; ``None`` if the run stopped before one.
        history: (steps, mean return of the episodes that ended) per iteration.
    """

    settings: Settings
    solved: bool = False
    env_steps: int = 0
    steps_per_second: float = 0.0
    mean_return: float | None = None
    history: list[tuple[int, float]] = field(default_factory=list)
    evaluations: list[tuple[int, float]] = field(default_factory=list)
    goal: float | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "env": self.settings.env,
            "device": self.device,
            "seed": self.settings.seed,
            "solved": self.solved,
            "env_steps": self.env_steps,
            "seconds": round(self.seconds, 3),
            "steps_per_second": round(self.steps_per_second, 1),
            "mean_return": finite(self.mean_return),
            "checks": self.checks,
        }


@dataclass(frozen=True)
class Saved(checkpoint.Saved):
    """What a checkpoint holds.

    Attributes:
        evaluation: the state of the environments that evaluations are played in.
        evaluations, history: as in `Result`.
        next_evaluation: steps at which the next evaluation is due.
    """

    evaluation: Any
    evaluations: tuple[Any, ...] = field(metadata={"check": are_pairs})
    next_evaluation: int
    solved: bool
    history: tuple[Any, ...] = field(metadata={"check": are_finite_pairs})


FORMAT = Format(b"rlcalc-ppo", "ppo-run", Saved, Settings)


def run(settings: Settings, options: Options, show: Show = lambda progress: None) -> Result:
    """Train until the task is solved, the steps are used up or a signal stops it; as `conduct`.

    Raises:
        InputError: an environment cannot be used.
    """
    result: Result = conduct(_Run, settings, options, show)
    return result


class _Run(shared.Run):
    """What a run holds while it lasts."""

    steps_key = "env_steps"
    format = FORMAT
    result: Result
    trainer: Trainer

    def __init__(self, settings: Settings, options: Options, device: torch.device, ranks: Ranks) -> None:
        if ranks.size > 1 and settings.critic_reduction == "sum":
            raise InputError("sum_over_ranks", "Gradients of ranks are averaged; a summed loss is not.")
        checks = Checks(settings.seed) if options.checks else None
        super().__init__(options, ranks, Result(settings, str(device)), checks)
        dtype = getattr(torch, settings.dtype)
        env = make_env(settings.env, settings.envs // ranks.size, _seed(settings, ranks.rank), device, dtype)
        if checks is not None:
            env = checks.watch(env)
        self.trainer = Trainer(settings, env, None, checks, ranks)
        # far from the seeds of training, and the same for all ranks, though only one evaluates
        evaluation = make_env(
            settings.env, settings.evaluation_episodes, _seed(settings, 1_000_000), device, dtype
        )
        model, replays = self.trainer.model, options.capture and can_capture(self.trainer)
        self.evaluator = Evaluator(
            lambda observation: model.bounded(model.best(model.actor(observation))),
            evaluation,
            settings.evaluate_every,
            CudaGraph([evaluation.generator]) if replays and evaluation.generator is not None else None,
        )
        self.replay_from = WARM_UP if replays else None
        self.before: list[exact.CheckResult] = []

    def close(self) -> None:
        """Let environments of others release what they hold."""
        for env in (self.trainer.env, self.evaluator.env):
            getattr(env, "close", lambda: None)()

    @classmethod
    def shared(cls, settings: Settings) -> tuple[int, str]:
        return settings.envs, "environments"

    @property
    def done(self) -> int:
        return self.trainer.env_steps

    @property
    def finished(self) -> bool:
        return self.result.solved

    @property
    def name(self) -> str:
        env = self.settings.env.replace(":", "-").replace("/", "-")
        return f"ppo-run-{env}-{self.settings.seed}"

    def go(self, resumed: bool, show: Show) -> None:
        super().go(resumed, show)
        result = self.result
        result.env_steps = self.done
        result.steps_per_second = result.trained / result.seconds if result.failure is None else 0.0
        result.evaluations, result.goal = self.evaluator.history, self.evaluator.env.solved_at
        if self.evaluator.history:
            result.mean_return = self.evaluator.history[-1][1]

    def begin(self, resumed: bool) -> None:
        self.began = self.trainer.iterations
        if not resumed and self.checks is not None:
            self.before.append(exact.mini_loop())
            self.before[-1].require()

    def advance(self) -> Metrics:
        if self.trainer.iterations - self.began == self.replay_from:
            capture(self.trainer)
        return self.trainer.iterate()

    def look(self) -> None:
        if self.evaluator.due(self.trainer.env_steps):
            self.result.solved = self._solved()

    def end(self) -> None:
        if not self.result.solved:
            self.result.solved = self._solved()

    def noted(self, metrics: Metrics) -> None:
        if metrics.episode_return is not None and finite(metrics.episode_return) is not None:
            self.result.history.append((metrics.env_steps, metrics.episode_return))

    def checked(self) -> list[dict[str, Any]]:
        before = [{"name": f.name, "passed": f.passed, "worst": f.worst} for f in self.before]
        return before + super().checked()

    def kept(self) -> dict[str, Any]:
        return {
            "evaluation": self.evaluator.env.state_dict(),
            "evaluations": [list(pair) for pair in self.evaluator.history],
            "next_evaluation": self.evaluator.next_at,
            "solved": self.result.solved,
            "history": [list(pair) for pair in self.result.history],
        }

    def restored(self, saved: Saved) -> None:
        self.evaluator.env.load_state_dict(saved.evaluation)
        self.evaluator.history = [(steps, value) for steps, value in saved.evaluations]
        self.evaluator.next_at = saved.next_evaluation
        self.result.solved = saved.solved
        self.result.history = [(steps, value) for steps, value in saved.history]

    def _solved(self) -> bool:
        """What an evaluation says; there is one at most after each iteration, so that none has luck twice."""
        steps, history = self.trainer.env_steps, self.evaluator.history
        done = bool(history) and history[-1][0] == steps
        return self.ranks.any_rank(self.result.writes and not done and self.evaluator.solved(steps))


def _seed(settings: Settings, offset: int) -> int:
    return settings.seed * 10_000_019 + offset
