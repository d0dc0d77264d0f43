"""The vectors measured by the faults: which vector detects which fault?

A fault that no vector detects would be reported to no one, and two faults
that no vector distinguishes could not be named. Both are defects of the
vectors, not of the faults. Only shipped vectors count; random cases do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from rlcalc.conform.compare import outcomes_equal
from rlcalc.conform.convention import Convention
from rlcalc.conform.fault import Fault
from rlcalc.conform.faults import catalogue, formulas_with_faults
from rlcalc.conform.outcome import Outcome, judge, run_form
from rlcalc.conform.probing.batching import with_batches
from rlcalc.conform.vectors import golden_vectors, reference

# two, since a vector may be withdrawn one day
LEAST_DETECTIONS = 2
# of a fault that cannot run at all; what faulty code raises is another error
MISTAKES = ("NameError", "UnboundLocalError", "AttributeError", "TypeError", "KeyError", "ImportError")


@dataclass(frozen=True)
class FormulaMatrix:
    """One formula.

    Attributes:
        vectors: ids of all vectors.
        detected: by fault, the ids of the vectors that detect it.
        distinguished: by pair of faults (or fault and convention), how many vectors distinguish them.
        broken: faults that cannot run, conventions that change no vector, vectors that the right form fails.
    """

    formula: str
    vectors: tuple[str, ...]
    detected: dict[str, tuple[str, ...]]
    distinguished: dict[tuple[str, str], int]
    broken: tuple[str, ...]

    @property
    def missed(self) -> tuple[str, ...]:
        """Faults that too few vectors detect."""
        return tuple(name for name, ids in self.detected.items() if len(ids) < LEAST_DETECTIONS)

    @property
    def confused(self) -> tuple[tuple[str, str], ...]:
        """Pairs that no vector distinguishes."""
        return tuple(pair for pair, count in self.distinguished.items() if not count)

    @property
    def passed(self) -> bool:
        return not (self.missed or self.confused or self.broken)


def self_check(formulas: Sequence[str] | None = None) -> list[FormulaMatrix]:
    """The detection matrix of every formula that has faults, or of some."""
    return [formula_matrix(name) for name in (formulas or formulas_with_faults())]


def formula_matrix(name: str) -> FormulaMatrix:
    """Run every fault and convention of one formula on all its vectors."""
    known = catalogue(name)
    alone = golden_vectors(name)
    vectors = with_batches(alone)
    single = {v.id for v in alone}
    right = reference(vectors[0].formula)
    entries: tuple[Fault | Convention, ...] = (*known.faults, *known.conventions)
    forms = {entry.name: entry.around(right) for entry in entries}
    outcomes = {word: {v.id: run_form(form, v) for v in vectors} for word, form in forms.items()}
    differs = {
        word: tuple(v.id for v in vectors if judge(v, found[v.id]).failed) for word, found in outcomes.items()
    }
    rounds = {fault.name for fault in known.faults if fault.rounds}

    def distinguishing(a: str, b: str) -> int:
        if {a, b} <= rounds:
            # these are known by where they show, and not by their digits
            return len(set(differs[a]) ^ set(differs[b]))
        return sum(not outcomes_equal(outcomes[a][v.id], outcomes[b][v.id], v.scale) for v in vectors)

    broken = [f"the right form fails {v.id}" for v in vectors if judge(v, run_form(right, v)).failed]
    # what only forgives rounding changes none
    ways = [c for c in known.conventions if c.slack is None]
    broken += [f"convention {c.name} changes no vector" for c in ways if not differs[c.name]]
    # a function that takes the parameter does not follow the convention: that tells it from a fault
    told = {c.name for c in known.conventions if c.sets}
    broken += [f"{word} cannot run: {why}" for word, found in outcomes.items() if (why := _mistake(found))]
    return FormulaMatrix(
        name,
        tuple(v.id for v in alone),
        # a batch holds the vectors that are counted already
        {fault.name: tuple(i for i in differs[fault.name] if i in single) for fault in known.faults},
        # two conventions may agree wherever they are used
        {
            (a, b): distinguishing(a, b)
            for a, b in combinations(forms, 2)
            if known.is_fault(a) and b not in told
        },
        tuple(broken),
    )


def _mistake(outcomes: dict[str, Outcome]) -> str:
    """What a fault raises by a mistake of its own, which would count as detected everywhere."""
    raised = [found.detail for found in outcomes.values() if found.kind == "raises"]
    return next((detail for detail in raised if detail.startswith(MISTAKES)), "")


def matrix_json(matrices: Sequence[FormulaMatrix]) -> dict[str, Any]:
    """The detection matrix as plain data; former keys stand next to the present ones."""
    return {
        "passed": all(m.passed for m in matrices),
        "faults": sum(len(m.detected) for m in matrices),
        "least_detections": LEAST_DETECTIONS,
        "least_kills": LEAST_DETECTIONS,
        "formulas": [
            {
                "formula": m.formula,
                "vectors": len(m.vectors),
                "faults": [
                    {"name": name, "detected_by": list(ids), "killed_by": list(ids)}
                    for name, ids in m.detected.items()
                ],
                "not_detected": list(m.missed),
                "survivors": list(m.missed),
                "not_distinguished": [list(pair) for pair in m.confused],
                "not_told_apart": [list(pair) for pair in m.confused],
                "least_distinguishing": min(m.distinguished.values(), default=None),
                "least_apart": min(m.distinguished.values(), default=None),
                "broken": list(m.broken),
            }
            for m in matrices
        ],
    }


def matrix_lines(matrices: Sequence[FormulaMatrix], verbose: bool = False) -> list[str]:
    """The matrix for people: a line per formula, and what is wrong; ``verbose`` lists all vectors."""
    lines = []
    for m in matrices:
        least = min(map(len, m.detected.values()), default=0)
        counts = f"{len(m.detected)} faults, {len(m.vectors)} vectors"
        lines.append(f"{m.formula}: {counts}, each fault detected by at least {least}")
        for name, ids in m.detected.items():
            few = len(ids) < LEAST_DETECTIONS
            if few or verbose:
                mark = f"NOT DETECTED {LEAST_DETECTIONS} times: " if few else ""
                slugs = ", ".join(vector.partition("/")[2] for vector in ids)
                lines.append(f"  {name}: {mark}{len(ids)}{' vectors: ' if ids else ''}{slugs}")
        lines += [f"  NOT DISTINGUISHED: {a} and {b}" for a, b in m.confused]
        lines += [f"  {why}" for why in m.broken]
    return lines


def matrix_verdict(matrices: Sequence[FormulaMatrix]) -> str:
    """The whole matrix in one sentence; empty unless all is well."""
    if not all(m.passed for m in matrices):
        return ""
    count = sum(len(m.detected) for m in matrices)
    return f"{count} faults, each detected at least {LEAST_DETECTIONS} times; every pair distinguished."
