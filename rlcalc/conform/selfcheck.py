"""The suite measured by its faults: which golden vectors kill which fault?

A fault that no vector shows is one that nobody would be told of, and two
faults that no vector tells apart cannot be named. Both are failures of the
vectors, not of the faults. Only shipped vectors count; random cases do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from rlcalc.conform.batching import with_batches
from rlcalc.conform.compare import outcomes_equal
from rlcalc.conform.faults import Convention, Fault, catalogue, formulas_with_faults
from rlcalc.conform.outcome import judge, run_form
from rlcalc.conform.vectors import golden_vectors, reference

# killed once may be luck of one vector that somebody removes
LEAST_KILLS = 2


@dataclass(frozen=True)
class FormulaMatrix:
    """One formula.

    Attributes:
        kills: by fault, the ids of the vectors that show it.
        apart: by pair of faults (or fault and convention), how many vectors tell them apart.
        vectors: ids of all vectors.
        broken: conventions that change no vector, and a reference form that fails one.
    """

    formula: str
    vectors: tuple[str, ...]
    kills: dict[str, tuple[str, ...]]
    apart: dict[tuple[str, str], int]
    broken: tuple[str, ...]

    @property
    def survivors(self) -> tuple[str, ...]:
        """Faults killed less than twice."""
        return tuple(name for name, ids in self.kills.items() if len(ids) < LEAST_KILLS)

    @property
    def confused(self) -> tuple[tuple[str, str], ...]:
        """Pairs that nothing tells apart."""
        return tuple(pair for pair, count in self.apart.items() if not count)

    @property
    def passed(self) -> bool:
        return not (self.survivors or self.confused or self.broken)


def self_check(formulas: Sequence[str] | None = None) -> list[FormulaMatrix]:
    """The kill matrix of every formula that has faults, or of some."""
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

    def told(a: str, b: str) -> int:
        if {a, b} <= rounds:
            # these are known by where they show, and not by their digits
            return len(set(differs[a]) ^ set(differs[b]))
        return sum(not outcomes_equal(outcomes[a][v.id], outcomes[b][v.id], v.scale) for v in vectors)

    # two conventions may agree wherever they are used
    apart = {(a, b): told(a, b) for a, b in combinations(forms, 2) if known.is_fault(a)}
    broken = [f"the right form fails {v.id}" for v in vectors if judge(v, run_form(right, v)).failed]
    broken += [f"convention {c.name} changes no vector" for c in known.conventions if not differs[c.name]]
    return FormulaMatrix(
        name,
        tuple(v.id for v in alone),
        # a batch holds the vectors that are counted already
        {fault.name: tuple(i for i in differs[fault.name] if i in single) for fault in known.faults},
        apart,
        tuple(broken),
    )


def matrix_json(matrices: Sequence[FormulaMatrix]) -> dict[str, Any]:
    """The kill matrix as plain data."""
    return {
        "passed": all(m.passed for m in matrices),
        "faults": sum(len(m.kills) for m in matrices),
        "least_kills": LEAST_KILLS,
        "formulas": [
            {
                "formula": m.formula,
                "vectors": len(m.vectors),
                "faults": [{"name": name, "killed_by": list(ids)} for name, ids in m.kills.items()],
                "survivors": list(m.survivors),
                "not_told_apart": [list(pair) for pair in m.confused],
                "least_apart": min(m.apart.values(), default=None),
                "broken": list(m.broken),
            }
            for m in matrices
        ],
    }


def matrix_lines(matrices: Sequence[FormulaMatrix]) -> list[str]:
    """The kill matrix for people."""
    lines = []
    for m in matrices:
        lines.append(f"{m.formula}: {len(m.kills)} faults, {len(m.vectors)} vectors")
        for name, ids in m.kills.items():
            slugs = [word.partition("/")[2] for word in ids]
            tail = ", ".join(slugs[:2]) + (", …" if len(slugs) > 2 else "") if slugs else "nothing"
            mark = "" if len(ids) >= LEAST_KILLS else "  SURVIVES"
            lines.append(f"  {name}: {len(ids)}{mark}")
            lines.append(f"      {tail}")
        lines += [f"  {a} and {b} are told apart by nothing" for a, b in m.confused]
        lines += [f"  {why}" for why in m.broken]
    return lines
