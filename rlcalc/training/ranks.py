"""Several processes that train one network: what each must agree on with the others.

``torchrun --nproc-per-node=N -m rlcalc ppo-run`` starts N of them. Each has
its share of what is sampled (environments, or prompts); gradients and the
statistics of the advantages are summed over all, so that N processes make
the step that one would make alone. Rank 0 writes and prints.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor

from rlcalc.errors import CheckFailed, InputError

TIMEOUT_SECONDS = 60.0


class Ranks:
    """One process on its own; nothing to agree on."""

    rank = 0
    size = 1

    def sum(self, x: Tensor) -> Tensor:
        """The sum of x over all ranks."""
        return x

    def average_(self, gradient: Tensor) -> None:
        """Replace a gradient by the mean of all ranks'."""

    def any_rank(self, flag: bool) -> bool:
        """Whether any rank says so."""
        return flag

    def gather(self, part: dict[str, Any]) -> list[dict[str, Any]]:
        """Every rank's part, in order; complete on rank 0."""
        return [part]


SINGLE = Ranks()


class Group(Ranks):
    """This process among the others of an initialised process group."""

    def __init__(self, device: torch.device) -> None:
        import torch.distributed as dist

        self._dist = dist
        self.rank, self.size, self.device = dist.get_rank(), dist.get_world_size(), device

    def sum(self, x: Tensor) -> Tensor:
        whole = x.clone()
        self._reduce(whole)
        return whole

    def average_(self, gradient: Tensor) -> None:
        self._reduce(gradient)
        gradient.div_(self.size)

    def any_rank(self, flag: bool) -> bool:
        return bool(self.sum(torch.tensor(int(flag), device=self.device)).item())

    def gather(self, part: dict[str, Any]) -> list[dict[str, Any]]:
        parts: list[Any] = [None] * self.size
        with self._together():
            self._dist.gather_object(part, parts if self.rank == 0 else None)
        return parts

    def _reduce(self, x: Tensor) -> None:
        with self._together():
            self._dist.all_reduce(x)

    @contextlib.contextmanager
    def _together(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            cause = str(error).strip().splitlines() or ["no reason given"]
            raise CheckFailed(
                "rank_lost",
                f"Rank {self.rank} has lost another rank of this run: {cause[0][:160]}",
                "Start all ranks again with --resume; the last checkpoint is whole.",
            ) from error


def launched() -> bool:
    """Whether torchrun (or a caller who sets its variables) started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def is_first() -> bool:
    """Whether this process is the rank that reads and writes files; known before the ranks have met."""
    return not launched() or os.environ.get("RANK", "0") == "0"


def local_device(device: torch.device) -> torch.device:
    """The device of this rank: its own GPU where there are several."""
    if launched() and device.type == "cuda" and device.index is None:
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return device


@contextlib.contextmanager
def group(
    device: torch.device, count: int, what: str = "environments", timeout: float = TIMEOUT_SECONDS
) -> Iterator[Ranks]:
    """The ranks of this run; a process on its own when nothing started several.

    A rank that dies ends the others: their next collective fails, at once
    when a connection breaks and after ``timeout`` seconds when a rank hangs.

    Raises:
        InputError: ``envs_uneven`` (as ``what`` says), ``ranks_unreachable``.
    """
    if not launched():
        yield SINGLE
        return
    import torch.distributed as dist

    size = int(os.environ["WORLD_SIZE"])
    if count % size:
        code = "envs_uneven" if what == "environments" else f"{what}_uneven"
        raise InputError(code, f"{count} {what} do not divide evenly among {size} ranks.")
    backend = "nccl" if device.type == "cuda" else "gloo"
    if device.type == "cuda":  # NCCL moves objects over the current device
        torch.cuda.set_device(device)
    try:
        dist.init_process_group(backend, timeout=timedelta(seconds=timeout))
    except (RuntimeError, ValueError) as error:
        raise InputError("ranks_unreachable", f"The ranks of this run did not meet: {error}") from error
    try:
        yield Group(device)
    finally:
        # without a barrier: a rank that failed must not wait for the others
        with contextlib.suppress(RuntimeError):
            dist.destroy_process_group()
