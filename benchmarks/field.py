"""Public reports of wrong formulas: how many are caught by ``conform``, and how many are named.

    python benchmarks/field.py [RANDOM]

puts the function of every report in ``tests/conform/field_reports.py`` to
``conform``, after it gave the reporter's wrong number on the reporter's
input. RANDOM generated cases follow the golden vectors (0 unless given).
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.conform.field_reports import PRINTED, REPORTS, said  # noqa: E402

LEAST = 0.9


def main() -> None:
    random = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    faulty = [report for report in REPORTS if report.names]
    caught = named = wrongly = 0
    for report in REPORTS:
        found = said(report, random)
        if not report.names:
            wrongly += found.caught
            verdict = "CALLED WRONG" if found.caught else "right"
        else:
            caught += found.caught
            named += found.named
            verdict = "named" if found.named else "NOT NAMED" if found.caught else "MISSED"
        print(f"{report.id:22} {report.formula:18} {verdict:12} {found.words[:150]}")
    settled = sum(printed.settled() == printed.right for printed in PRINTED)
    print(f"faulty functions: {len(faulty)}, caught {caught}, named {named} ({named / len(faulty):.0%})")
    print(f"right functions: {len(REPORTS) - len(faulty)}, called wrong {wrongly}")
    print(f"printed numbers: {len(PRINTED)}, settled {settled}")
    if wrongly or settled < len(PRINTED) or named < LEAST * len(faulty):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
