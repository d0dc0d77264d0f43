"""Hostile inputs by the thousand: command lines, files, targets, programs, environments.

    python benchmarks/fuzz.py lines --count 20000 --seed 1 --jobs 2
    python benchmarks/fuzz.py files --count 5000

Each input is made from its own seed, so that a failure is run again by
``--seed S --count 1``. Exit code 1 when anything but 0, 1 for a failed check
and 2 came back, or a limit was passed. ``--json FILE`` adds the figures to a
file, a row a run; ``--minutes M`` begins no more parts after so long, and the
figures say how many inputs there were.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import os
import platform
import random
import shlex
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.fuzz import documents, forked, lines, targets

Made = tuple[list[str], bytes]
Maker = Callable[[random.Random, Path], Made]


def _lines(chance: random.Random, folder: Path) -> Made:
    return lines.command_line(chance), b""


def _files(chance: random.Random, folder: Path) -> Made:
    return documents.file_command(chance, folder), b""


def _targets(chance: random.Random, folder: Path) -> Made:
    return targets.target_command(chance, folder), b""


def _programs(chance: random.Random, folder: Path) -> Made:
    return targets.program_command(chance, folder), b""


def _environments(chance: random.Random, folder: Path) -> Made:
    return targets.environment_command(chance, folder), b""


KINDS: dict[str, Maker] = {
    "lines": _lines,
    "files": _files,
    "targets": _targets,
    "programs": _programs,
    "environments": _environments,
}


def work(kind: str, seeds: range) -> tuple[Counter[str], list[str]]:
    """Run the inputs of these seeds in this process's forks."""
    import numpy as np  # noqa: F401 - shared by the forks
    import sympy  # noqa: F401

    import rlcalc.evaluation  # noqa: F401

    ends: Counter[str] = Counter()
    told: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        os.environ["PYTHONPATH"] = os.pathsep.join([name, *sys.path])  # for what is started in turn
        sys.path.insert(0, name)
        for seed in seeds:
            words, stdin = KINDS[kind](random.Random(seed), Path(name))
            done = forked.run(words, stdin)
            ends[f"exit {done.code}"] += 1
            for problem in done.problems():
                ends[problem.split(" s of")[0] if "s of" not in problem else "slow"] += 1
                told.append(f"seed {seed}: {problem}: rlcalc {shlex.join(words)[:300]}")
    return ends, told


def add_row(path: Path, row: dict[str, Any]) -> None:
    """Add the figures of a run to those of the runs before."""
    head = {"python": platform.python_version(), "machine": platform.machine(), "rows": []}
    report = json.loads(path.read_text("utf-8")) if path.exists() else head
    report["rows"].append(row)
    path.write_text(json.dumps(report, indent=2) + "\n", "utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    begin, size = time.monotonic(), max(1, min(250, options.count // options.jobs))
    parts = iter(
        range(first, min(first + size, options.seed + options.count))
        for first in range(options.seed, options.seed + options.count, size)
    )
    ends: Counter[str] = Counter()
    told: list[str] = []
    with ProcessPoolExecutor(options.jobs, get_context("spawn"), forked.end_with_parent) as pool:
        running = {pool.submit(work, options.kind, part) for part in itertools.islice(parts, options.jobs)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for counted, problems in (future.result() for future in done):
                ends += counted
                told += problems
                print("\n".join(problems), end="\n" if problems else "", flush=True)
                if time.monotonic() - begin < options.minutes * 60:
                    running |= {pool.submit(work, options.kind, part) for part in itertools.islice(parts, 1)}
    count = sum(number for name, number in ends.items() if name.startswith("exit "))
    seconds = round(time.monotonic() - begin)
    print(f"{count} {options.kind} in {seconds} s: {dict(sorted(ends.items()))}")
    if options.json:
        row = {
            "date": f"{datetime.date.today()}",
            "kind": options.kind,
            "count": count,
            "seed": options.seed,
            "ends": dict(sorted(ends.items())),
            "problems": told,
            "seconds": seconds,
        }
        add_row(options.json, row)
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
