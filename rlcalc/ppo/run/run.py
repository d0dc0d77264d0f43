"""One run from beginning to end: checked, evaluated, logged, and never lost.

Interruption is decided between iterations, so that what is saved is a state
that an uninterrupted run passes through; a resumed run on a CPU is then
bit-identical to one that was never stopped.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import torch

from rlcalc.errors import CheckFailed, DataError, InputError, RlcalcError, shown
from rlcalc.inputs.arrays import torch_device
from rlcalc.ppo.check import exact
from rlcalc.ppo.check.checks import Checks
from rlcalc.ppo.envs import make_env
from rlcalc.ppo.records import Metrics
from rlcalc.ppo.run import checkpoint
from rlcalc.ppo.run.capture import WARM_UP, CudaGraph, can_capture, capture
from rlcalc.ppo.run.evaluate import Evaluator
from rlcalc.ppo.run.log import Log, finite
from rlcalc.ppo.run.ranks import Ranks, group, is_first, local_device
from rlcalc.ppo.settings import Settings
from rlcalc.ppo.train import Trainer


@dataclass(frozen=True)
class Options:
    """How to run, as opposed to what: nothing here changes what is learned.

    Attributes:
        checks: run the exact check before and the cheap ones on every update.
        capture: on a GPU, record an iteration and replay it instead of launching every kernel.
        folder: where checkpoints go; ``None`` writes one only when interrupted.
        every: iterations between two checkpoints.
        log: a file that gets one JSON line per iteration, after what it holds already.
    """

    device: str = "auto"
    checks: bool = True
    capture: bool = True
    folder: Path | None = None
    resume: bool = False
    every: int = 10
    log: Path | None = None


@dataclass(frozen=True)
class Progress:
    """Where a run is after an iteration.

    Attributes:
        seconds, trained: seconds and environment steps of this run alone.
        remaining: environment steps that are left at most.
        checks: as in `Result`.
    """

    metrics: Metrics
    seconds: float
    trained: int
    remaining: int
    checks: list[dict[str, Any]]


Show = Callable[[Progress], None]


@dataclass
class Result:
    """What a run came to.

    Attributes:
        mean_return: of the last evaluation; ``None`` if the run stopped before one.
        trained: environment steps of this run alone, without those of the run that it goes on from.
        history: (steps, mean return of the episodes that ended) per iteration.
        failure: the check that stopped the run.
        signal: what the run was interrupted by; ``saved`` is then the folder to go on from.
        problems: files that could not be written, such as on a full disk; the run went on without.
    """

    settings: Settings
    device: str
    solved: bool = False
    env_steps: int = 0
    trained: int = 0
    seconds: float = 0.0
    steps_per_second: float = 0.0
    mean_return: float | None = None
    checks: list[dict[str, Any]] = field(default_factory=list)
    history: list[tuple[int, float]] = field(default_factory=list)
    evaluations: list[tuple[int, float]] = field(default_factory=list)
    goal: float | None = None
    iterations: int = 0
    writes: bool = True
    failure: CheckFailed | None = None
    signal: int | None = None
    saved: Path | None = None
    problems: dict[str, RlcalcError] = field(default_factory=dict)

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
    device = local_device(torch_device(options.device))
    if device.type == "meta":
        raise InputError(
            "unknown_device", "On the device 'meta' nothing is computed.", "Use --device cpu or auto."
        )
    with contextlib.ExitStack() as held:
        saved: checkpoint.Saved | None = None
        if options.resume:
            if options.folder is None:
                raise InputError("resume_from_where", "--resume needs --checkpoint DIR, to say from where.")
            checkpoint.load(options.folder)  # a folder without one is not made, nor locked
        if options.folder is not None and is_first():
            held.enter_context(checkpoint.locked(options.folder))
        if options.resume and options.folder is not None:
            saved = checkpoint.read(options.folder)
            settings = replace(saved.settings, steps=settings.steps)
        elif options.folder is not None and (options.folder / checkpoint.NAME).exists():
            raise InputError(
                "checkpoint_exists",
                f"There is a checkpoint in {shown(options.folder)} already.",
                "Add --resume to go on from it, or name another folder.",
            )
        held.enter_context(one_thread(device))
        ranks = held.enter_context(group(device, settings.envs))
        whole = _Run(settings, options, device, ranks)
        held.callback(whole.close)
        return whole.go(saved, show)


class _Run:
    """What a run holds while it lasts."""

    def __init__(self, settings: Settings, options: Options, device: torch.device, ranks: Ranks) -> None:
        if ranks.size > 1 and settings.critic_reduction == "sum":
            raise InputError("sum_over_ranks", "Gradients of ranks are averaged; a summed loss is not.")
        self.settings, self.options, self.ranks = settings, options, ranks
        dtype = getattr(torch, settings.dtype)
        env = make_env(settings.env, settings.envs // ranks.size, _seed(settings, ranks.rank), device, dtype)
        self.checks = Checks(settings.seed) if options.checks else None
        if self.checks is not None:
            env = self.checks.watch(env)
        self.trainer = Trainer(settings, env, None, self.checks, ranks)
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
        self.result = Result(settings, str(device), writes=ranks.rank == 0)
        self.before: list[exact.CheckResult] = []

    def close(self) -> None:
        """Let environments of others release what they hold."""
        for env in (self.trainer.env, self.evaluator.env):
            getattr(env, "close", lambda: None)()

    def go(self, saved: checkpoint.Saved | None, show: Show) -> Result:
        result, trainer = self.result, self.trainer
        if saved is not None:
            self._restore(saved)
        start, first = time.perf_counter(), trainer.env_steps
        log: Log | None = None
        try:
            with contextlib.ExitStack() as held:
                if self.options.log is not None and result.writes:
                    log = held.enter_context(Log(self.options.log, None if saved is None else first))
                stop = held.enter_context(_stop_requests())
                if saved is None and self.checks is not None:
                    self.before.append(exact.mini_loop())
                    self.before[-1].require()
                self._train(start, first, log, show, stop)
        except CheckFailed as error:
            result.failure = error
        if log is not None and log.problem is not None:
            result.problems["log"] = log.problem
        result.seconds = time.perf_counter() - start
        result.env_steps, result.iterations = trainer.env_steps, trainer.iterations
        result.trained = trainer.env_steps - first
        result.steps_per_second = result.trained / result.seconds if result.failure is None else 0.0
        result.evaluations, result.goal = self.evaluator.history, self.evaluator.env.solved_at
        if self.evaluator.history:
            result.mean_return = self.evaluator.history[-1][1]
        result.checks = self._checked()
        return result

    def _train(self, start: float, first: int, log: Log | None, show: Show, stop: list[int]) -> None:
        result, trainer, folder = self.result, self.trainer, self.options.folder
        began = trainer.iterations
        while trainer.env_steps < self.settings.planned and not result.solved:
            if trainer.iterations - began == self.replay_from:
                capture(trainer)
            metrics = trainer.iterate()
            if result.writes:
                self._note(metrics, time.perf_counter() - start, first, log, show)
            if self.evaluator.due(trainer.env_steps):
                result.solved = self._solved()
            if self.ranks.any_rank(bool(stop)) and not result.solved:
                result.signal = stop[0] if stop else signal.SIGINT
                folder = folder or _free_folder(self.settings)
                self._save(folder)
                result.saved = None if "checkpoint" in result.problems else folder
                return
            if folder and trainer.iterations % self.options.every == 0:
                self._save(folder)
        if not result.solved:
            result.solved = self._solved()
        if folder:
            self._save(folder)

    def _solved(self) -> bool:
        """What an evaluation says; there is one at most after each iteration, so that none has luck twice."""
        steps, history = self.trainer.env_steps, self.evaluator.history
        done = bool(history) and history[-1][0] == steps
        return self.ranks.any_rank(self.result.writes and not done and self.evaluator.solved(steps))

    def _checked(self) -> list[dict[str, Any]]:
        before = [{"name": f.name, "passed": f.passed, "worst": f.worst} for f in self.before]
        return before + (self.checks.report() if self.checks is not None else [])

    def _note(self, metrics: Metrics, seconds: float, first: int, log: Log | None, show: Show) -> None:
        if metrics.episode_return is not None and finite(metrics.episode_return) is not None:
            self.result.history.append((metrics.env_steps, metrics.episode_return))
        if log is not None:
            log.write({**asdict(metrics), "seconds": round(seconds, 3)})
        steps = metrics.env_steps
        show(Progress(metrics, seconds, steps - first, self.settings.planned - steps, self._checked()))

    def _save(self, folder: Path) -> None:
        """Every rank's part of the state, written by rank 0."""
        parts = self.ranks.gather(self.trainer.state_dict())
        if not self.result.writes:
            return
        state = {
            "settings": {**asdict(self.settings), "hidden": list(self.settings.hidden)},
            "trainer": parts,
            "evaluation": self.evaluator.env.state_dict(),
            "evaluations": [list(pair) for pair in self.evaluator.history],
            "next_evaluation": self.evaluator.next_at,
            "solved": self.result.solved,
            "history": [list(pair) for pair in self.result.history],
        }
        self.result.problems.pop("checkpoint", None)
        try:
            checkpoint.save(folder, state)
        except InputError as error:  # a full disk; training goes on, and the next one may fit
            self.result.problems["checkpoint"] = error

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


def _free_folder(settings: Settings) -> Path:
    """Where an interrupted run without ``--checkpoint`` goes: never over another one's checkpoint."""
    name = f"ppo-run-{settings.env.replace(':', '-').replace('/', '-')}-{settings.seed}"
    names = (name if number == 1 else f"{name}-{number}" for number in count(1))
    return next(path for path in map(Path, names) if not path.exists())


@contextlib.contextmanager
def one_thread(device: torch.device = torch.device("cpu")) -> Iterator[None]:  # noqa: B008
    """On a CPU, networks this small are slower on two threads than on one."""
    before = torch.get_num_threads()
    if device.type == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def _stop_requests() -> Iterator[list[int]]:
    """A list that fills with signals: Ctrl-C, or the end of a job or a terminal; the second stops at once."""
    wanted: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield wanted
        return

    def ask(number: int, frame: Any) -> None:
        if wanted:
            raise KeyboardInterrupt
        wanted.append(number)

    known = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    # one that is ignored, as nohup has it, stays so
    before = {number: signal.getsignal(number) for number in known}
    before = {n: handler for n, handler in before.items() if handler not in (signal.SIG_IGN, None)}
    for number in before:
        signal.signal(number, ask)
    try:
        yield wanted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
