"""How long the calculator of the site takes in Chromium: the first answer, and those after it.

    python benchmarks/browser.py [--site DIR] [--rounds 5] [--out benchmarks/results/site_chromium.json]

Needs what the browser tests need (CONTRIBUTING.md, "The site"). Seconds of this machine, measured inside the
page from the question to the drawn answer. Cold: an empty profile, so that all of Python is fetched, compiled
and imported; warm: the page loaded again, its files in the browser's cache.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.site.chromium import ask, build, opened, served, settled  # noqa: E402

FIRST = "playground/?formula=lambda_return&rewards=1+2+3&lam=0.5"
LATER = {
    "lambda_return": {"rewards": "1 2 3", "lam": "0.5"},
    "gae": {"rewards": "1 2", "values": "v 0 0", "gamma": "g", "lam": "l"},
    "bellman": {"mdp": "P = [[[0, 1]], [[0, 1]]]\nR = [[2], [0]]\nterminal = [1]", "gamma": "1/2"},
}


def seconds(result: Any) -> float:
    return int(result.get_attribute("data-ms")) / 1000


def first(address: str) -> dict[str, float]:
    """The first answer of an empty profile, and of the same page loaded again."""
    with opened() as browser:
        browser.get(address + FIRST)
        cold = seconds(settled(browser))
        browser.get("about:blank")
        browser.get(address + FIRST)
        return {"cold": cold, "warm": seconds(settled(browser))}


def later(address: str, rounds: int) -> tuple[str, dict[str, dict[str, float]]]:
    """The browser, and for each formula its first answer in a running Python and the median of the others."""
    with opened() as browser:
        browser.get(address + FIRST)
        settled(browser)
        found = {}
        for formula, fields in LATER.items():
            taken = [seconds(ask(browser, formula, fields)) for _ in range(rounds + 1)]
            found[formula] = {"first": taken[0], "then_median": statistics.median(taken[1:])}
        return f"Chromium {browser.capabilities['browserVersion']}", found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--site", type=Path, help="a site that is built; left out, one is built")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    words = parser.parse_args()
    load = round(os.getloadavg()[0], 1)
    with tempfile.TemporaryDirectory() as folder:
        site = words.site or Path(folder) / "site"
        built = None if words.site else build(site).split(":")[0]
        with served(site) as address:
            firsts = [first(address) for _ in range(words.rounds)]
            browser, answers = later(address, words.rounds)
        files = [path for path in (site / "assets" / "python").iterdir() if path.is_file()]
    found = {
        "date": datetime.date.today().isoformat(),
        "browser": browser,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load_before": load,
        "rounds": words.rounds,
        "site": built,
        "python_mib": round(sum(path.stat().st_size for path in files) / 2**20, 1),
        "first_answer_seconds": {
            kind: {
                "median": statistics.median(one[kind] for one in firsts),
                "max": max(one[kind] for one in firsts),
            }
            for kind in ("cold", "warm")
        },
        "later_answers_seconds": answers,
    }
    text = json.dumps(found, indent=2)
    print(text)
    if words.out:
        words.out.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
