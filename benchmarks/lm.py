"""Whether a language model learns by reward alone: the acceptance of ``lm-run``, seed by seed.

    python benchmarks/lm.py                       # GRPO on seeds 0 to 4
    python benchmarks/lm.py --algorithms ppo rloo dpo --seeds 0

Each seed goes from pre-training to reward with every check on; its references
are the same model trained by `sft_loss` alone, for as many updates. Wall
clock and CPU time stand beside each other: a run is one thread, and on a
machine that others use only the second says what it costs. Results are added
to the file as they come, each in the place of an earlier one of its seed.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # runs from a checkout as it is


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--algorithms", nargs="+", default=["grpo"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent / "results" / "lm_acceptance_cpu.json"
    )
    given = parser.parse_args()
    import torch

    from rlcalc.lm.run.acceptance import AT_LEAST, AT_MOST, SECONDS, runs
    from rlcalc.training.run import Options

    for algorithm in given.algorithms:
        for seed in runs(Options(device="cpu"), algorithm, tuple(given.seeds)):
            found = seed.as_json()
            found["checks_passed"] = [check["passed"] for check in found.pop("checks")].count(True)
            found["load"] = os.getloadavg()[1]  # processes that wanted to run, a mean of five minutes
            earlier = json.loads(given.out.read_text("utf-8"))["runs"] if given.out.exists() else []
            rows = [r for r in earlier if (r["algorithm"], r["seed"]) != (algorithm, found["seed"])]
            whole = {
                "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
                "device": f"cpu, {os.cpu_count()} cores, {platform.machine()}",
                "python": platform.python_version(),
                "torch": torch.__version__,
                "goal": {"accuracy_before": AT_MOST, "accuracy": AT_LEAST, "cpu_seconds": SECONDS},
                "runs": sorted([*rows, found], key=lambda r: (r["algorithm"], r["seed"])),
            }
            given.out.write_text(json.dumps(whole, indent=1) + "\n", "utf-8")
            print(algorithm, found["seed"], found["accuracy_before"], found["accuracy"], found["cpu_seconds"],
                  found["seconds"], found["sft_alone"], flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
