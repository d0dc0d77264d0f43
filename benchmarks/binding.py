"""Shares of functions that are judged rightly as they stand, without an adapter.

    python benchmarks/binding.py [--random N] [FILE ...]

The functions are those of ``tests/conform/field``, each with what it really
is. Printed: how many are judged rightly (the verdict, and the conventions of
a right one), falsely accused, missed, not judged, and the faults named.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.conform.field import Judged, cases, judged

# before anything was changed for them
FIRST_RUN = "first run: 31 of 47 judged rightly, 3 falsely accused, 2 missed, 11 not judged"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="FILE", help="numpy_sequences, torch_sequences, ...")
    parser.add_argument("--random", type=int, default=20, help="generated cases each")
    options = parser.parse_args()
    chosen = [case for case in cases() if not options.files or case.file in options.files]
    start, found = time.monotonic(), []
    for case in chosen:
        one = judged(case, options.random)
        found.append(one)
        if not one.rightly:
            said = " ".join([one.verdict or "not judged", *sorted(one.conventions)])
            print(f"{case.file}:{case.name}: {case.truth}; said: {said}; {one.why[:160]}")
    for words, some in (
        ("functions", [one for one in found if not (one.case.method or one.case.hold_out)]),
        ("methods", [one for one in found if one.case.method]),
        (f"hold-out ({FIRST_RUN}), now", [one for one in found if one.case.hold_out]),
    ):
        if some:
            print(summary(words, some))
    print(f"{time.monotonic() - start:.0f} s")


def summary(words: str, found: list[Judged]) -> str:
    """One line of shares."""
    faulty = [one for one in found if one.case.names and not one.case.right]
    return (
        f"{words}: {_share(sum(one.rightly for one in found), len(found))} judged rightly, "
        f"{sum(one.accused for one in found)} falsely accused, {sum(one.missed for one in found)} missed, "
        f"{sum(not one.verdict for one in found)} not judged; "
        f"{_share(sum(one.named for one in faulty), len(faulty))} faults named"
    )


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part // max(whole, 1)} %)"


if __name__ == "__main__":
    main()
