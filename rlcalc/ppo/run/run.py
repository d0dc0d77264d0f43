"""One run from beginning to end: checked, judged, logged, and never lost.

Interruption is decided between iterations, so that what is saved is a state
that an uninterrupted run passes through; a resumed run on a CPU is then
bit-identical to one that was never stopped.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from rlcalc.errors import CheckFailed, InputError, shown
from rlcalc.inputs.arrays import torch_device
from rlcalc.ppo.check import exact
from rlcalc.ppo.check.checks import Checks
from rlcalc.ppo.envs import make_env
from rlcalc.ppo.records import Metrics
from rlcalc.ppo.run import checkpoint
from rlcalc.ppo.run.capture import WARM_UP, CudaGraph, can_capture, capture
from rlcalc.ppo.run.evaluate import Judge
from rlcalc.ppo.run.ranks import Ranks, group, local_device
from rlcalc.ppo.settings import Settings, from_mapping
from rlcalc.ppo.train import Formulas, Trainer

Show = Callable[[Metrics, float], None]


@dataclass(frozen=True)
class Options:
    """How to run, as opposed to what: nothing here changes what is learned.

    Attributes:
        checks: run the exact check before and the cheap ones on every update.
        capture: on a GPU, record an iteration and replay it instead of launching every kernel.
        folder: where checkpoints go; ``None`` writes one only when interrupted.
        every: iterations between two checkpoints.
    """

    device: str = "auto"
    checks: bool = True
    capture: bool = True
    folder: Path | None = None
    resume: bool = False
    every: int = 10
    log: Path | None = None


@dataclass
class Result:
    """What a run came to.

    Attributes:
        mean_return: of the last evaluation; ``None`` if the run stopped before one.
        trained: environment steps of this run alone, without those of the run that it goes on from.
        history: (steps, mean return of the episodes that ended) per iteration.
        failure: the check that stopped the run.
        saved: the folder with the checkpoint to go on from, if interrupted.
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
    saved: Path | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "env": self.settings.env,
            "device": self.device,
            "seed": self.settings.seed,
            "solved": self.solved,
            "env_steps": self.env_steps,
            "seconds": round(self.seconds, 3),
            "steps_per_second": round(self.steps_per_second, 1),
            "mean_return": self.mean_return,
            "checks": self.checks,
        }


def run(
    settings: Settings,
    options: Options,
    show: Show = lambda metrics, seconds: None,
    formulas: Formulas | None = None,
    make: Callable[..., Trainer] = Trainer,
) -> Result:
    """Train until the task is solved, the steps are used up or somebody stops it.

    Args:
        settings: ignored but for ``steps`` when a checkpoint is resumed.
        show: called after every iteration, on rank 0.
        formulas, make: for sabotage.

    Raises:
        InputError: an environment, device, folder or file cannot be used.
        DataError: the checkpoint to resume is not one.
    """
    state: dict[str, Any] | None = None
    if options.resume:
        if options.folder is None:
            raise InputError("resume_from_where", "--resume needs --checkpoint DIR, to say from where.")
        state = checkpoint.load(options.folder)
        settings = from_mapping({**state["settings"], "steps": settings.steps})
    elif options.folder is not None and (options.folder / checkpoint.NAME).exists():
        raise InputError(
            "checkpoint_exists",
            f"There is a checkpoint in {shown(options.folder)} already.",
            "Add --resume to go on from it, or name another folder.",
        )
    device = local_device(torch_device(options.device))
    with one_thread(device), group(device, settings.envs) as ranks:
        return _Run(settings, options, device, ranks, formulas, make).go(state, show)


