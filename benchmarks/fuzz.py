"""Hostile inputs by the thousand: command lines, files, targets, programs, environments.

    python benchmarks/fuzz.py lines --count 20000 --seed 1 --jobs 2
    python benchmarks/fuzz.py files --count 5000

Each input is made from its own seed, so that a failure is run again by
``--seed S --count 1``. Exit code 1 when anything but 0, 1 for a failed check
and 2 came back, or a limit was passed.
"""

from __future__ import annotations

import argparse
import os
import random
import shlex
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

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


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    begin, size = time.monotonic(), max(1, min(250, options.count // options.jobs))
    parts = [
        range(first, min(first + size, options.seed + options.count))
        for first in range(options.seed, options.seed + options.count, size)
    ]
    ends: Counter[str] = Counter()
    told: list[str] = []
    with ProcessPoolExecutor(options.jobs, get_context("spawn"), forked.end_with_parent) as pool:
        for counted, problems in pool.map(work, [options.kind] * len(parts), parts):
            ends += counted
            told += problems
            print("\n".join(problems), end="\n" if problems else "", flush=True)
    print(f"{options.count} {options.kind} in {time.monotonic() - begin:.0f} s: {dict(sorted(ends.items()))}")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
