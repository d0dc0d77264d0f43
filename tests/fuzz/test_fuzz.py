"""A few of each kind of hostile input; ``benchmarks/fuzz.py`` runs them by the thousand."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from tests.command import python
from tests.fuzz.forked import Run
from tests.fuzz.lines import command_line

ROOT = Path(__file__).resolve().parents[2]
posix = pytest.mark.skipif(sys.platform == "win32", reason="runs in forks")


@posix
@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("lines", 15),
        pytest.param("lines", 60, marks=pytest.mark.slow),
        pytest.param("files", 40, marks=pytest.mark.slow),  # test_golden damages files as well
        pytest.param("targets", 12, marks=pytest.mark.slow),
        pytest.param("programs", 6, marks=pytest.mark.slow),
        pytest.param("environments", 4, marks=pytest.mark.slow),
    ],
)
def test_it_ends_in_order_whatever_comes(kind: str, count: int) -> None:
    done = python(ROOT / "benchmarks" / "fuzz.py", kind, "--count", count, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_seed_is_an_input() -> None:
    assert command_line(random.Random(7)) == command_line(random.Random(7))
    assert len({tuple(command_line(random.Random(seed))) for seed in range(50)}) > 45


@pytest.mark.parametrize(
    ("run", "problem"),
    [
        (Run(("gae",), 70, "", "rlcalc itself failed", 0.1, 0), "exit code 70"),
        (Run(("gae",), -9, "", "", 0.1, 0), "exit code -9"),
        (Run(("gae",), 1, "does not agree", "", 0.1, 0), "a false alarm: the backends are said to disagree"),
        (Run(("gae",), 2, "", "", 0.1, 0), "refused without a word"),
        (Run(("gae", "--json"), 0, '{"a": NaN}', "", 0.1, 0), "JSON that is none"),
        (Run(("gae",), 0, "\x1b[31m", "", 0.1, 0), "a raw control character"),
        (Run(("gae",), 0, "1", "", 9.0, 0), "9.0 s of processor time"),
        (Run(("gae",), 0, "1", "", 0.1, 2**31), "2048 MiB"),
    ],
)
def test_what_must_not_be_is_noticed(run: Run, problem: str) -> None:
    assert problem in run.problems()
