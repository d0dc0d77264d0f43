"""A bar for work that takes longer than a moment, while a person is looking."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from rlcalc.cli.screen import Screen

# what is over before that needs no bar
PATIENCE = 1.0


class Progress:
    """On standard error, gone when the work is done; nothing in a pipe.

    Call it with what is being done, how much of it is done, and of how much
    (0 where that is not known).
    """

    def __init__(self) -> None:
        self.due = time.monotonic() + PATIENCE if Screen(sys.stderr).terminal else float("inf")
        self.bar: Any = None

    def __call__(self, stage: str, done: int, of: int) -> None:
        if time.monotonic() < self.due:
            return
        if self.bar is None:
            from rich.console import Console
            from rich.progress import Progress as Bar

            self.bar = Bar(console=Console(stderr=True), transient=True)
            self.task = self.bar.add_task(stage, total=None)
            self.bar.start()
        self.bar.update(self.task, description=stage, completed=done, total=of or None)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.stop()
