"""An iteration as one launch: recorded once, then replayed in the same memory.

Networks this small keep a GPU busy for two microseconds per kernel, and
Python takes ten to launch one. A CUDA graph launches all kernels of an
iteration at once, rollout and update, with every number that they had when
they were recorded. It runs the same kernels in the same order as the eager
trainer, so that a captured run computes what an eager one does; a compiler
would fuse some of them, at the price of half a minute before the first step
and of other rounding.

What a recording asks of the recorded code, and what the trainer does for it:

- no shape and no branch depends on data: environments reset by selecting;
- nothing waits for the device: numbers are read after the replay;
- whatever the next iteration starts from is written in place (observations,
  parameters, moments, counts), and Python numbers that change are tensors;
- every random number comes from a generator that the graph knows.

A watcher runs Python and reads numbers, so it cannot be recorded. `_Later`
stands in for it while recording and keeps what it would have been shown;
after each replay the watcher sees the same tensors, filled again, with the
parameters that the rollout began with put back for as long as it looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from rlcalc.ppo.records import Batch, Losses, Rollout, Work
from rlcalc.ppo.train import Trainer, Watcher
from rlcalc.training.optimiser import Optimiser

T = TypeVar("T")
# the first kernel of a kind loads its module and makes its workspace, which no recording may do
WARM_UP = 2  # iterations


class Graph(Protocol):
    """Work of the device that can be repeated."""

    def record(self, work: Callable[[], T]) -> T:
        """Call ``work`` once without running its kernels; what it returns is filled by each replay."""
        ...

    def replay(self) -> None:
        """Run the kernels once more, on what now stands in the tensors they read."""
        ...


class CudaGraph:
    """`Graph` on a GPU.

    Args:
        generators: all that the recorded work draws from.
    """

    def __init__(self, generators: Iterable[torch.Generator]) -> None:
        self._graph = torch.cuda.CUDAGraph()
        for generator in generators:
            self._graph.register_generator_state(generator)

    def record(self, work: Callable[[], T]) -> T:
        with torch.cuda.graph(self._graph):
            return work()

    def replay(self) -> None:
        self._graph.replay()


def can_capture(trainer: Trainer) -> bool:
    """Whether iterations can be replayed: one GPU, and an environment that lives on it.

    Several ranks wait for each other in the middle of an update; they run eagerly.
    """
    env = trainer.env
    return env.device.type == "cuda" and env.generator is not None and trainer.ranks.size == 1


def capture(trainer: Trainer, graph: Graph | None = None) -> None:
    """Let the trainer replay its iterations from now on.

    Args:
        trainer: has done `WARM_UP` iterations at least, and `can_capture` is true of it.
        graph: instead of one of its GPU.
    """
    if graph is None:
        graph = CudaGraph(g for g in (trainer.generator, trainer.env.generator) if g is not None)
    trainer.do = _Captured(trainer, graph)
    if trainer.watcher is not None:
        trainer.watcher.captured()


class _Captured:
    """`Trainer.work`, replayed."""

    def __init__(self, trainer: Trainer, graph: Graph) -> None:
        self._trainer, self._graph, self._watcher = trainer, graph, trainer.watcher
        self._began_with = torch.empty_like(trainer.optimiser.flat)
        self._later = _Later()
        if self._watcher is not None:
            trainer.watcher = self._later
        try:
            self._done = graph.record(self._work)
        finally:
            trainer.watcher = self._watcher

    def _work(self) -> Work:
        self._began_with.copy_(self._trainer.optimiser.flat)
        return self._trainer.work()

    def __call__(self) -> Work:
        self._graph.replay()
        if self._watcher is not None:
            with _with_parameters(self._trainer.optimiser, self._began_with):
                for event in self._later.events:
                    event(self._watcher)
        return self._done


@contextmanager
def _with_parameters(optimiser: Optimiser, other: Tensor) -> Iterator[None]:
    """Other parameters in the network for the length of a block."""
    own = optimiser.flat.clone()
    optimiser.flat.copy_(other)
    try:
        yield
    finally:
        optimiser.flat.copy_(own)


class _Later(Watcher):
    """A watcher that keeps what it is shown for another one.

    The first step of a run is never recorded, since warming up came before,
    and what reads numbers is not either.
    """

    def __init__(self) -> None:
        self.events: list[Callable[[Watcher], None]] = []

    def advantages(self, trainer: Trainer, rollout: Rollout, raw: Tensor, batch: Batch) -> None:
        self.events.append(lambda watcher: watcher.advantages(trainer, rollout, raw, batch))

    def first_minibatch(self, trainer: Trainer, epoch: int, batch: Batch, losses: Losses) -> None:
        # the graph of the losses would keep every activation of the minibatch
        bare = losses.detached()
        self.events.append(lambda watcher: watcher.first_minibatch(trainer, epoch, batch, bare))
