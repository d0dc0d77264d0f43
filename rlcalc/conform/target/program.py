"""A target in any language: a program that answers one line of JSON with another.

The protocol is specified in ``specs/conform-protocol.md``. The program is
started once, without a shell, and asked one case after the other; numbers go
out with as many digits as their dtype needs and come back the same way.
"""

from __future__ import annotations

import json
import os
import selectors
import shlex
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from rlcalc.conform.outcome import Outcome, read_answer
from rlcalc.conform.target.base import Target
from rlcalc.conform.target.time_limit import end_group
from rlcalc.conform.vectors import Vector
from rlcalc.errors import InputError, shown

SCHEMA = "rlcalc-case-1"
WORDS = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}
# an answer is some numbers for 64 steps, not a file
LONGEST_LINE = 10_000_000


@dataclass
class _Talk:
    """The running program, which copies of a target share."""

    process: subprocess.Popen[bytes] | None = None
    errors: Any = None
    pending: bytes = b""


class Program(Target):
    """A program under test, spoken to through its standard input and output."""

    def __init__(self, command: str, limit: float = 5.0) -> None:
        try:
            self.words = shlex.split(command)
        except ValueError as error:
            raise InputError("command_syntax", f"{shown(command)} is no command: {error}.") from error
        if not self.words:
            raise InputError("command_syntax", "--exec has no command.")
        super().__init__(command, self._never, limit=limit)
        self.talk = _Talk()

    def _never(self) -> None:
        raise AssertionError("a program is asked, not called")

    def call(self, vector: Vector, dtype: str = "float64", change: Any = None) -> Outcome:
        """Ask for one case; a program that died or fell silent is started anew for the next."""
        line = json.dumps(case_json(vector, dtype, self.arguments(vector, dtype, change)), allow_nan=False)
        try:
            answer = self._ask(line.encode() + b"\n")
        except TimeoutError:
            self.close()
            return Outcome("hangs", detail=f"no answer within {self.limit:g} s")
        except EOFError as error:
            self.close()
            return Outcome("raises", detail=str(error), died=True)
        return read_line(vector, answer)

    def _ask(self, line: bytes) -> bytes:
        process = self.talk.process or self._start()
        assert process.stdin is not None
        try:
            process.stdin.write(line)
            process.stdin.flush()
        except (BrokenPipeError, OSError):
            raise EOFError(self._last_words("it ended before it was asked")) from None
        return self._line(process)

    def _line(self, process: subprocess.Popen[bytes]) -> bytes:
        """One line of standard output, or TimeoutError, or EOFError."""
        import time

        assert process.stdout is not None
        until = time.monotonic() + self.limit
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while b"\n" not in self.talk.pending:
                left = until - time.monotonic()
                if left <= 0 or not selector.select(left):
                    raise TimeoutError
                part = os.read(process.stdout.fileno(), 65536)
                if not part:
                    raise EOFError(self._last_words("it ended without an answer"))
                self.talk.pending += part
                if len(self.talk.pending) > LONGEST_LINE:
                    raise EOFError("its answer has no end")
        line, _, self.talk.pending = self.talk.pending.partition(b"\n")
        return line

    def _start(self) -> subprocess.Popen[bytes]:
        self.talk.pending = b""
        # what it complains about goes to a file, where it cannot fill a pipe and stop
        self.talk.errors = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            self.talk.process = subprocess.Popen(
                self.words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.talk.errors,
                # with a group of its own, what it starts can be ended with it
                start_new_session=True,
            )
        except OSError as error:
            self.talk.errors.close()
            raise InputError(
                "command_not_found", f"{shown(self.words[0])} cannot be started: {error.strerror}."
            ) from error
        return self.talk.process

    def _last_words(self, what: str) -> str:
        code = None
        if self.talk.process is not None:
            try:
                code = self.talk.process.wait(1.0)
            except subprocess.TimeoutExpired:
                code = None
        self.talk.errors.seek(0)
        lines = self.talk.errors.read().decode("utf-8", "replace").strip().splitlines()
        tail = f": {lines[-1]}" if lines else ""
        return f"{what}, exit code {code}{tail}"

    def close(self) -> None:
        """End the program."""
        process, self.talk.process = self.talk.process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):  # what was buffered for a program that is gone
                if pipe is not None:
                    pipe.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.5)
        end_group(process)
        self.talk.errors.close()


def case_json(vector: Vector, dtype: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A case as the program reads it."""
    return {
        "schema": SCHEMA,
        "id": vector.id,
        "formula": vector.formula.name,
        "dtype": dtype,
        "given": {name: _json(_narrow(value, dtype)) for name, value in arguments.items()},
    }


def _narrow(value: Any, dtype: str) -> Any:
    """A single number, which Python only has in double, as one of the dtype."""
    import numpy as np

    return np.asarray(value, dtype) if isinstance(value, float) else value


def _json(value: Any) -> Any:
    """Numbers in as many digits as their dtype needs; what JSON lacks, as words."""
    if isinstance(value, Mapping):
        return {name: _json(part) for name, part in value.items()}
    if hasattr(value, "tolist"):
        kind = value.dtype.kind
        if kind == "f" and value.dtype.itemsize < 8:
            # the shortest decimal of the narrow dtype, which its reader rounds back
            return _floats([float(str(x)) for x in value.ravel()], value.shape)
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_json(part) for part in value]
    if isinstance(value, float):
        return value if value - value == 0 else _word(value)
    return value


def _floats(numbers: list[float], shape: tuple[int, ...]) -> Any:
    if not shape:
        return _json(numbers[0])
    size = len(numbers) // shape[0] if shape[0] else 0
    return [_floats(numbers[k * size : (k + 1) * size], shape[1:]) for k in range(shape[0])]


def _word(value: float) -> str:
    return "nan" if value != value else "inf" if value > 0 else "-inf"


def read_line(vector: Vector, line: bytes) -> Outcome:
    """An answer as an outcome; whatever the line holds, nothing in it is executed."""
    try:
        found = json.loads(line, parse_constant=lambda word: WORDS[word.lower().replace("infinity", "inf")])
    except (ValueError, RecursionError):
        return Outcome("raises", detail=f"its answer is no JSON: {shown(line.decode('utf-8', 'replace'))}")
    if not isinstance(found, dict):
        return Outcome("raises", detail="its answer is no JSON object")
    if found.get("id") not in (None, vector.id):
        return Outcome("raises", detail=f"it answers {shown(found['id'])}, but was asked {vector.id}")
    if "error" in found:
        lines = str(found["error"]).strip().splitlines()
        return Outcome("raises", detail=lines[0] if lines else "error")
    value = found.get("outputs", found.get("answer"))
    if value is None:
        return Outcome("raises", detail="its answer has neither 'answer' nor 'outputs' nor 'error'")
    try:
        return read_answer(vector.formula, _numbers(value))
    except TypeError as error:
        return Outcome("wrong-shape", detail=str(error))


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _numbers(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_numbers(part) for part in value]
    if isinstance(value, str) and value in WORDS:
        return WORDS[value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{shown(value)} is no number")
    return float(value)
