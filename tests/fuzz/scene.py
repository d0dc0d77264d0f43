"""A place for an attack that is more than a command line: a folder, commands run in it, what they cost."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 6  # of processor time, the start of Python among them
Row = TypeVar("Row")


@dataclass(frozen=True)
class Done:
    """How a command ended, and its seconds of processor time."""

    code: int
    out: str
    err: str
    seconds: float


@dataclass
class Scene:
    """An empty folder, and commands that are run in it.

    Attributes:
        said: how the last command ended, for a report.
        started: processes that are to end with the scene.
    """

    folder: Path
    said: str = ""
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.folder / "bin").mkdir(exist_ok=True)
        tool = self.folder / "bin" / "rlcalc"
        tool.write_text(f'#!/bin/sh\nexec {sys.executable} -m rlcalc "$@"\n', "ascii")
        tool.chmod(0o755)

    def shell(self, line: str, timeout: float = 120, **env: str) -> Done:
        """Run a line of bash in which ``rlcalc`` is this tree's."""
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        given = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": path, **env}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        try:
            done = subprocess.run(
                ["bash", "-c", line],
                cwd=self.folder,
                env=given,
                capture_output=True,
                timeout=timeout,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            raise AssertionError(f"no end after {timeout} s") from None
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        out, err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        last = (err if done.returncode else out).strip().splitlines()[-1:] or [""]
        self.said = f"exit {done.returncode}, {seconds:.1f} s, {last[0][:90]}"
        assert "Traceback (most recent call last)" not in out + err, "a traceback"
        assert "rlcalc itself failed" not in err, "exit 70"
        return Done(done.returncode, out, err, seconds)

    def ends(self, line: str, *codes: int, timeout: float = 120, **env: str) -> Done:
        """Run a line that must end with one of these codes; a refusal says something."""
        done = self.shell(line, timeout, **env)
        assert done.code in codes, f"exit code {done.code} where {codes} is due"
        assert done.code != 2 or done.err.strip(), "refused without a word"
        return done

    def soon(self, line: str, *codes: int, **env: str) -> Done:
        """`ends`, within the seconds of processor time that any command may take."""
        done = self.ends(line, *codes, **env)
        assert done.seconds < SECONDS, f"{done.seconds:.1f} s of processor time"
        return done

    def python(self, program: str) -> str:
        """What a program prints."""
        done = self.ends(f"{sys.executable} -W ignore - <<'END'\n{program}\nEND", 0)
        return done.out.strip()

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text, "utf-8")
        return name

    def close(self) -> None:
        for process in self.started:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()


Play = Callable[[Scene], None]
SCENES: dict[str, Play] = {}


def scene(name: str) -> Callable[[Play], Play]:
    """Declare what an attack of this name needs, and what must come of it."""

    def put(play: Play) -> Play:
        SCENES[name] = play
        return play

    return put


def scenes(table: Mapping[str, Row], play: Callable[[Scene, Row], object]) -> None:
    """Scenes that differ by one thing only."""

    def bound(row: Row) -> Play:
        def run(at: Scene) -> None:
            play(at, row)

        return run

    SCENES.update({name: bound(row) for name, row in table.items()})


def processes(pattern: str) -> list[int]:
    """Numbers of the processes whose command line fits, this search left out."""
    listed = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [
        int(line.split()[0]) for line in listed.splitlines()[1:] if re.fullmatch(rf" *\d+ {pattern}", line)
    ]
