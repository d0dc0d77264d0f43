"""Inputs that once broke rlcalc, from a list in JSON, each run again and judged.

    python benchmarks/attacks.py CASES.json [--only WORD] [--report FILE]

A case is ``{"id", "argv" or "shell", "expect", ...}``. One that is an argv
alone runs as it stands: it must end with 0, 1 (a failed check) or 2, within
five seconds of processor time and 1 GiB, with no traceback, and with JSON
where JSON was asked for. One that needs files, devices, signals or a program
is prepared by the scene of that name in ``tests/fuzz/scenes_*.py``. Exit code 1
when any case is not as it should be.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.fuzz import forked, scenes_conform, scenes_files, scenes_runs  # noqa: F401 - declare scenes
from tests.fuzz.scene import ROOT, SCENES, Scene


def plain(words: list[str]) -> tuple[str, list[str]]:
    """What a command line printed last, in short, and what is wrong with it."""
    done = forked.run(words)
    last = (done.out.strip() if done.code == 0 else done.err.strip()).splitlines()[-1:] or [""]
    return f"exit {done.code}, {done.seconds:.1f} s, {last[0][:90]}", done.problems()


def judged(number: int, case: dict[str, Any], folder: Path) -> tuple[str, str, list[str]]:
    """The name of a case, what came, what is wrong with it."""
    name = case.get("id") or f"line {number}"
    prepare = SCENES.get(name)
    if prepare is not None:
        scene = Scene(folder)
        try:
            prepare(scene)
        except (AssertionError, OSError, ValueError, SyntaxError, subprocess.SubprocessError) as error:
            return name, scene.said, [str(error) or type(error).__name__]
        finally:
            scene.close()
        return name, scene.said, []
    if "argv" in case and "(scratch)" not in " ".join(case["argv"]):
        said, problems = plain(case["argv"])
        return name, said, problems
    return name, "", ["nothing prepares this case"]


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
    for number, case in enumerate(cases):
        shown = case.get("id") or f"line {number}"
        if options.only not in shown:
            continue
        with tempfile.TemporaryDirectory() as place:
            os.chdir(place)
            name, said, problems = judged(number, case, Path(place))
            os.chdir(ROOT)
        wrong += bool(problems)
        line = f"{'ok ' if not problems else 'BAD'} {name}: {said} {'; '.join(problems)}".rstrip()
        print(line, flush=True)
        words = case.get("shell") or shlex.join(case.get("argv", []))
        mark = "as it should be" if not problems else "; ".join(problems)
        rows.append(f"| {name} | `{words[:100].replace('|', '¦')}` | {said.replace('|', '¦')} | {mark} |")
    print(f"{len(rows)} cases in {time.monotonic() - begin:.0f} s: {wrong} not as they should be")
    if options.report:
        head = "| case | command | what came | judged |\n|---|---|---|---|\n"
        options.report.write_text(head + "\n".join(rows) + "\n", "utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
