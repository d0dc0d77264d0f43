"""Every command and every line of Python that the README shows, run as printed."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rlcalc.cli.app import BUILT_IN
from rlcalc.specs import heads

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


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment whose ``rlcalc`` is the code under test, wherever it is installed."""
    folder = tmp_path_factory.mktemp("bin")
    program = folder / "rlcalc"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m rlcalc "$@"\n', "utf-8")
    program.chmod(0o755)
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "NO_COLOR": "1"}


@pytest.mark.parametrize(("command", "expected"), console(), ids=[c[:70] for c, _ in console()])
def test_command_prints_what_is_shown(
    command: str, expected: list[str], shell: dict[str, str], tmp_path: Path
) -> None:
    done = subprocess.run(command, shell=True, env=shell, cwd=tmp_path, capture_output=True, text=True)
    printed = [
        line.rstrip() for line in (done.stdout.strip("\n") + "\n" + done.stderr.strip("\n")).splitlines()
    ]
    printed = "\n".join(printed).strip("\n").splitlines()
    if "verify" in command:
        # how many digits a float keeps may differ from one processor to the next
        expected, printed = ([re.sub(r"\b\d+\.\d\b", "#", x) for x in lines] for lines in (expected, printed))
    if expected and expected[-1] == "...":
        expected = expected[:-1]
        printed = printed[: len(expected)]
    assert printed == expected


def test_python_examples() -> None:
    examples = "\n".join(blocks("python"))
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


def test_the_table_names_every_command() -> None:
    shown = set(
        re.findall(r"`([a-z][a-z-]*)", "\n".join(x for x in README.splitlines() if x.startswith("| `")))
    )
    assert {head.command for head in heads()} | set(BUILT_IN) <= shown
