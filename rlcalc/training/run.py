"""The loop around training, whatever is trained: stopping, resuming, log and checkpoints."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import torch

from rlcalc.errors import CheckFailed, DataError, InputError, RlcalcError, shown
from rlcalc.inputs.arrays import torch_device
from rlcalc.training import checkpoint
from rlcalc.training.comparisons import Comparisons
from rlcalc.training.log import Log
from rlcalc.training.ranks import Ranks, group, is_first, local_device


@dataclass(frozen=True)
class Options:
    """How to run, as opposed to what: nothing here changes what is learned.

    Attributes:
        checks: run the checks before training and on every update.
        folder: where checkpoints go; ``None`` writes one only when interrupted.
        every: iterations between two checkpoints.
        log: a file that gets one JSON line per iteration, after what it holds already.
    """

    device: str = "auto"
    checks: bool = True
    folder: Path | None = None
    resume: bool = False
    every: int = 10
    log: Path | None = None


@dataclass(frozen=True)
class Progress:
    """Where a run is after an iteration.

    Attributes:
        metrics: a dataclass of the iteration's numbers.
        seconds, trained: seconds and steps of this run alone.
        remaining: steps that are left at most.
        checks: as in `Result`.
    """

    metrics: Any
    seconds: float
    trained: int
    remaining: int
    checks: list[dict[str, Any]]


Show = Callable[[Progress], None]


@dataclass
class Result:
    """What a run came to.

    Attributes:
        trained: steps of this run alone, without those of the run that it goes on from.
        writes: whether this is the rank that prints and writes files.
        failure: the check that stopped the run.
        signal: what the run was interrupted by; ``saved`` is then the folder to go on from.
        problems: files that could not be written, such as on a full disk; the run went on without.
    """

    settings: Any
    device: str
    trained: int = 0
    seconds: float = 0.0
    iterations: int = 0
    checks: list[dict[str, Any]] = field(default_factory=list)
    writes: bool = True
    failure: CheckFailed | None = None
    signal: int | None = None
    saved: Path | None = None
    problems: dict[str, RlcalcError] = field(default_factory=dict)

    @property
    def idle(self) -> bool:
        """Whether all was done before, so that nothing was trained."""
        return self.trained == 0 and self.failure is None


class Run(ABC):
    """What a run holds while it lasts.

    Attributes:
        steps_key: what a line of the log calls the steps done so far; its first key.
        format: of the checkpoints.
        trainer: what is trained, with a state and a count of its iterations.
    """

    steps_key: str
    format: checkpoint.Format
    trainer: Any

    def __init__(self, options: Options, ranks: Ranks, result: Result, checks: Comparisons | None) -> None:
        self.options, self.ranks, self.result, self.checks = options, ranks, result, checks
        self.settings = result.settings
        result.writes = ranks.rank == 0
        self.first = 0

    # --- what a run is made of -------------------------------------------------------------------------

    @classmethod
    @abstractmethod
    def shared(cls, settings: Any) -> tuple[int, str]:
        """Of what each rank has its part: how many, and what they are called."""

    @property
    @abstractmethod
    def done(self) -> int:
        """Steps that are done, those of the run that it goes on from with them."""

    @property
    def planned(self) -> int:
        """Steps after which the run ends."""
        return int(self.settings.planned)

    @property
    def iterations(self) -> int:
        return int(self.trainer.iterations)

    @property
    def finished(self) -> bool:
        """Whether nothing is left to learn."""
        return False

    @property
    @abstractmethod
    def name(self) -> str:
        """For the folder of an interrupted run that was given none."""

    @abstractmethod
    def advance(self) -> Any:
        """One iteration; its numbers as a dataclass."""

    @abstractmethod
    def kept(self) -> dict[str, Any]:
        """What a checkpoint holds besides settings and trainer."""

    @abstractmethod
    def restored(self, saved: Any) -> None:
        """Take up what was `kept`."""

    def close(self) -> None:
        """Release what is held, however the run ended."""
        return

    def begin(self, resumed: bool) -> None:
        """Before the first iteration, with the log open."""
        return

    def look(self) -> None:
        """After each iteration: evaluate, where it is time."""
        return

    def end(self) -> None:
        """After the last iteration."""
        return

    def noted(self, metrics: Any) -> None:
        """On the rank that writes: what is kept of an iteration."""
        return

    def checked(self) -> list[dict[str, Any]]:
        """The report of all checks so far."""
        return [] if self.checks is None else self.checks.report()

    # --- checkpoints -----------------------------------------------------------------------------------

    def state(self) -> dict[str, Any] | None:
        """What a checkpoint holds; ``None`` on ranks that write nothing. Called on all."""
        parts = self.ranks.gather(self.trainer.state_dict())
        if not self.result.writes:
            return None
        return {"settings": asdict(self.settings), "trainer": parts, **self.kept()}

    def restore(self, saved: checkpoint.Saved) -> None:
        """Go on from a checkpoint.

        Raises:
            InputError: ``ranks_differ``.
            DataError: it is not of these settings.
        """
        if len(saved.trainer) != self.ranks.size:
            raise InputError(
                "ranks_differ",
                f"The checkpoint is of {len(saved.trainer)} ranks, and this run has {self.ranks.size}.",
            )
        try:
            self.trainer.load_state_dict(saved.trainer[self.ranks.rank])
            self.restored(saved)
        except DataError as error:
            where = shown(self.options.folder)
            raise DataError(error.code, f"The checkpoint in {where}: {error.message}") from error

    # --- the loop --------------------------------------------------------------------------------------

    def go(self, resumed: bool, show: Show) -> None:
        """Train until all is done, a check fails or a signal stops it; what it came to is in ``result``."""
        result, start = self.result, time.perf_counter()
        self.first = self.done
        log: Log | None = None
        try:
            with contextlib.ExitStack() as held:
                if self.options.log is not None and result.writes:
                    resumed_at = self.first if resumed else None
                    log = held.enter_context(Log(self.options.log, resumed_at, self.steps_key))
                stop = held.enter_context(stop_requests())
                self.begin(resumed)
                self._train(start, log, show, stop)
        except CheckFailed as error:
            result.failure = error
        if log is not None and log.problem is not None:
            result.problems["log"] = log.problem
        result.seconds = time.perf_counter() - start
        result.iterations, result.trained = self.iterations, self.done - self.first
        result.checks = self.checked()

    def _train(self, start: float, log: Log | None, show: Show, stop: list[int]) -> None:
        result, folder = self.result, self.options.folder
        while self.done < self.planned and not self.finished:
            metrics = self.advance()
            if result.writes:
                self._note(metrics, time.perf_counter() - start, log, show)
            self.look()
            if self.ranks.any_rank(bool(stop)) and not self.finished:
                result.signal = stop[0] if stop else signal.SIGINT
                folder = folder or free_folder(self.name)
                self._save(folder)
                result.saved = None if "checkpoint" in result.problems else folder
                return
            if folder and self.iterations % self.options.every == 0:
                self._save(folder)
        self.end()
        if folder:
            self._save(folder)

    def _note(self, metrics: Any, seconds: float, log: Log | None, show: Show) -> None:
        self.noted(metrics)
        if log is not None:
            log.write({**asdict(metrics), "seconds": round(seconds, 3)})
        show(Progress(metrics, seconds, self.done - self.first, self.planned - self.done, self.checked()))

    def _save(self, folder: Path) -> None:
        """Every rank's part of the state, written by rank 0."""
        state = self.state()
        if state is None:
            return
        self.result.problems.pop("checkpoint", None)
        try:
            self.format.save(folder, state)
        except InputError as error:  # a full disk; training goes on, and the next one may fit
            self.result.problems["checkpoint"] = error


