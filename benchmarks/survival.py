"""Whether a PPO run survives what happens to processes and files, with large counts.

    python benchmarks/survival.py kills --count 30     # kill -9 and resume, again and again
    python benchmarks/survival.py damage --count 350   # checkpoints with flipped bits, cut off, or too long

``kills`` trains once without interruption, and once more with a kill -9 at a
random moment of every start. The last checkpoint of both must hold the same
state to the last bit, and their logs the same lines but for seconds.
``damage`` must see every damaged checkpoint refused by name. Exit code 1
otherwise. The tests do both with small counts.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # runs from a checkout as it is

from tests.ppo.parts import same

ROOT = Path(__file__).resolve().parent.parent

# a task that is never solved: the rate is too small to learn anything
TRAIN = """
import sys
from dataclasses import replace
from pathlib import Path
from rlcalc.ppo.run.run import Options, run
from rlcalc.ppo.settings import tuned

folder, steps, resume = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "resume"
settings = replace(
    tuned("cartpole", envs=4, steps=steps), learning_rate=1e-6, horizon=32, evaluate_every=4096,
    evaluation_episodes=4,
)
options = Options(
    device="cpu", checks=False, folder=folder, resume=resume, log=folder.with_suffix(".jsonl"), every=2
)
run(settings, options)
"""


def started(folder: Path, steps: int, resume: bool = False) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", TRAIN, str(folder), str(steps), "resume" if resume else "start"]
    return subprocess.Popen(words, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL)


def log_of(folder: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in folder.with_suffix(".jsonl").read_text("utf-8").splitlines()]
    return [{**line, "seconds": None} for line in lines]


def _size(folder: Path) -> int:
    log = folder.with_suffix(".jsonl")
    return log.stat().st_size if log.exists() else 0


def kills(count: int, steps: int, place: Path, luck: random.Random) -> bool:
    from rlcalc.ppo.run import checkpoint

    whole, parts = place / "whole", place / "parts"
    started(whole, steps).wait()
    done = starts = 0
    while done < count:
        resume = (parts / checkpoint.NAME).exists()
        if not resume:  # what a run without a checkpoint logged comes again
            parts.with_suffix(".jsonl").unlink(missing_ok=True)
        process = started(parts, steps, resume)
        starts += 1
        # importing takes about a second, in which there is nothing to lose
        known = _size(parts)
        while process.poll() is None and _size(parts) == known:
            time.sleep(0.01)
        try:
            process.wait(luck.uniform(0, 0.5))
            print(f"finished after {done} kills; raise --steps to have {count}")
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            done += 1
    started(parts, steps, True).wait()
    states = same(checkpoint.load(whole), checkpoint.load(parts))
    logs = log_of(whole) == log_of(parts)
    print(f"{done} kills in {starts} starts: states equal {states}, logs equal {logs}")
    return states and logs


def damage(count: int, place: Path, luck: random.Random) -> bool:
    from rlcalc.errors import DataError
    from rlcalc.ppo.run import checkpoint

    started(place / "run", 512).wait()
    path = place / "run" / checkpoint.NAME
    whole, loaded = path.read_bytes(), 0
    for number in range(count):
        at = luck.randrange(len(whole))
        wrong = (
            whole[:at] + bytes([whole[at] ^ (1 << luck.randrange(8))]) + whole[at + 1 :],
            whole[:at],
            whole + luck.randbytes(1 + at % 99),
        )[number % 3]
        path.write_bytes(wrong)
        try:
            checkpoint.load(path.parent)
            loaded += 1
        except DataError:
            continue
    print(f"{count - loaded} of {count} damaged checkpoints refused")
    return loaded == 0


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("what", choices=["kills", "damage"])
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--steps", type=int, default=60_000, help="of the run that is killed")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    luck = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as folder:
        if given.what == "kills":
            right = kills(given.count, given.steps, Path(folder), luck)
        else:
            right = damage(given.count, Path(folder), luck)
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    main()
