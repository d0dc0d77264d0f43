"""A command line in a fork of a process that has imported everything: thousands of runs, each on its own."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

CPU = 5  # seconds of processor time that one command may take
MEMORY = 2**30  # bytes, over what the parent holds already
ANSWERS = frozenset({0, 1, 2})
CHECKS = frozenset({"verify", "conform", "audit", "golden", "ppo-run", "peers"})


@dataclass(frozen=True)
class Run:
    """What one command line did."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str
    seconds: float
    memory: int

    def problems(self) -> list[str]:
        """Everything that must not be, in words; empty of a run that is as it should be."""
        found = []
        if self.code not in ANSWERS:
            found.append(f"exit code {self.code}")
        if self.code == 1 and self.words[0] not in CHECKS:
            found.append("a false alarm: the backends are said to disagree")
        if "Traceback (most recent call last)" in self.out + self.err:
            found.append("a traceback")
        if self.code == 2 and not self.err.strip():
            found.append("refused without a word")
        if self.seconds > CPU:
            found.append(f"{self.seconds:.1f} s of processor time")
        if self.memory > MEMORY:
            found.append(f"{self.memory / 2**20:.0f} MiB")
        if "--json" in self.words:
            text = self.out if self.code != 2 else (self.err.strip().splitlines() or [""])[-1]
            if not _is_json(text):
                found.append("JSON that is none")
        if any(
            ord(c) in range(0x80, 0xA0) or (ord(c) < 32 and c not in "\n\t\r") for c in self.out + self.err
        ):
            found.append("a raw control character")
        return found


def _is_json(text: str) -> bool:
    def refuse(name: str) -> None:
        raise ValueError(name)

    try:
        json.loads(text, parse_constant=refuse)
    except ValueError:
        return False
    return True


def end_with_parent() -> None:
    """Have the kernel end this process when the one that started it ends, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG


def run(words: Sequence[str], stdin: bytes = b"") -> Run:
    """Run one command line in a fork, with limits on processor time and address space.

    The caller imports what should be shared (NumPy, SymPy) before; a fork of a process with
    threads is not safe, so Torch is left to a run that asks for it.
    """
    from rlcalc.cli import main

    with contextlib.ExitStack() as stack:
        out, err, given = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(3))
        given.write(stdin)
        given.seek(0)
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child == 0:  # pragma: no cover - in the fork
            code = 70
            end_with_parent()
            try:
                for number, file in enumerate((given, out, err)):
                    os.dup2(file.fileno(), number)
                sys.stdin, sys.stdout, sys.stderr = (
                    os.fdopen(number, mode, encoding="utf-8") for number, mode in enumerate("rww")
                )
                resource.setrlimit(resource.RLIMIT_CPU, (CPU + 3, CPU + 4))
                held = _address_space()
                resource.setrlimit(resource.RLIMIT_AS, (held + 2 * MEMORY, held + 2 * MEMORY))
                code = main(words)
            except SystemExit as error:
                code = error.code if isinstance(error.code, int) else 70
            except BaseException:
                traceback.print_exc()
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)
        before = _own_memory()
        _, status, usage = os.wait4(child, 0)
        out.seek(0)
        err.seek(0)
        code = os.waitstatus_to_exitcode(status)
        return Run(
            tuple(words),
            -signal.SIGXCPU if code == -signal.SIGKILL else code,
            out.read().decode("utf-8", "replace"),
            err.read().decode("utf-8", "replace"),
            usage.ru_utime + usage.ru_stime,
            max(0, usage.ru_maxrss * 1024 - before),
        )


def _address_space() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def _own_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
