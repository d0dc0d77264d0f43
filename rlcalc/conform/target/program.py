"""A target in any language: a program that answers one line of JSON with another.

The protocol is specified in ``specs/conform-protocol.md``. The program is
started once, without a shell, and asked one case after the other; numbers go
out with as many digits as their dtype needs and come back the same way.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.outcome import Outcome, outcome_of, read_answer
from rlcalc.conform.target.base import Target
from rlcalc.conform.target.child import Child, Garbage, Service
from rlcalc.conform.vectors import Vector
from rlcalc.errors import InputError, shown
from rlcalc.nested import fold, map_nested

SCHEMA = "rlcalc-case-1"
WORDS = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}
# an answer is some numbers for 64 steps, not a file
LONGEST_LINE = 10_000_000
DEEPEST = 32


class Program(Target):
    """A program under test, spoken to through its standard input and output."""

    def __init__(self, command: str, limit: float = 5.0) -> None:
        try:
            self.words = shlex.split(command)
        except ValueError as error:
            raise InputError("command_syntax", f"{shown(command)} is not a command: {error}.") from error
        if not self.words:
            raise InputError("command_syntax", "--exec has no command.")
        if os.name != "posix":
            raise InputError("exec_unsupported", "--exec needs a POSIX system (Linux, macOS, WSL).")
        super().__init__(command, _never, limit=limit)
        self.service = Service(self._start)

    def call(self, vector: Vector, dtype: str = "float64", change: Any = None) -> Outcome:
        """Ask for one case; a program that died or fell silent is started again for the next."""
        line = json.dumps(case_json(vector, dtype, self.arguments(vector, dtype, change)), allow_nan=False)
        found = self.service.ask(line.encode() + b"\n", _line, self.limit)
        if isinstance(found, bytes):
            return read_line(vector, found)
        detail = ": ".join([found.detail, *found.frames[-1:]])
        return outcome_of(vector, replace(found, detail=detail, frames=()))

    @property
    def backends(self) -> tuple[str, ...]:
        """Numbers are all that it is sent."""
        return (self.backend,)

    def _start(self) -> Child:
        try:
            return Child(self.words)
        except OSError as error:
            raise InputError(
                "command_not_found", f"{shown(self.words[0])} cannot be started: {error.strerror}."
            ) from error

    def close(self) -> None:
        """End the program."""
        self.service.end(0.5)


def _never() -> None:
    raise AssertionError("a program is asked, not called")


def _line(data: bytearray) -> int:
    """Length of the first line; 0 while it has no end."""
    size = data.find(b"\n") + 1
    if not size and len(data) > LONGEST_LINE:
        raise Garbage("its answer has no end")
    return size


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
    return np.asarray(value, dtype) if isinstance(value, float) else value


def _json(value: Any) -> Any:
    """Numbers in as many digits as their dtype needs; what JSON lacks, as words."""
    if isinstance(value, Mapping):
        return {name: _json(part) for name, part in value.items()}
    if hasattr(value, "tolist"):
        if value.dtype.kind == "f" and value.dtype.itemsize < 8:
            # the shortest decimal of the narrow dtype, which its reader rounds back
            value = fold([float(str(x)) for x in value.ravel()], value.shape)
        else:
            value = value.tolist()
    return map_nested(_word, value)


def _word(value: Any) -> Any:
    if not isinstance(value, float) or value - value == 0:
        return value
    return "nan" if value != value else "inf" if value > 0 else "-inf"


def read_line(vector: Vector, line: bytes) -> Outcome:
    """An answer as an outcome; whatever the line holds, nothing in it is executed."""
    try:
        # an integer of a thousand digits is as infinite as a float that large
        found = json.loads(line, parse_constant=_constant, parse_int=float)
    except (ValueError, RecursionError):
        return _bad(f"its answer is not JSON: {shown(line.decode('utf-8', 'replace'))}")
    if not isinstance(found, dict):
        return _bad("its answer is not a JSON object")
    if found.get("id") not in (None, vector.id):
        return _bad(f"it answers {shown(found['id'])}, but was asked {vector.id}")
    if "error" in found:
        return _bad(next(iter(str(found["error"]).strip().splitlines()), "error")[:300])
    value = found.get("outputs", found.get("answer"))
    if value is None:
        return _bad("its answer has neither 'answer' nor 'outputs' nor 'error'")
    try:
        return read_answer(vector, _numbers(value))
    except TypeError as error:
        return Outcome("wrong-shape", detail=str(error))


def _bad(why: str) -> Outcome:
    return Outcome("raises", detail=why)


def _constant(word: str) -> float:
    return WORDS[word.lower().replace("infinity", "inf")]


def _numbers(value: Any, depth: int = 0) -> Any:
    if depth > DEEPEST:
        raise TypeError(f"its answer is nested more than {DEEPEST} deep")
    if isinstance(value, dict):
        return {name: _numbers(part, depth + 1) for name, part in value.items()}
    if isinstance(value, list):
        return [_numbers(part, depth + 1) for part in value]
    if isinstance(value, str) and value in WORDS:
        return WORDS[value]
    if not isinstance(value, float):
        raise TypeError(f"{shown(value)} is not a number")
    return value
