"""Whole-process times of the command line, as ratios to the imports they cannot avoid.

    python benchmarks/process.py [--rounds 15] [--cpu] [--json FILE]

Every round runs each command and its base once, one after the other, so that
a drift of the machine's speed meets both. The figure is the median of the
ratios, pair by pair; minimum and maximum show how noisy the machine was. With
--cpu it is the processor time of all processes of a command that counts, on
which other work of the machine hardly tells.
"""

from __future__ import annotations

import argparse
import json
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
    (["verify"], FULL, 4.0),
    # a right NumPy GAE on the shipped vectors alone: no SymPy is needed for it
    (["conform", "tests/conform/targets.py:right", "--formula", "gae", "--random", "0"], NUMBERS, None),
]


def seconds(command: list[str], cpu: bool) -> float:
    before, start = _spent(), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
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
    options = parser.parse_args()
    report = []
    print(f"{'rlcalc …':44} {'goal':>5} {'median':>7} {'min':>6} {'max':>6}  seconds")
    for arguments, imports, goal in CONTESTS:
        command = [sys.executable, "-m", "rlcalc", *arguments]
        base = [sys.executable, "-c", imports]
        rounds = max(3, options.rounds // 3) if arguments == ["verify"] else options.rounds
        seconds(command, options.cpu), seconds(base, options.cpu)  # warm the file cache
        pairs = [(seconds(command, options.cpu), seconds(base, options.cpu)) for _ in range(rounds)]
        ratios = sorted(mine / theirs for mine, theirs in pairs)
        row = {
            "command": "rlcalc " + " ".join(arguments),
            "base": imports,
            "goal": goal,
            "ratio_median": statistics.median(ratios),
            "ratio_min": ratios[0],
            "ratio_max": ratios[-1],
            "seconds_median": statistics.median(mine for mine, _ in pairs),
            "rounds": rounds,
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
