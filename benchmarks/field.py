"""Public reports of wrong formulas: how many are caught by ``conform``, and how many are named.

    python benchmarks/field.py [RANDOM]

puts the function of every report in ``tests/conform/field_reports.py`` to
``conform``, after it gave the reporter's wrong number on the reporter's
input. RANDOM generated cases follow the golden vectors (0 unless given).
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.conform import field_reports_control, field_reports_tokens  # noqa: E402, F401  registers its reports
from tests.conform.field_reports import PRINTED, REPORTS, said  # noqa: E402

LEAST = 0.9


def main() -> None:
    random = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    counts: Counter[object] = Counter()
    for report in REPORTS:
        found = said(report, random)
        group = "right" if not report.names else "code" if report.id.startswith("code-") else "reports"
        counts[group] += 1
        counts[group, "caught"] += found.caught
        counts[group, "named"] += found.named
        verdict = "named" if found.named else "NOT NAMED" if found.caught else "MISSED"
        if not report.names:
            verdict = "CALLED WRONG" if found.caught else "right"
        print(f"{report.id:22} {report.formula:18} {verdict:12} {found.words[:150]}")
    settled = sum(printed.settled() == printed.right for printed in PRINTED)
    for group, title in {"reports": "reports", "code": "faults in public code"}.items():
        share = counts[group, "named"] / counts[group]
        caught, named = counts[group, "caught"], counts[group, "named"]
        print(f"{title}: {counts[group]}, caught {caught}, named {named} ({share:.0%})")
    print(f"right functions: {counts['right']}, called wrong {counts['right', 'caught']}")
    print(f"printed numbers: {len(PRINTED)}, settled {settled}")
    enough = counts["reports", "named"] >= LEAST * counts["reports"]
    if counts["right", "caught"] or settled < len(PRINTED) or not enough:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
