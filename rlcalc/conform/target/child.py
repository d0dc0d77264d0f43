"""A process that is asked over its standard input and answers over its standard output.

Both kinds of it, our own worker and a user's program, may do anything: not
read, write without end, die, leave children. Everything here has a time
limit and a bound, and ``guard`` ends what was started, however we end.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rlcalc.conform.target.call import Reply
from rlcalc.time_limit import Deadline

GUARD = str(Path(__file__).with_name("guard.py"))
# for a guard to start on a busy machine, and to end what it guards
STARTING, ENDING = 60.0, 5.0
CHUNK = 1 << 20
# of what it writes to its standard error, the end is kept
KEPT = 4000
LAST = 8  # lines of them that are repeated


class Garbage(Exception):
    """What came is no answer and cannot become one."""


class Service:
    """A child that is started when it is asked, and again after it had to be ended.

    Attributes:
        started: how often.
    """

    def __init__(self, start: Callable[[], Child]) -> None:
        self._start = start
        self.child: Child | None = None
        self.started = 0

    def start(self) -> Child:
        """The child that is running, from now on."""
        if self.child is None:
            self.child = self._start()
            self.started += 1
        return self.child

    def ask(self, request: bytes, measure: Callable[[bytearray], int], limit: float) -> bytes | Reply:
        """An answer, or what kept the child from giving one; as ``Child.exchange``."""
        try:
            return self.start().exchange(request, measure, limit)
        except TimeoutError:
            reply = Reply("hangs", detail=f"no answer within {limit:g} s")
        except EOFError as error:
            said = self.child.last_words() if self.child is not None else ()
            reply = Reply("raises", detail=str(error), frames=said, died=True)
        except Garbage as error:
            reply = Reply("raises", detail=str(error), died=True)
        except BaseException:  # an interrupt, and an answer half read
            self.kill()
            raise
        self.kill()
        return reply

    def kill(self) -> None:
        """End the child now, and whatever it started."""
        child, self.child = self.child, None
        if child is not None:
            child.kill()

    def end(self, patience: float = 2.0) -> None:
        """Let the child end by itself, for a moment; it may have files to write."""
        child, self.child = self.child, None
        if child is not None:
            child.end(patience)


class Child:
    """One running process.

    Raises:
        OSError: the command cannot be started.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(STARTING)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", GUARD, str(theirs.fileno()), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        assert self.process.stdin and self.process.stdout and self.process.stderr  # noqa: PT018
        self._pipes = (self.process.stdin, self.process.stdout, self.process.stderr)
        self._in, self._out, self._err = (pipe.fileno() for pipe in self._pipes)
        for pipe in self._pipes:
            os.set_blocking(pipe.fileno(), False)
        self.pending, self._complaints = bytearray(), bytearray()
        self._news, self.number = b"", 0
        self._code: int | None = None
        try:
            self._hear()
        except OSError:
            self.kill()
            raise

    def _hear(self) -> None:
        """What the guard says: that the command started, or could not, or ended."""
        while True:
            part = self._socket.recv(64)
            self._news += part
            *words, self._news = self._news.split(b"\n")
            for word in words:
                kind, value = word[:1], int(word[1:])
                if kind == b"E":
                    raise OSError(value, os.strerror(value))
                if kind == b"P":
                    self.number = value
                else:
                    self._code = value
            if words or not part:
                return

    def exchange(self, request: bytes, measure: Callable[[bytearray], int], limit: float) -> bytes:
        """Send a request and wait for one answer; both at once, since the other side may do either first.

        Args:
            request: what to write.
            measure: length of the answer that these bytes begin with, 0 where they do not say yet; it may
                raise ``Garbage``.
            limit: seconds for all of it, as ``Deadline`` counts.

        Raises:
            TimeoutError: there was no answer, or not all of the request was taken.
            EOFError: it ended, with how.
            Garbage: as of ``measure``.
        """
        until = Deadline(limit, self.number)
        unsent, listening = memoryview(request), True
        while True:
            size = measure(self.pending)
            answered = 0 < size <= len(self.pending)
            if answered and not unsent:
                break
            left = until.left()
            if left <= 0:
                raise TimeoutError
            poll = select.poll()
            poll.register(self._socket.fileno(), select.POLLIN)
            if unsent:
                poll.register(self._in, select.POLLOUT)
            if not answered:
                poll.register(self._out, select.POLLIN)
            if listening:
                poll.register(self._err, select.POLLIN)
            ready = {number for number, _ in poll.poll(left * 1000)}
            if self._in in ready:
                unsent = self._write(unsent)
            if self._err in ready:
                listening = self._listen()
            if self._out in ready:
                part = os.read(self._out, CHUNK)
                if not part:
                    raise EOFError(self.how_it_ended())
                self.pending += part
            elif self._socket.fileno() in ready and not answered:
                # it is gone, and what it left in its pipe was read
                raise EOFError(self.how_it_ended())
            elif self._socket.fileno() in ready:
                unsent = unsent[:0]
        answer = bytes(memoryview(self.pending)[:size])
        del self.pending[:size]
        return answer

    def _write(self, data: memoryview) -> memoryview:
        try:
            return data[os.write(self._in, data[:CHUNK]) :]
        except BlockingIOError:
            return data
        except OSError:  # it takes no more; how it ended is said where its answer should be
            return data[:0]

    def _listen(self) -> bool:
        """Take up what it complains about; False at the end of it."""
        with contextlib.suppress(BlockingIOError):
            part = os.read(self._err, CHUNK)
            self._complaints += part
            del self._complaints[:-KEPT]
            return bool(part)
        return True

    def last_words(self) -> tuple[str, ...]:
        """The last lines that it wrote to its standard error."""
        deadline = time.monotonic() + 0.2
        while time.monotonic() < deadline and select.select([self._err], [], [], 0)[0] and self._listen():
            pass
        text = self._complaints.decode("utf-8", "replace")
        return tuple(line.rstrip()[:300] for line in text.splitlines() if line.strip())[-LAST:]

    def how_it_ended(self) -> str:
        """In words: an exit code, or a signal."""
        with contextlib.suppress(OSError):
            if self._code is None and select.select([self._socket], [], [], 0.2)[0]:
                self._hear()
        code = self._code
        if code is None:
            return "the process closed its pipe to rlcalc"
        if code >= 0:
            return f"the process ended with exit code {code}"
        try:
            name = f" ({signal.Signals(-code).name})"
        except ValueError:  # a real-time signal has no name
            name = ""
        return f"the process died with signal {-code}{name}"

    def end(self, patience: float) -> None:
        """Let it end by itself, for a moment."""
        with contextlib.suppress(OSError):
            self.process.stdin.close()  # type: ignore[union-attr]
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(patience)
        self.kill()

    def kill(self) -> None:
        """End it now, and whatever it started."""
        self._socket.close()
        try:
            clean = self.process.wait(ENDING) == 0
        except subprocess.TimeoutExpired:
            clean = False
        if not clean:  # something ended or stopped the guard
            for group in filter(None, (self.number, self.process.pid)):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(group, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(ENDING)
        for pipe in self._pipes:
            with contextlib.suppress(OSError):
                pipe.close()
