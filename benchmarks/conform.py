"""What a conformance run costs, in units of importing sympy, numpy and hypothesis.

    python benchmarks/conform.py [REPEATS]

runs ``rlcalc conform`` on a good NumPy GAE over all vectors and 1000
generated cases, and the bare imports, in turn; the least CPU time of each
counts, which other work on the machine disturbs the least. The budget is 8.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUDGET = 8.0
IMPORTS = [sys.executable, "-c", "import sympy, numpy, hypothesis"]
TARGET = ROOT / "tests" / "conform" / "targets.py"
CONFORM = [
    *(sys.executable, "-m", "rlcalc", "conform", f"{TARGET}:right"),
    *("--formula", "gae", "--random", "1000"),
]


def seconds(words: list[str]) -> float:
    """CPU time of a command and its children."""
    before = os.times()
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(words, cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    runs = [(seconds(IMPORTS), seconds(CONFORM)) for _ in range(repeats)]
    imports, conform = (min(column) for column in zip(*runs, strict=True))
    ratio = conform / imports
    print(f"imports {imports:.2f} s, conform {conform:.2f} s, ratio {ratio:.1f} (budget {BUDGET:g})")
    if ratio > BUDGET:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