class _Run:
    """What a run holds while it lasts."""

    def __init__(
        self,
        settings: Settings,
        options: Options,
        device: torch.device,
        ranks: Ranks,
        formulas: Formulas | None,
        make: Callable[..., Trainer],
    ) -> None:
        if ranks.size > 1 and settings.critic_reduction == "sum":
            raise InputError("sum_over_ranks", "Gradients of ranks are averaged; a summed loss is not.")
        self.settings, self.options, self.ranks = settings, options, ranks
        dtype = getattr(torch, settings.dtype)
        env = make_env(settings.env, settings.envs // ranks.size, _seed(settings, ranks.rank), device, dtype)
        self.checks = Checks(settings.seed) if options.checks else None
        if self.checks is not None:
            env = self.checks.watch(env)
        self.trainer = make(settings, env, formulas, self.checks, ranks)
        self.formulas, self.make = formulas, make
        # far from the seeds of training, and the same for all ranks, though only one evaluates
        evaluation = make_env(
            settings.env, settings.evaluation_episodes, _seed(settings, 1_000_000), device, dtype
        )
        model, replays = self.trainer.model, options.capture and can_capture(self.trainer)
        self.judge = Judge(
            lambda observation: model.bounded(model.best(model.actor(observation))),
            evaluation,
            settings.evaluate_every,
            CudaGraph([evaluation.generator]) if replays and evaluation.generator is not None else None,
        )
        self.replay_from = WARM_UP if replays else None
        self.result = Result(settings, str(device), writes=ranks.rank == 0)
        self.before: list[exact.Finding] = []

    def go(self, state: dict[str, Any] | None, show: Show) -> Result:
        result, trainer = self.result, self.trainer
        start, first = time.perf_counter(), 0
        try:
            if state is not None:
                self._restore(state)
            elif self.checks is not None:
                self.before.append(exact.mini_loop(self.formulas, self.make))
                self.before[-1].require()
            first = trainer.env_steps
            with _log(self.options, result.writes, first) as log, _stop_requests() as stop:
                began = trainer.iterations
                while trainer.env_steps < self.settings.steps and not result.solved:
                    if trainer.iterations - began == self.replay_from:
                        capture(trainer)
                    metrics = trainer.iterate()
                    seconds = time.perf_counter() - start
                    self._note(metrics, seconds, log, show)
                    if self.judge.due(trainer.env_steps):
                        result.solved = self._solved()
                    wanted = bool(stop)
                    if self.ranks.size > 1:
                        wanted = self.ranks.agree(wanted)
                    if wanted and not result.solved:
                        result.saved = self._save(_folder(self.options, self.settings))
                        break
                    if self.options.folder and trainer.iterations % self.options.every == 0:
                        self._save(self.options.folder)
                if not result.solved and result.saved is None:
                    result.solved = self._solved()
                if self.options.folder and result.saved is None:
                    self._save(self.options.folder)
        except CheckFailed as error:
            result.failure = error
        seconds = time.perf_counter() - start
        result.env_steps, result.iterations = trainer.env_steps, trainer.iterations
        result.seconds = seconds
        result.trained = trainer.env_steps - first
        result.steps_per_second = result.trained / seconds if result.failure is None else 0.0
        result.evaluations, result.goal = self.judge.history, self.judge.env.solved_at
        if self.judge.history:
            result.mean_return = self.judge.history[-1][1]
        result.checks = [{"name": f.name, "passed": f.passed, "worst": f.worst} for f in self.before] + (
            self.checks.report() if self.checks is not None else []
        )
        return result

    def _solved(self) -> bool:
        found = self.result.writes and self.judge.solved(self.trainer.env_steps)
        return self.ranks.agree(found)

    def _note(self, metrics: Metrics, seconds: float, log: Any, show: Show) -> None:
        if not self.result.writes:
            return
        if metrics.episode_return is not None:
            self.result.history.append((metrics.env_steps, metrics.episode_return))
        if log is not None:
            log.write(json.dumps({**asdict(metrics), "seconds": round(seconds, 3)}, allow_nan=False) + "\n")
            log.flush()
        show(metrics, seconds)

    def _save(self, folder: Path) -> Path:
        """Every rank's part of the state, written by rank 0."""
        parts = self.ranks.gather(self.trainer.state_dict())
        if self.result.writes:
            checkpoint.save(
                folder,
                {
                    "settings": {**asdict(self.settings), "hidden": list(self.settings.hidden)},
                    "trainer": parts,
                    "evaluation": self.judge.env.state_dict(),
                    "evaluations": [list(pair) for pair in self.judge.history],
                    "next_evaluation": self.judge.next_at,
                    "solved": self.result.solved,
                    "history": [list(pair) for pair in self.result.history],
                },
            )
        return folder

    def _restore(self, state: dict[str, Any]) -> None:
        if len(state["trainer"]) != self.ranks.size:
            raise InputError(
                "ranks_differ",
                f"The checkpoint is of {len(state['trainer'])} ranks, and this run has {self.ranks.size}.",
            )
        self.trainer.load_state_dict(state["trainer"][self.ranks.rank])
        self.judge.env.load_state_dict(state["evaluation"])
        self.judge.history = [(steps, value) for steps, value in state["evaluations"]]
        self.judge.next_at = state["next_evaluation"]
        self.result.solved = state["solved"]
        self.result.history = [(steps, value) for steps, value in state["history"]]


def _seed(settings: Settings, offset: int) -> int:
    return settings.seed * 10_000_019 + offset


def _folder(options: Options, settings: Settings) -> Path:
    name = settings.env.replace(":", "-").replace("/", "-")
    return options.folder or Path(f"ppo-run-{name}-{settings.seed}")


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
    """A list that fills when somebody presses Ctrl-C; the second time stops at once."""
    wanted: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield wanted
        return

    def ask(number: int, frame: Any) -> None:
        if wanted:
            raise KeyboardInterrupt
        wanted.append(number)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield wanted
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _log(options: Options, writes: bool, from_step: int) -> Iterator[Any]:
    """The JSONL log; on resume without the lines behind the checkpoint, which come again."""
    if options.log is None or not writes:
        yield None
        return
    try:
        kept: list[str] = []
        if options.resume and options.log.exists():
            kept = [
                line for line in options.log.read_text("utf-8").splitlines() if _is_before(line, from_step)
            ]
        temporary = options.log.with_name(f".{options.log.name}.new")
        temporary.write_text("".join(line + "\n" for line in kept), "utf-8")
        os.replace(temporary, options.log)
        file = options.log.open("a", encoding="utf-8")
    except OSError as error:
        raise InputError(
            "log_unwritable", f"The log {shown(options.log)} cannot be written: {error.strerror}."
        ) from error
    with file:
        yield file


def _is_before(line: str, step: int) -> bool:
    try:
        return bool(json.loads(line)["env_steps"] <= step)
    except (ValueError, KeyError, TypeError):
        return False  # the last line of a killed run may be half a line
