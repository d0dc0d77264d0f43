"""How long planning on grids and a table of 1,000 steps take, against starting Python with numpy and sympy.

    python benchmarks/learning.py [--rounds N] [--steps N] [--json FILE]

Both are whole processes, run in turns, and judged by their processor time, which other work on the machine
disturbs least. The limit of the project is 3 times the import.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

LIMIT = 3.0
ROOT = Path(__file__).resolve().parent.parent
METHODS = {
    "td": [],
    "q-learning": [],
    "sarsa": ["--lam", "0.5"],
    "expected-sarsa": ["--epsilon", "0.1"],
    "double-q": [],
}
# exact, in fractions
PLANNING = {
    "value iteration, 4x4, 100 sweeps": ["value-iteration", "--mdp", "grid4x4", "--sweeps", "100"],
    "policy iteration, 10x10": ["policy-iteration", "--mdp", "grid:10x10", "--gamma", "0.9"],
}
# in floats, over sparse matrices: seconds, and no multiple of an import
LARGE = {
    "policy evaluation, 10,000 states": ["policy-eval", "--mdp", "grid:100x100", "--gamma", "0.9", "-q"],
    "optimal values, 10,000 states": ["bellman", "--mdp", "grid:100x100", "--gamma", "0.9", "-q"],
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
    options.add_argument("--json", type=Path)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "experience.txt"
        path.write_text(experience(chosen.steps), "utf-8")
        given = ["--steps", f"@{path}", "--alpha", "0.1", "--gamma", "0.9"]
        tables = {f"{m}, {chosen.steps} steps": [m, *given, *more] for m, more in METHODS.items()}
        rows = [
            measured(name, words, chosen.rounds) for name, words in {**PLANNING, **tables, **LARGE}.items()
        ]
    if chosen.json:
        facts = {"python": platform.python_version(), "machine": platform.machine(), "rows": rows}
        chosen.json.write_text(json.dumps(facts, indent=2) + "\n", "utf-8")


def measured(name: str, words: list[str], rounds: int) -> dict[str, Any]:
    """Medians over pairs of a command and the import, one after the other."""
    command = ["-m", "rlcalc", *words]
    pairs = [(seconds(command), seconds(["-c", "import numpy, sympy"])) for _ in range(rounds)]
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    ours = statistics.median(ours for ours, _ in pairs)
    limit = None if name in LARGE else LIMIT
    print(f"{name:34} {ours:6.2f} s   {ratio:6.2f} times the import of numpy and sympy", flush=True)
    return {"name": name, "seconds_median": ours, "ratio_median": ratio, "limit": limit, "rounds": rounds}


if __name__ == "__main__":
    main()
