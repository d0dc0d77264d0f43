"""Checkpoints: written whole or not at all, and read without running anything.

A file is one line of text, ``rlcalc-… VERSION SHA256``, and then what
`torch.save` makes of plain containers and tensors. The line says whose file
it is and the sum whether it is whole, before anything is unpacked; unpacking
loads weights only.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from rlcalc.errors import DataError, InputError, RlcalcError, shown
from rlcalc.files import read_bytes, replacing
from rlcalc.records import Place, read_record
from rlcalc.training.settings import from_mapping

NAME = "checkpoint.pt"
MOST_BYTES = 1 << 32


@dataclass(frozen=True)
class Saved:
    """What any checkpoint holds; that of a command adds what its results do.

    Attributes:
        trainer: the state of each rank's trainer.
    """

    settings: Any
    trainer: tuple[Any, ...]


def are_pairs(value: Any) -> str:
    """What keeps a list from being pairs of steps and a number; "" if nothing."""
    right = all(
        isinstance(pair, list | tuple) and [type(x) for x in pair] == [int, float] and pair[0] >= 0
        for pair in value
    )
    return "" if right else "expected pairs of an integer and a decimal number."


def are_finite_pairs(value: Any) -> str:
    return are_pairs(value) or ("" if all(math.isfinite(x) for _, x in value) else "a number is not finite.")


@dataclass(frozen=True)
class Format:
    """Whose checkpoints.

    Attributes:
        magic: the first word of a file.
        command: that writes them.
        saved: what they hold, a dataclass.
        settings: the dataclass of the settings in them.
        version: of what they hold.
    """

    magic: bytes
    command: str
    saved: type[Saved]
    settings: type
    version: int = 1

    def save(self, folder: Path, state: dict[str, Any]) -> Path:
        """Write a checkpoint to a temporary name, and rename it when it is on the disk.

        Raises:
            InputError: ``checkpoint_unwritable``.
        """
        packed = BytesIO()
        torch.save(state, packed)
        payload = packed.getvalue()
        head = b"%s %d %s\n" % (self.magic, self.version, hashlib.sha256(payload).hexdigest().encode())
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with replacing(folder / NAME) as file:
                file.write(head + payload)
                file.flush()
                os.fsync(file.fileno())
        except (OSError, InputError) as error:
            raise _unwritable(folder, error) from error
        return folder / NAME

    def load(self, folder: Path) -> dict[str, Any]:
        """What stands in the checkpoint in a folder, as it stands there.

        Raises:
            InputError: ``checkpoint_missing``.
            DataError: ``checkpoint_foreign`` (not one of ours), ``checkpoint_version``
                (of another version of the format), ``checkpoint_damaged`` (ours, but
                not what was written), ``checkpoint_unsafe`` (holds more than weights).
        """
        path = folder / NAME
        if not path.exists():
            raise InputError(
                "checkpoint_missing", f"There is no checkpoint in {shown(folder)}.", "Start without --resume."
            )
        try:
            content = read_bytes(path, MOST_BYTES)
        except DataError as error:
            raise DataError("checkpoint_damaged", error.message) from error
        head, newline, payload = content.partition(b"\n")
        words = head.split(b" ")
        if not content:
            raise _damaged(path, "it is empty")
        if words[0] != self.magic:
            raise DataError(
                "checkpoint_foreign", f"{shown(path)} is not a checkpoint of rlcalc {self.command}."
            )
        if len(words) != 3 or not newline or not words[1].isdigit():
            raise _damaged(path, "its first line is cut off")
        if words[1] != b"%d" % self.version:
            raise DataError(
                "checkpoint_version",
                f"{shown(path)} has format {words[1].decode()[:20]}; "
                f"this rlcalc reads format {self.version}.",
                "Resume with the rlcalc that wrote it, or start again.",
            )
        if hashlib.sha256(payload).hexdigest().encode() != words[2]:
            raise _damaged(path, "its content is not what was written")
        try:
            state = torch.load(BytesIO(payload), map_location="cpu", weights_only=True)
        except Exception as error:  # torch raises its own, pickle's and zip's errors
            raise DataError(
                "checkpoint_unsafe",
                f"{shown(path)} holds more than numbers and names, and is not unpacked.",
            ) from error
        if not isinstance(state, dict) or not {"settings", "trainer"} <= state.keys():
            raise DataError("checkpoint_foreign", f"{shown(path)} holds no run of rlcalc {self.command}.")
        return state

    def read(self, folder: Path) -> Any:
        """The checkpoint in a folder as ``saved``, with everything in it of the type that it should have.

        What trainer and environments make of their states shows when they take them.

        Raises:
            InputError, DataError: as `load` and `from_mapping`.
        """
        state = self.load(folder)
        place = Place(str(folder / NAME), code="checkpoint_foreign")
        try:
            settings = from_mapping(self.settings, state.pop("settings"))
            return read_record(self.saved, state, place, settings=settings)
        except RlcalcError:
            raise
        except (ValueError, OverflowError, RecursionError):
            place.refuse("it holds a number or a list that is too large to be of a run.")


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """A folder that no other run writes to meanwhile; made where there is none.

    The lock is the kernel's and ends with the process, however that ends, so
    none is ever left over. Without such locks (Windows) there is none.

    Raises:
        InputError: ``checkpoint_unwritable``, ``checkpoint_in_use``.
    """
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, "permission denied")
        handle = _lock(folder)
    except BlockingIOError:
        raise InputError(
            "checkpoint_in_use",
            f"Another run is writing its checkpoints to {shown(folder, 300)}.",
            "Wait until it has ended, or name another folder.",
        ) from None
    except OSError as error:
        raise _unwritable(folder, error) from error
    for rest in folder.glob(f".{NAME}.*"):  # of a run that was killed while it wrote
        rest.unlink(missing_ok=True)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)
        if made:
            with contextlib.suppress(OSError):
                folder.rmdir()  # if the run never came to write anything


def _lock(folder: Path) -> int | None:
    try:
        import fcntl
    except ImportError:
        return None
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise
    except OSError:  # a file system without locks
        os.close(handle)
        return None
    return handle


def _damaged(path: Path, why: str) -> DataError:
    return DataError(
        "checkpoint_damaged", f"The checkpoint {shown(path)} is damaged: {why}.", "Start without --resume."
    )


def _unwritable(folder: Path, error: OSError | InputError) -> InputError:
    why = error.message if isinstance(error, InputError) else f"{error.strerror or error}."
    return InputError("checkpoint_unwritable", f"No checkpoint can be written to {shown(folder)}: {why}")
