"""Every command and every line of Python that the README shows, run as printed.

``python -m tests.test_readme`` prints every command's output of today into the README.
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
from pathlib import Path
from typing import Any

import pytest

from rlcalc.cli.listing import markdown_table
from tests.command import run

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.S | re.M)


def console() -> list[tuple[str, list[str]]]:
    """Pairs of a command and the lines below it."""
    found: list[tuple[str, list[str]]] = []
    for block in blocks("console"):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return [(command, "\n".join(lines).strip("\n").splitlines()) for command, lines in found]


def environment(folder: Path) -> dict[str, str]:
    """An environment whose ``rlcalc`` is the code under test, wherever it is installed."""
    program = folder / "rlcalc"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m rlcalc "$@"\n', "utf-8")
    program.chmod(0o755)
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "NO_COLOR": "1"}


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return environment(tmp_path_factory.mktemp("bin"))


def printed_by(command: str, shell: dict[str, str], folder: Path) -> list[str]:
    """The lines that a command prints in a folder with the README's files."""
    write_files(folder)
    done = subprocess.run(command, shell=True, env=shell, cwd=folder, capture_output=True, text=True)
    return lines_of(done.stdout, done.stderr)


def lines_of(out: str, err: str) -> list[str]:
    output = f"{out.strip()}\n{err.strip()}"
    return "\n".join(line.rstrip() for line in output.splitlines()).strip("\n").splitlines()


def printed_here(command: str) -> list[str]:
    """The same of a command of the calculator, without a shell and without a process."""
    return lines_of(*run(*shlex.split(command)[1:])[1:])


def in_turn() -> Iterator[Any]:
    """The README's commands; what starts others, trains or checks a whole file takes its time."""
    for command, expected in console():
        marks = [pytest.mark.slow] if is_long(command) else []
        yield pytest.param(command, expected, id=command[:70], marks=marks)


def is_long(command: str) -> bool:
    return any(word in command for word in ("verify", "conform", "ppo-run"))


@pytest.mark.parametrize(("command", "expected"), list(in_turn()))
def test_command_prints_what_is_shown(
    command: str,
    expected: list[str],
    shell: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if is_long(command) or set(command) & set("|<>"):
        printed = printed_by(command, shell, tmp_path)
    else:
        monkeypatch.setenv("COLUMNS", "80")
        printed = printed_here(command)
    if expected and expected[-1] == "...":
        expected = expected[:-1]
        printed = printed[: len(expected)]
    if "ppo-run" in command:
        # the curve between depends on the processor's rounding
        expected, printed = ([lines[0], lines[1], lines[-1]] for lines in (expected, printed))
    if is_long(command):
        # so do the digits a float keeps, the case that is found first, and seconds
        expected, printed = ([re.sub(r"\d[\d.,]*", "#", x) for x in lines] for lines in (expected, printed))
    assert printed == expected


def write_files(folder: Path) -> None:
    """The files that the README shows, each named in its first line."""
    for block in [*blocks("python"), *blocks("toml")]:
        name = re.match(r"# (\w+\.(?:py|toml))\n", block)
        if name:
            (folder / name[1]).write_text(block, "utf-8")


@pytest.mark.slow
def test_two_lines_in_a_test_file_name_the_fault(shell: dict[str, str], tmp_path: Path) -> None:
    write_files(tmp_path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_agent.py"]
    done = subprocess.run(command, env=shell, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "recursion-crosses-truncation" in done.stdout
    assert "passed" in done.stdout.splitlines()[-1]


def test_python_examples() -> None:
    examples = "\n".join(block for block in blocks("python") if block.startswith(">>>"))
    test = doctest.DocTestParser().get_doctest(examples, {}, "README", "README.md", 0)
    assert test.examples
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(test)
    assert runner.summarize(verbose=False).failed == 0


def test_setup_commands_are_the_ones_ci_runs() -> None:
    """Both one-liners stand in .ci/run to the letter, so CI proves them on a clean checkout."""
    lines = [line for block in blocks("sh") for line in block.splitlines() if "venv" in line]
    assert len(lines) == 2
    script = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert all(line in script for line in lines)


def test_the_table_of_commands_is_the_one_that_the_program_prints() -> None:
    """``rlcalc list --markdown`` prints what stands between the marks."""
    begin, end = "<!-- rlcalc list --markdown -->\n", "<!-- end of the list -->"
    assert README.partition(begin)[2].partition(end)[0] == markdown_table()


def renew() -> None:
    """Print every command's output of today into the README; what ends in "..." keeps its length."""
    text = README
    with tempfile.TemporaryDirectory() as bin_, tempfile.TemporaryDirectory() as folder:
        shell = environment(Path(bin_))
        for command, shown in console():
            printed = printed_by(command, shell, Path(folder))
            if shown and shown[-1] == "...":
                printed = [*printed[: len(shown) - 1], "..."]
            old, new = (f"$ {command}\n" + "\n".join(lines) for lines in (shown, printed))
            text = text.replace(old, new, 1)
    (ROOT / "README.md").write_text(text, "utf-8")


if __name__ == "__main__":
    renew()
