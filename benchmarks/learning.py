"""How long a table of 1,000 steps of experience takes, against starting Python with numpy and sympy.

    python benchmarks/learning.py [--rounds N] [--steps N]

Both are whole processes, run in turns, and judged by their processor time, which other work on the machine
disturbs least. The limit of the project is 3 times the import.
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
METHODS = {
    "td": [],
    "q-learning": [],
    "sarsa": ["--lam", "0.5"],
    "expected-sarsa": ["--epsilon", "0.1"],
    "double-q": [],
}


def experience(count: int) -> str:
    """Steps over four states and two actions; one in five ends an episode."""
    chance, state, lines = random.Random(0), "A", []
    actions = [chance.choice("lr") for _ in range(count)]
    for action in actions:
        after = "end" if len(lines) == count - 1 else chance.choice(["A", "B", "C", "D", "end"])
        lines.append(f"{state} {action} {chance.randint(-5, 5)} {after}")
        state = "A" if after == "end" else after
    return "\n".join(lines)


def seconds(words: list[str]) -> float:
    """Processor time of a process and what it started."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], cwd=ROOT, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--steps", type=int, default=1000)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "experience.txt"
        path.write_text(experience(chosen.steps), "utf-8")
        for method, more in METHODS.items():
            words = ["-m", "rlcalc", method, "--steps", f"@{path}", "--alpha", "0.1", "--gamma", "0.9", *more]
            pairs = [(seconds(words), seconds(["-c", "import numpy, sympy"])) for _ in range(chosen.rounds)]
            ratio = statistics.median(ours / theirs for ours, theirs in pairs)
            ours = statistics.median(ours for ours, _ in pairs)
            print(f"{method:15} {ours:5.2f} s   {ratio:4.2f} times the import of numpy and sympy")


if __name__ == "__main__":
    main()
