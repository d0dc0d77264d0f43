"""Inputs that once broke rlcalc, from a list in JSON, each run again and judged.

    python benchmarks/attacks.py CASES.json [--only WORD] [--report FILE]

A case is ``{"argv", "id", ...}``. It must end with 0, 1 (a failed check) or 2, within five seconds of
processor time and 1 GiB, with no traceback, and with JSON where JSON was asked for. Cases that need more than
a command line are counted and left to the tests: devices and files to tests/test_files.py and
tests/test_cli_*.py, targets and programs to tests/conform, environments and checkpoints to tests/ppo. Exit
code 1 when any case is not as it should be.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.fuzz import forked

ROOT = Path(__file__).resolve().parent.parent


def is_line(case: dict[str, Any]) -> bool:
    """Whether a case is a command line and nothing else."""
    return "argv" in case and not case.get("setup") and "(scratch)" not in " ".join(case["argv"])


def plain(words: list[str]) -> tuple[str, list[str]]:
    """What a command line printed last, in short, and what is wrong with it."""
    done = forked.run(words)
    last = (done.out.strip() if done.code == 0 else done.err.strip()).splitlines()[-1:] or [""]
    return f"exit {done.code}, {done.seconds:.1f} s, {last[0][:90]}", done.problems()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", type=Path)
    parser.add_argument("--only", default="", help="cases whose name holds this word")
    parser.add_argument("--report", type=Path, help="a table of all cases, in Markdown")
    options = parser.parse_args()
    cases = json.loads(options.cases.read_text("utf-8"))
    import numpy as np  # noqa: F401 - shared by the forks
    import sympy  # noqa: F401

    import rlcalc.evaluation  # noqa: F401

    os.environ["PYTHONPATH"] = str(ROOT)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # which a run under nohup would hand on as ignored
    rows, wrong, begin = [], 0, time.monotonic()
    named = {case.get("id") or f"line {number}": case for number, case in enumerate(cases)}
    lines = {name: case for name, case in named.items() if options.only in name and is_line(case)}
    for name, case in lines.items():
        with tempfile.TemporaryDirectory() as place:
            os.chdir(place)
            said, problems = plain(case["argv"])
            os.chdir(ROOT)
        wrong += bool(problems)
        line = f"{'ok ' if not problems else 'BAD'} {name}: {said} {'; '.join(problems)}".rstrip()
        print(line, flush=True)
        words = shlex.join(case["argv"])
        mark = "as it should be" if not problems else "; ".join(problems)
        rows.append(f"| {name} | `{words[:100].replace('|', '¦')}` | {said.replace('|', '¦')} | {mark} |")
    took = f"{len(rows)} of {len(cases)} cases in {time.monotonic() - begin:.0f} s"
    print(f"{took}: {wrong} not as they should be")
    if options.report:
        head = "| case | command | what came | judged |\n|---|---|---|---|\n"
        options.report.write_text(head + "\n".join(rows) + "\n", "utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
