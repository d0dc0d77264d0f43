"""A time limit for code that is not ours: an alarm in this process, an end for another one."""

from __future__ import annotations

import math
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from subprocess import Popen, TimeoutExpired
from typing import Any


class Late(BaseException):
    """The limit is over; no ``except Exception`` of the target swallows it."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise ``Late`` inside the block when it takes longer than this.

    An alarm interrupts Python code and waiting; a call that stays inside
    compiled code is interrupted when it comes back, and one that catches
    ``BaseException`` again and again never is. Outside the main thread,
    where there is no alarm, and for infinite seconds the block runs without a
    limit. ``remote`` has none of these gaps.
    """
    if math.isinf(seconds):
        yield
        return
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(number: int, frame: Any) -> None:
        raise Late

    before = signal.signal(signal.SIGALRM, ring)
    # rings again every tenth of a second, for code that catches everything once
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def end_group(process: Popen[bytes], wait: float = 2.0) -> None:
    """Kill a process that leads a group, and the group, and wait for it."""
    # a group may outlive its leader; as long as it does its number is not given away, and after
    # that nobody is there to kill
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    # one that waits for a broken disk cannot even be killed
    with suppress(TimeoutExpired):
        process.wait(wait)
