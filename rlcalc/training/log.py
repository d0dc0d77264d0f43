"""The JSON lines of a run: one per iteration, added to what the file holds already."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rlcalc.errors import InputError, RlcalcError, shown
from rlcalc.files import read_text, write_text

MOST_BYTES = 1 << 30


def finite(value: Any) -> Any:
    """A number as JSON can hold it: ``None`` for NaN and the infinities."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


class Log:
    """A log that is open for writing.

    Args:
        key: the first of a line, under which the steps stand that were done by then.
        resumed_at: steps of the checkpoint that a run goes on from; lines of
            later steps are taken out, since they come again.

    Attributes:
        problem: why nothing is written any more, such as a full disk; the run goes on.

    Raises:
        InputError: ``log_unwritable``; ``log_foreign``, when the file holds something else.
    """

    def __init__(self, path: Path, resumed_at: int | None = None, key: str = "env_steps") -> None:
        self.path = path
        self.problem: InputError | None = None
        try:
            if path.is_file():
                _prepare(path, resumed_at, key)
            self._file = path.open("a", encoding="utf-8")
        except (OSError, RlcalcError) as error:
            raise _unwritable(path, error) from error

    def write(self, line: Mapping[str, Any]) -> None:
        """One line, at once on its way to the disk."""
        if self.problem is not None:
            return
        text = json.dumps({key: finite(value) for key, value in line.items()}, allow_nan=False)
        try:
            self._file.write(text + "\n")
            self._file.flush()
        except OSError as error:
            self.problem = _unwritable(self.path, error)

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._file.close()
        except OSError as error:  # what could not be flushed is tried again here
            self.problem = self.problem or _unwritable(self.path, error)


def _prepare(path: Path, resumed_at: int | None, key: str) -> None:
    """Take out lines at the end that come again, and one that a killed run left half written."""
    text = read_text(path, MOST_BYTES)
    lines = text.splitlines()
    kept = list(lines)
    cut_short = bool(kept) and not text.endswith("\n") and _steps(kept[-1], key) is None
    begins = f'{{"{key}"'
    if cut_short and begins.startswith(kept[-1][: len(begins)]):
        kept.pop()
    steps = [_steps(line, key) for line in kept]
    if None in steps:
        raise InputError(
            "log_foreign",
            f"--log {shown(path)} exists and is not the log of a run: line {steps.index(None) + 1} "
            f"is {shown(kept[steps.index(None)], 30)}.",
            "Name another file.",
        )
    # only those at the end are of this run: earlier ones may be of another
    while resumed_at is not None and kept and (_steps(kept[-1], key) or 0) > resumed_at:
        kept.pop()
    whole = "".join(line + "\n" for line in kept)
    if whole != text:
        write_text(path, whole)


def _steps(line: str, key: str) -> int | None:
    """Steps of a line of ours, ``None`` of any other."""
    try:
        steps = json.loads(line)[key]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return steps if type(steps) is int else None


def _unwritable(path: Path, error: OSError | RlcalcError) -> InputError:
    if isinstance(error, InputError) and error.code == "log_foreign":
        return error
    why = error.message if isinstance(error, RlcalcError) else f"{error.strerror or error}."
    return InputError("log_unwritable", f"The log {shown(path)} cannot be written: {why}")
