"""One run from beginning to end: checked, evaluated, logged, and never lost.

Interruption is decided between iterations, so that what is saved is a state
that an uninterrupted run passes through; a resumed run on a CPU is then
bit-identical to one that was never stopped.
"""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch

from rlcalc.errors import DataError, InputError, shown
from rlcalc.ppo.check import exact
from rlcalc.ppo.check.checks import Checks
from rlcalc.ppo.envs import make_env
from rlcalc.ppo.records import Metrics
from rlcalc.ppo.run import checkpoint
from rlcalc.ppo.run.capture import WARM_UP, CudaGraph, can_capture, capture
from rlcalc.ppo.run.evaluate import Evaluator
from rlcalc.ppo.settings import Settings
from rlcalc.ppo.train import Trainer
from rlcalc.training import run as shared
from rlcalc.training.log import finite
from rlcalc.training.ranks import Ranks, group
from rlcalc.training.run import Progress, Show, claim, device_of, one_thread

__all__ = ["Options", "Progress", "Result", "one_thread", "run"]


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


def run(
    settings: Settings,
    options: Options,
    show: Show = lambda progress: None,
) -> Result:
    """Train until the task is solved, the steps are used up or a signal stops it.

    Args:
        settings: ignored but for ``steps`` when a checkpoint is resumed.
        show: called after every iteration, on rank 0.

    Raises:
        InputError: an environment, device, folder or file cannot be used.
        DataError: the checkpoint to resume is not one.
    """
    settings.check()
    device = device_of(options)
    with contextlib.ExitStack() as held:
        claim(held, options, checkpoint.FORMAT)
        saved: checkpoint.Saved | None = None
        if options.resume and options.folder is not None:
            saved = checkpoint.read(options.folder)
            settings = replace(saved.settings, steps=settings.steps)
        held.enter_context(one_thread(device))
        ranks = held.enter_context(group(device, settings.envs))
        whole = _Run(settings, options, device, ranks)
        held.callback(whole.close)
        return whole.result_of(saved, show)


class _Run(shared.Run):
    """What a run holds while it lasts."""

    steps_key = "env_steps"
    format = checkpoint.FORMAT
    result: Result

    def __init__(self, settings: Settings, options: Options, device: torch.device, ranks: Ranks) -> None:
        if ranks.size > 1 and settings.critic_reduction == "sum":
            raise InputError("sum_over_ranks", "Gradients of ranks are averaged; a summed loss is not.")
        checks = Checks(settings.seed) if options.checks else None
        super().__init__(options, ranks, Result(settings, str(device)), checks)
        self.settings = settings
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

    def result_of(self, saved: checkpoint.Saved | None, show: Show) -> Result:
        result = self.result
        if saved is not None:
            self._restore(saved)
        self.go(saved is not None, show)
        result.env_steps = self.done
        result.steps_per_second = result.trained / result.seconds if result.failure is None else 0.0
        result.evaluations, result.goal = self.evaluator.history, self.evaluator.env.solved_at
        if self.evaluator.history:
            result.mean_return = self.evaluator.history[-1][1]
        return result

    @property
    def done(self) -> int:
        return self.trainer.env_steps

    @property
    def planned(self) -> int:
        return self.settings.planned

    @property
    def iterations(self) -> int:
        return self.trainer.iterations

    @property
    def finished(self) -> bool:
        return self.result.solved

    @property
    def name(self) -> str:
        env = self.settings.env.replace(":", "-").replace("/", "-")
        return f"ppo-run-{env}-{self.settings.seed}"

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

    def state(self) -> dict[str, Any] | None:
        parts = self.ranks.gather(self.trainer.state_dict())
        if not self.result.writes:
            return None
        return {
            "settings": {**asdict(self.settings), "hidden": list(self.settings.hidden)},
            "trainer": parts,
            "evaluation": self.evaluator.env.state_dict(),
            "evaluations": [list(pair) for pair in self.evaluator.history],
            "next_evaluation": self.evaluator.next_at,
            "solved": self.result.solved,
            "history": [list(pair) for pair in self.result.history],
        }

    def _solved(self) -> bool:
        """What an evaluation says; there is one at most after each iteration, so that none has luck twice."""
        steps, history = self.trainer.env_steps, self.evaluator.history
        done = bool(history) and history[-1][0] == steps
        return self.ranks.any_rank(self.result.writes and not done and self.evaluator.solved(steps))

    def _restore(self, saved: checkpoint.Saved) -> None:
        if len(saved.trainer) != self.ranks.size:
            raise InputError(
                "ranks_differ",
                f"The checkpoint is of {len(saved.trainer)} ranks, and this run has {self.ranks.size}.",
            )
        try:
            self.trainer.load_state_dict(saved.trainer[self.ranks.rank])
            self.evaluator.env.load_state_dict(saved.evaluation)
        except DataError as error:
            where = shown(self.options.folder)
            raise DataError(error.code, f"The checkpoint in {where}: {error.message}") from error
        self.evaluator.history = [(steps, value) for steps, value in saved.evaluations]
        self.evaluator.next_at = saved.next_evaluation
        self.result.solved = saved.solved
        self.result.history = [(steps, value) for steps, value in saved.history]


def _seed(settings: Settings, offset: int) -> int:
    return settings.seed * 10_000_019 + offset
