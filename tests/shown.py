"""What a document shows, run as printed: commands with their output, files, lines of Python.

``python -m tests.shown FILE...`` prints every command's output of today into the documents; what ends in
"..." keeps its length.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.command import run

ROOT = Path(__file__).resolve().parent.parent
# these start processes, train or check a whole file
LONG = ("verify", "conform", "ppo-run", "rlcalc check", "--release", "audit")


@dataclass(frozen=True)
class Document:
    """A Markdown file."""

    path: Path

    @property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    def blocks(self, language: str) -> list[str]:
        return re.findall(rf"^```{language}\n(.*?)^```", self.text, flags=re.S | re.M)

    def console(self) -> list[tuple[str, list[str]]]:
        """Pairs of a command and the lines below it."""
        found: list[tuple[str, list[str]]] = []
        for block in self.blocks("console"):
            for line in block.splitlines():
                if line.startswith("$ "):
                    found.append((line[2:], []))
                else:
                    found[-1][1].append(line)
        return [(command, "\n".join(lines).strip("\n").splitlines()) for command, lines in found]

    def commands(self) -> Iterator[Any]:
        """Parameters of a test: the document, each command and its output."""
        for command, expected in self.console():
            marks = [pytest.mark.slow] if is_long(command) else []
            yield pytest.param(self, command, expected, id=f"{self.path.stem}: {command[:60]}", marks=marks)

    def write_files(self, folder: Path) -> None:
        """The files that it shows, each named in its first line."""
        for block in [*self.blocks("python"), *self.blocks("toml")]:
            name = re.match(r"# (\w+\.(?:py|toml))\n", block)
            if name:
                (folder / name[1]).write_text(block, "utf-8")

    def check_python(self) -> int:
        """Failures among its lines of Python."""
        examples = "\n".join(block for block in self.blocks("python") if block.startswith(">>>"))
        test = doctest.DocTestParser().get_doctest(examples, {}, self.path.name, str(self.path), 0)
        runner = doctest.DocTestRunner(verbose=False)
        runner.run(test)
        return runner.summarize(verbose=False).failed

    def renew(self) -> None:
        """Print every command's output of today into it."""
        text = self.text
        with tempfile.TemporaryDirectory() as bin_, tempfile.TemporaryDirectory() as folder:
            shell = environment(Path(bin_))
            for command, shown in self.console():
                printed = self.printed_by(command, shell, Path(folder))
                if shown and shown[-1] == "...":
                    printed = [*printed[: max(len(shown) - 1, 1)], "..."]
                old, new = (f"$ {command}\n" + "\n".join(lines) for lines in (shown, printed))
                text = text.replace(old, new, 1)
        self.path.write_text(text, "utf-8")

    def printed_by(self, command: str, shell: dict[str, str], folder: Path) -> list[str]:
        """The lines that a command prints in a folder with the document's files."""
        self.write_files(folder)
        done = subprocess.run(command, shell=True, env=shell, cwd=folder, capture_output=True, text=True)
        return lines_of(done.stdout, done.stderr)

    def compare(self, command: str, expected: list[str], shell: dict[str, str], folder: Path) -> None:
        """Assert that a command prints what is shown."""
        if is_long(command) or set(command) & set("|<>") or ".toml" in command:
            printed = self.printed_by(command, shell, folder)
        else:
            printed = lines_of(*run(*shlex.split(command)[1:])[1:])
        if expected and expected[-1] == "...":
            expected = expected[:-1]
            printed = printed[: len(expected)]
        if "ppo-run" in command and len(expected) > 1:
            # the curve between depends on the processor's rounding
            expected, printed = ([lines[0], lines[1], lines[-1]] for lines in (expected, printed))
        if is_long(command):
            # so do the digits a float keeps, the case that is found first, and seconds
            expected, printed = (
                [re.sub(r"\d[\d.,]*", "#", x) for x in lines] for lines in (expected, printed)
            )
        assert printed == expected


def environment(folder: Path) -> dict[str, str]:
    """An environment whose ``rlcalc`` is the code under test, wherever it is installed."""
    program = folder / "rlcalc"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m rlcalc "$@"\n', "utf-8")
    program.chmod(0o755)
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "NO_COLOR": "1"}


def lines_of(out: str, err: str) -> list[str]:
    output = f"{out.strip()}\n{err.strip()}"
    return "\n".join(line.rstrip() for line in output.splitlines()).strip("\n").splitlines()


def is_long(command: str) -> bool:
    return any(word in command for word in LONG)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        Document(Path(name)).renew()
