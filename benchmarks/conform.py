"""What a conformance run costs, in units of importing sympy, numpy and hypothesis.

    python benchmarks/conform.py [REPEATS]

runs ``rlcalc conform`` with the usual 300 generated cases on a right NumPy GAE
and on one with a fault, which is also diagnosed, each beside the bare imports.
What counts is the CPU time of all processes, and the middle of the ratios of
the pairs, so that other work on the machine hardly shows.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
IMPORTS = [sys.executable, "-c", "import sympy, numpy, hypothesis"]
CONFORM = [sys.executable, "-m", "rlcalc", "conform", "--formula", "gae"]
TARGETS = ROOT / "tests" / "conform" / "targets.py"
# function, exit status, budget
RUNS = [(f"{TARGETS}:right", 0, 5.0), (f"{TARGETS}:truncation_ends", 1, 10.0)]


def seconds(words: list[str], status: int = 0) -> float:
    """CPU time of a command and its children."""
    before = os.times()
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True)
    if done.returncode != status:
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}, not {status}")
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    slow = False
    for target, status, budget in RUNS:
        pairs = [(seconds(IMPORTS), seconds([*CONFORM, target], status)) for _ in range(repeats)]
        ratio = median(conform / imports for imports, conform in pairs)
        imports, conform = (min(column) for column in zip(*pairs, strict=True))
        print(
            f"{target.rpartition(':')[2]}: {conform:.2f} s, imports {imports:.2f} s; "
            f"ratio of the pairs {ratio:.1f}, of the least {conform / imports:.1f} (budget {budget:g})"
        )
        slow |= ratio > budget
    if slow:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
