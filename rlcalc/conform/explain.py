"""Everything that is known about a fault or a convention, found by its name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rlcalc.conform.convention import Convention
from rlcalc.conform.fault import Fault
from rlcalc.conform.faults import catalogue, formulas_with_faults
from rlcalc.conform.faults._by_trying import BY_TRYING
from rlcalc.conform.outcome import Judgement, judge, run_form
from rlcalc.conform.vectors import Vector, golden_vectors, reference
from rlcalc.errors import UnknownName, shown, suggestion
from rlcalc.specs import load_formula

# in the place of a formula, for what can be wrong with each
ANY = "any formula"
# vectors that are named in a text; as data there are all of them
MOST_NAMED = 6


@dataclass(frozen=True)
class Explanation:
    """A fault or convention of one formula.

    Attributes:
        vectors: those that an implementation with it fails, computed by running it.
    """

    entry: Fault | Convention
    vectors: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        entry = self.entry
        own = (
            entry.as_json()
            if isinstance(entry, Fault)
            else {"name": entry.name, "about": entry.about, "used_by": entry.users}
        )
        kind = "fault" if isinstance(entry, Fault) else "convention"
        return {"formula": entry.formula, "kind": kind, **own, "detected_by": list(self.vectors)}


def explain(name: str, formula: str | None = None) -> list[Explanation]:
    """What is known of a name, for every formula that has it.

    Args:
        name: of a fault or of a convention.
        formula: to look in this one alone.

    Raises:
        UnknownName: ``unknown_fault``, ``unknown_formula``.
    """
    formulas = [load_formula(formula).name] if formula else formulas_with_faults()
    entries = [entry for known in formulas for entry in _entries(known)]
    found = [entry for entry in entries if entry.name == name]
    if general := [fault for fault in BY_TRYING if fault.name == name]:
        # of any formula, and found by trying: no vector is failed by the fault alone
        return [Explanation(replace(fault, formula=formula or ANY), ()) for fault in general]
    if not found:
        names = sorted({entry.name for entry in (*entries, *BY_TRYING)})
        where = f" of {formulas[0]}" if formula else ""
        hint = suggestion(name, names) or "'rlcalc conform --faults' lists the known bugs."
        raise UnknownName("unknown_fault", f"There is no known bug or convention {shown(name)}{where}.", hint)
    return [
        Explanation(entry, tuple(j.vector.id for j in _failures(entry, golden_vectors(entry.formula))))
        for entry in found
    ]


def _entries(formula: str) -> Sequence[Fault | Convention]:
    known = catalogue(formula)
    return (*known.faults, *known.named)


def _failures(entry: Fault | Convention, vectors: Iterable[Vector]) -> Iterator[Judgement]:
    """Vectors that an implementation with it fails; of an open convention that depends on the constants."""
    if isinstance(entry, Convention) and entry.open:
        return
    form = entry.around(reference(load_formula(entry.formula)))
    found = (judge(vector, run_form(form, vector)) for vector in vectors)
    yield from (judgement for judgement in found if judgement.failed)


def smallest_case(entry: Fault | Convention) -> Judgement | None:
    """The certified vector with the fewest numbers that an implementation with it fails."""
    return next(_failures(entry, sorted(golden_vectors(entry.formula), key=_size)), None)


def _size(vector: Vector) -> int:
    return sum(getattr(value, "size", 1) for value in vector.arrays.values() if value is not None)


def parts(found: Explanation) -> Iterator[tuple[str, str]]:
    """Label and text of what there is to say; code comes line by line under one label."""
    entry = found.entry
    if isinstance(entry, Convention):
        yield "what", entry.about
        if entry.users:
            yield "used by", entry.users
    else:
        yield "what", entry.does
        yield "shown when", entry.shown_when
        yield "why", entry.cause
        yield "fix", entry.fix
        yield from (("diff", line) for line in entry.diff)
        if entry.reported_in:
            yield "reported in", ", ".join(entry.reported_in)
    slugs = ", ".join(vector.partition("/")[2] for vector in found.vectors[:MOST_NAMED])
    slugs += f" and {more} more" if (more := len(found.vectors) - MOST_NAMED) > 0 else ""
    if isinstance(entry, Convention) and entry.open:
        yield "declare", f"{entry.name}={','.join(f'<{c.name}>' for c in entry.constants)}"
        return
    unseen = "trying" if entry.name in {fault.name for fault in BY_TRYING} else "batches alone"
    label = "detected by" if isinstance(entry, Fault) else "changes"
    yield label, f"{len(found.vectors)} vectors: {slugs}" if slugs else unseen
