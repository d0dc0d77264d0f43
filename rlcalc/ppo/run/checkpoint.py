"""Checkpoints: written whole or not at all, and read without running anything.

A file is one line of text, ``rlcalc-ppo VERSION SHA256``, and then what
`torch.save` makes of plain containers and tensors. The line says whose file
it is and the sum whether it is whole, before anything is unpacked; unpacking
loads weights only.
"""

from __future__ import annotations

import hashlib
import os
from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from rlcalc.errors import DataError, InputError, shown

MAGIC = b"rlcalc-ppo"
VERSION = 1
NAME = "checkpoint.pt"


def save(folder: Path, state: dict[str, Any]) -> Path:
    """Write a checkpoint to a temporary name, and rename it when it is on the disk.

    Raises:
        InputError: ``checkpoint_unwritable``.
    """
    packed = BytesIO()
    torch.save(state, packed)
    payload = packed.getvalue()
    head = b"%s %d %s\n" % (MAGIC, VERSION, hashlib.sha256(payload).hexdigest().encode())
    target, temporary = folder / NAME, folder / f".{NAME}.new"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(head + payload)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        raise InputError(
            "checkpoint_unwritable", f"No checkpoint can be written to {shown(folder)}: {error.strerror}."
        ) from error
    return target


def load(folder: Path) -> dict[str, Any]:
    """The checkpoint in a folder.

    Raises:
        InputError: ``checkpoint_missing``.
        DataError: ``checkpoint_foreign`` (not one of ours), ``checkpoint_version``
            (of another version of the format), ``checkpoint_damaged`` (ours, but
            not what was written), ``checkpoint_unsafe`` (holds more than weights).
    """
    path = folder / NAME
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(
            "checkpoint_missing", f"There is no checkpoint in {shown(folder)}.", "Start without --resume."
        ) from None
    except OSError as error:
        raise DataError(
            "checkpoint_damaged", f"The checkpoint {shown(path)} cannot be read: {error.strerror}."
        ) from error
    head, newline, payload = content.partition(b"\n")
    words = head.split(b" ")
    if not content:
        raise _damaged(path, "it is empty")
    if words[0] != MAGIC:
        raise DataError("checkpoint_foreign", f"{shown(path)} is not a checkpoint of rlcalc ppo-run.")
    if len(words) != 3 or not newline or not words[1].isdigit():
        raise _damaged(path, "its first line is cut off")
    if int(words[1]) != VERSION:
        age = "an older" if int(words[1]) < VERSION else "a newer"
        raise DataError(
            "checkpoint_version",
            f"{shown(path)} has format {int(words[1])}, of {age} rlcalc; this one reads format {VERSION}.",
            "Go on with the rlcalc that wrote it, or start anew.",
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
        raise DataError("checkpoint_foreign", f"{shown(path)} holds no run of rlcalc ppo-run.")
    return state


def _damaged(path: Path, why: str) -> DataError:
    return DataError(
        "checkpoint_damaged", f"The checkpoint {shown(path)} is damaged: {why}.", "Start without --resume."
    )
