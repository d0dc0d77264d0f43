"""A time limit for code that may never end, in the process that calls it.

An alarm interrupts Python code and waiting. A call that stays inside
compiled code is interrupted when it comes back, and one that catches
``BaseException`` again and again never is; a process of its own
(``rlcalc.conform.target``) has neither gap.
"""

from __future__ import annotations

import gc
import math
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rlcalc.errors import InputError, shown

# a day: what takes longer is not waited for
LONGEST = 86_400.0


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
            f"{name} is {shown(seconds)}.",
            f"It takes seconds above 0, at most {LONGEST:g}.",
        )
    return seconds


def _collecting(frame: FrameType | None) -> bool:
    """Whether this frame runs within a callback of the garbage collector, however deep."""
    callbacks = {getattr(callback, "__code__", None) for callback in gc.callbacks}
    while frame is not None and frame.f_code not in callbacks:
        frame = frame.f_back
    return frame is not None


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise ``TimedOut`` inside the block when it takes longer than this.

    Outside the main thread, on systems without an alarm, and for infinite
    seconds the block runs without a limit.
    """
    main = threading.current_thread() is threading.main_thread()
    if math.isinf(seconds) or not main or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        # what a collector's callback raises is printed and lost: it rings again soon after
        if not _collecting(frame):
            raise TimedOut

    before = signal.signal(signal.SIGALRM, ring)
    # rings again every tenth of a second, for code that catches everything once
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
