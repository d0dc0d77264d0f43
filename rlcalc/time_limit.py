"""A time limit for code that may never end, in the process that calls it.

An alarm interrupts Python code and waiting. A call that stays inside
compiled code is interrupted when it comes back, and one that catches
``BaseException`` again and again never is; a process of its own
(``rlcalc.conform.target``) has neither gap.

What a busy machine lets code wait for a processor is no time of its own.
"""

from __future__ import annotations

import gc
import math
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rlcalc.errors import InputError, shown

# a day: what takes longer is not waited for
LONGEST = 86_400.0
# times the limit; the longest that a busy machine puts it off
PATIENCE = 12.0


class TimedOut(BaseException):
    """The limit is over; no ``except Exception`` of the code under test swallows it."""


def checked_limit(seconds: float, name: str = "limit") -> float:
    """Seconds that a call may take.

    Raises:
        InputError: ``limit_out_of_range``.
    """
    if not 0 < seconds <= LONGEST:
        raise InputError(
            "limit_out_of_range",
            f"{name} is {shown(f'{seconds:g}')}.",
            f"It takes seconds above 0, at most {LONGEST:g}.",
        )
    return seconds


class Deadline:
    """The end of a limit: seconds from now, and as many more as the process waited for a processor.

    Args:
        seconds: that it may take.
        process: its number. Where the system does not say what it waited, nothing is added.
    """

    def __init__(self, seconds: float, process: int) -> None:
        self._seconds, self._process = seconds, process
        self._start, self._waited = time.monotonic(), waited(process)

    def left(self) -> float:
        """Seconds to go; 0 or less when it is over."""
        left = self._start + self._seconds - time.monotonic()
        if left > 0:
            return left
        return left + min(waited(self._process) - self._waited, (PATIENCE - 1) * self._seconds)


def waited(process: int) -> float:
    """Seconds that a process was ready to run while others ran; 0 where the system does not count them."""
    try:
        with open(f"/proc/{process}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def _collecting(frame: FrameType | None) -> bool:
    """Whether this frame runs within a callback of the garbage collector, however deep."""
    callbacks = {getattr(callback, "__code__", None) for callback in gc.callbacks}
    while frame is not None and frame.f_code not in callbacks:
        frame = frame.f_back
    return frame is not None


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise ``TimedOut`` inside the block when it takes longer than this, as ``Deadline`` counts.

    Outside the main thread, on systems without an alarm, and for infinite
    seconds the block runs without a limit.
    """
    main = threading.current_thread() is threading.main_thread()
    if math.isinf(seconds) or not main or not hasattr(signal, "setitimer"):
        yield
        return

    until = Deadline(seconds, os.getpid())

    def ring(number: int, frame: FrameType | None) -> None:
        # what a collector's callback raises is printed and lost: it rings again soon after
        if until.left() <= 0 and not _collecting(frame):
            raise TimedOut

    before = signal.signal(signal.SIGALRM, ring)
    # rings again every tenth of a second, for code that catches everything once
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
