"""Whole-process times of the command line, as ratios to the imports they cannot avoid.

    python benchmarks/process.py [--rounds 15] [--cpu] [--json FILE] [--against CHECKOUT]

Every round runs each command and its base once, one after the other, so that
a drift of the machine's speed meets both. The figure is the median of the
ratios, pair by pair; minimum and maximum show how noisy the machine was. With
--cpu it is the processor time of all processes of a command that counts, on
which other work of the machine hardly tells. With --against the base of each
command is the same command as another checkout has it, such as the one of the
last benchmark.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

LIGHT = "import typer, rich.console"
EXACT = "import typer, rich.console, numpy, sympy"
FULL = "import torch, sympy"
NUMBERS = "import sympy, numpy, hypothesis"

# what is run, the imports it is held against, the most that the ratio may be
CONTESTS = [
    (["--version"], LIGHT, 1.5),
    (["list"], LIGHT, 1.5),
    (["-h"], LIGHT, 1.5),
    (["ppo-clip", "--ratio", "1.5", "--adv", "5"], EXACT, 1.25),
    (["lambda-return", "--rewards", "1", "2", "3", "--lam", "0.5"], EXACT, None),
    (["bellman", "--mdp", "grid2x2", "--gamma", "0.9"], EXACT, None),
    (["ppo-clip", "--ratio", "1.5", "--advance", "5"], LIGHT, None),  # no such option
    (["show", "gae"], LIGHT, None),
    (["verify", "--formula", "lambda_return"], FULL, 4.0),
    (["audit", "--claim", "L1.2-bias-falls"], EXACT, None),
    # a right NumPy GAE on the shipped vectors alone: no SymPy is needed for it
    (["conform", "tests/conform/targets.py:right", "--formula", "gae", "--random", "0"], NUMBERS, None),
    (["conform", "tests/conform/targets.py:right", "--formula", "gae", "--random", "100"], NUMBERS, None),
]


HERE = Path(__file__).resolve().parents[1]


def seconds(command: list[str], cpu: bool, folder: Path = HERE) -> float:
    # byte code is kept, as it is for a user; the first run of each writes it
    given = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    where = {"env": {**given, "PYTHONPATH": str(folder)}, "cwd": folder}
    before, start = _spent(), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **where)  # type: ignore[call-overload]
    wall = time.perf_counter() - start
    return _spent() - before if cpu else wall


def _spent() -> float:
    """Processor time of all processes that ended, to the microsecond; ``os.times`` counts hundredths."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--cpu", action="store_true", help="processor time in place of the clock's")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="the same commands there as base")
    options = parser.parse_args()
    report = []
    print(f"{'rlcalc …':44} {'goal':>5} {'median':>7} {'min':>6} {'max':>6}  seconds")
    there = (options.against or HERE).resolve()
    for arguments, imports, goal in CONTESTS:
        command = [sys.executable, "-m", "rlcalc", *arguments]
        base = [sys.executable, "-c", imports]
        if options.against:
            base, imports, goal = command, "the same command", 1.1

        def pair(command: list[str] = command, base: list[str] = base) -> tuple[float, float]:
            return seconds(command, options.cpu), seconds(base, options.cpu, there)

        pair()  # warm the file cache
        pairs = [pair() for _ in range(options.rounds)]
        ratios = sorted(mine / theirs for mine, theirs in pairs)
        row = {
            "command": "rlcalc " + " ".join(arguments),
            "base": imports,
            "goal": goal,
            "ratio_median": statistics.median(ratios),
            "ratio_min": ratios[0],
            "ratio_max": ratios[-1],
            "seconds_median": statistics.median(mine for mine, _ in pairs),
            "rounds": options.rounds,
        }
        report.append(row)
        print(
            f"{' '.join(arguments):44} {goal or '':>5} {row['ratio_median']:7.2f} {ratios[0]:6.2f} "
            f"{ratios[-1]:6.2f}  {row['seconds_median']:.2f}"
        )
    if options.json:
        facts = {"python": platform.python_version(), "machine": platform.machine(), "rows": report}
        options.json.write_text(json.dumps(facts, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