def conduct(kind: type[Run], settings: Any, options: Options, show: Show) -> Any:
    """One run from beginning to end, and its result.

    Args:
        settings: ignored but for ``steps`` when a checkpoint is resumed.
        show: called after every iteration, on rank 0.

    Raises:
        InputError: a device, folder or file cannot be used, or the work does not divide among the ranks.
        DataError: the checkpoint to resume is not one.
    """
    settings.check()
    device = device_of(options)
    with contextlib.ExitStack() as held:
        claim(held, options, kind.format)
        saved: checkpoint.Saved | None = None
        if options.resume and options.folder is not None:
            saved = kind.format.read(options.folder)
            settings = replace(saved.settings, steps=settings.steps)
        held.enter_context(one_thread(device))
        ranks = held.enter_context(group(device, *kind.shared(settings)))
        run = kind(settings, options, device, ranks)  # type: ignore[arg-type]
        held.callback(run.close)
        if saved is not None:
            run.restore(saved)
        run.go(saved is not None, show)
    return run.result


def device_of(options: Options) -> torch.device:
    """Where a run computes.

    Raises:
        InputError: ``unknown_device``, or as `torch_device`.
    """
    device = local_device(torch_device(options.device))
    if device.type == "meta":
        raise InputError(
            "unknown_device", "On the device 'meta' nothing is computed.", "Use --device cpu or auto."
        )
    return device


def claim(held: contextlib.ExitStack, options: Options, form: checkpoint.Format) -> None:
    """Keep other runs from the folder of the checkpoints for as long as ``held``.

    Raises:
        InputError: ``resume_from_where``, ``checkpoint_exists``, or as `checkpoint.locked`.
        DataError: as `checkpoint.Format.load`.
    """
    folder = options.folder
    if options.resume:
        if folder is None:
            raise InputError("resume_from_where", "--resume needs --checkpoint DIR, to say from where.")
        form.load(folder)  # a folder without one is not made, nor locked
    if folder is not None and is_first():
        held.enter_context(checkpoint.locked(folder))
    if folder is not None and not options.resume and (folder / checkpoint.NAME).exists():
        raise InputError(
            "checkpoint_exists",
            f"There is a checkpoint in {shown(folder)} already.",
            "Add --resume to go on from it, or name another folder.",
        )


def free_folder(name: str) -> Path:
    """Where an interrupted run without ``--checkpoint`` goes: never over another one's checkpoint."""
    names = (name if number == 1 else f"{name}-{number}" for number in count(1))
    return next(path for path in map(Path, names) if not path.exists())


@contextlib.contextmanager
def one_thread(device: torch.device = torch.device("cpu")) -> Iterator[None]:
    """On a CPU, networks this small are slower on two threads than on one."""
    before = torch.get_num_threads()
    if device.type == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def stop_requests() -> Iterator[list[int]]:
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
