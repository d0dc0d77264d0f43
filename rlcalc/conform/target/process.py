"""A target in a process of its own, so that rlcalc outlives whatever it does.

What a call may do, and what is wanted then: spin inside compiled code, or
swallow every exception (``hangs``, after the time limit and no later); take
its process down (``raises``, with the signal). Neither can be had in one
process. An alarm is an exception that compiled code never looks at and
``except BaseException`` eats; a watchdog thread needs the lock that the call
may hold, and could only end everything, results included.

So the function runs in a child that can be killed, and of the ways to make
one this is a fresh interpreter:

- a forked copy would be cheaper by the import of NumPy, but CUDA and JAX do
  not work in forked children and thread pools of Torch and BLAS may deadlock
  there, which would be hangs of our own making;
- one child serves all calls. A round trip over two pipes takes about 0.1 ms,
  so a whole run costs some tenths of a second more, most of it the start;
- arguments and answers cross as NumPy arrays, bit by bit. The child makes
  tensors of them, compares its inputs before and after, and reads answers,
  so that nothing of the target's is imported here.

It leads a process group of its own and is killed with everything that it
started; it ends by itself when its input does, on Linux also in the middle
of a call when rlcalc is killed. ``--in-process`` and ``rlcalc.testing`` call
in this process, for a debugger and for a function in hand; see
``targets.from_function`` for what that costs.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from rlcalc.conform.target.base import DTYPES, JAX_NOTE, Target
from rlcalc.conform.target.call import Reply
from rlcalc.conform.target.time_limit import end_group
from rlcalc.conform.target.worker import LENGTH, START, send
from rlcalc.conform.vectors import Arrays
from rlcalc.errors import InputError, shown

# a first import of a large library from a cold disk takes its time
LOADING = 120.0
# a worker that is asked to end may have files to write
ENDING = 2.0
# whether it is gone is asked this often, for children of its own that keep the pipe open
LOOK = 0.1
CHUNK = 1 << 20


class Worker:
    """The child process, started anew when it was killed or died."""

    def __init__(self, target: str, backend: str, double: bool = True) -> None:
        self.target = target
        self.backend = backend
        self.double = double
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0

    def start(self) -> tuple[frozenset[str] | None, frozenset[str]]:
        """Start it: the keyword names that the function takes, and those that it needs.

        Raises:
            InputError: what ``loading.load_function`` raised there; ``target_import`` when it
                died or did not come back.
        """
        options = {
            "target": self.target,
            "backend": self.backend,
            "double": self.double,
            "path": sys.path,
            "parent": os.getpid(),
            "bound": threading.current_thread() is threading.main_thread(),
            # one report of where it crashed is enough
            "loud": not self.started,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self.started += 1
        try:
            found = self._receive(LOADING)
        except (TimeoutError, EOFError) as error:
            self.kill()
            why = str(error) or f"it did not end within {LOADING:g} s"
            raise InputError("target_import", f"Importing {shown(self.target)} failed: {why}.") from None
        if found[0] == "refused":
            self.end()
            raise InputError(*found[1:])
        return found[1], found[2]

    def ask(self, arguments: Arrays, limit: float) -> Reply:
        """One call; what happens to the process is a reply as well."""
        if self.process is None:
            self.start()
        assert self.process is not None
        assert self.process.stdin is not None
        try:
            # it may be gone since its last answer
            with contextlib.suppress(BrokenPipeError):
                send(self.process.stdin, arguments)
            reply: Reply = self._receive(limit)
            return reply
        except TimeoutError:
            self.kill()
            return Reply("hangs", detail=f"no answer within {limit:g} s")
        except EOFError as error:
            self.kill()
            return Reply("raises", detail=str(error), died=True)
        except BaseException:  # an interrupt, and a reply half read
            self.kill()
            raise

    def _receive(self, limit: float) -> Any:
        """One value, or TimeoutError, or EOFError with how it ended."""
        until = time.monotonic() + limit
        found = self._bytes(LENGTH.size, until)
        size = LENGTH.size + LENGTH.unpack(found[: LENGTH.size])[0]
        # nearly every value came with its length
        while len(found) < size:
            found += self._bytes(size - len(found), until)
        return pickle.loads(memoryview(found)[LENGTH.size :])

    def _bytes(self, least: int, until: float) -> bytearray:
        """So many bytes or more; never more than one value has, since nothing else was asked."""
        process = self.process
        assert process is not None
        assert process.stdout is not None
        pipe, found, poll = process.stdout.fileno(), bytearray(), select.poll()
        poll.register(pipe, select.POLLIN)
        while len(found) < least:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            ready = poll.poll(min(left, LOOK) * 1000)
            # one that is gone may have left its pipe to a child, and something to read
            if not ready and process.poll() is not None:
                ready = poll.poll(0)
                if not ready:
                    raise EOFError(self._how_it_ended())
            part = os.read(pipe, CHUNK) if ready else None
            if part == b"":
                raise EOFError(self._how_it_ended())
            found += part or b""
        return found

    def _how_it_ended(self) -> str:
        assert self.process is not None
        try:
            code = self.process.wait(LOOK)
        except subprocess.TimeoutExpired:
            return "the process closed its pipe to rlcalc"
        if code >= 0:
            return f"the process ended with exit code {code}"
        try:
            name = f" ({signal.Signals(-code).name})"
        except ValueError:  # a real-time signal has no name
            name = ""
        return f"the process died with signal {-code}{name}"

    def kill(self) -> None:
        """End it now, and whatever it started."""
        process, self.process = self.process, None
        if process is None:
            return
        end_group(process)
        _close(process)

    def end(self) -> None:
        """Let it end by itself, for a moment."""
        process = self.process
        if process is None:
            return
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(ENDING)
        self.kill()


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        # what was buffered for a process that is gone
        with contextlib.suppress(OSError):
            if pipe is not None:
                pipe.close()


class Remote(Target):
    """A function under test, by its name, in a process of its own."""

    def __init__(
        self, name: str, backend: str = "numpy", limit: float = 5.0, dtypes: tuple[str, ...] = DTYPES
    ) -> None:
        self.worker = Worker(name, backend, "float64" in dtypes)
        accepts, needs = self.worker.start()
        super().__init__(name, _never, backend, accepts, needs, limit, dtypes)
        self.notes += [JAX_NOTE] * (backend == "jax" and "float64" in dtypes)

    def reply(self, arguments: Arrays) -> Reply:
        """Call the function over there."""
        return self.worker.ask(arguments, self.limit)

    def close(self) -> None:
        """End the process."""
        self.worker.end()


def _never(**_: Any) -> None:
    raise AssertionError("the function is in another process")


def load_remote(
    text: str, backend: str = "numpy", limit: float = 5.0, dtypes: tuple[str, ...] = DTYPES
) -> Target:
    """A target by its name, in a process of its own; close it when done.

    Args:
        text: ``package.module:function`` or ``file.py:function``. This runs the code found there.
        backend: ``numpy``, ``torch`` or ``jax``.
        limit: seconds for one call.
        dtypes: that it will be called in.

    Raises:
        InputError: as ``loading.load_function``.
    """
    return Remote(text, backend, limit, dtypes)
