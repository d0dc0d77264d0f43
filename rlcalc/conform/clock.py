"""A time limit for code that is not ours."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Late(BaseException):
    """The limit is over; no ``except Exception`` of the target swallows it."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise ``Late`` inside the block when it takes longer than this.

    An alarm interrupts Python code and waiting; a call that stays inside
    compiled code is interrupted when it comes back. Outside the main thread,
    and where there is no alarm, the block runs without a limit.
    """
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
