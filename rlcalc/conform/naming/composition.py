"""Several faults and conventions at once: which can hold together, and what they give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations

from rlcalc.conform.convention import Convention
from rlcalc.conform.fault import Fault
from rlcalc.conform.forms import Form


def together(conventions: Sequence[Convention]) -> bool:
    """Whether conventions can hold at once: a batch is reduced one way only, a parameter has one value."""
    sets = [convention.sets for convention in conventions if convention.sets]
    return sum(convention.reduces for convention in conventions) < 2 and len(sets) == len(set(sets))


def pairs(faults: Sequence[Fault]) -> Iterator[tuple[Fault, Fault]]:
    """Pairs (outer, inner) that can stand together.

    The outer one calls the inner one, so it must change inputs or
    outputs of another form. Two faults of different stages give the same in
    either order, so one order is tried; of one stage, both. What only rounds
    stands outside, and once: the other fault is what it rounds.
    """
    rank = {stage: number for number, stage in enumerate(("whole", "inputs", "outputs"))}
    for outer, inner in permutations(faults, 2):
        if outer.rounds or inner.rounds:
            if outer.rounds and not inner.rounds:
                yield outer, inner
        elif outer.stage != "whole" and rank[outer.stage] >= rank[inner.stage]:
            yield outer, inner


def composed(
    faults: Sequence[Fault], conventions: Sequence[Convention], form: Form, outside: bool = False
) -> Form:
    """The form with faults in it, seen through conventions. The first fault is the outermost.

    Where a convention computes its own answer, a fault inside of it is lost;
    ``outside``, its inputs or its answer are changed. A fault that is a
    computation of its own stands inside all the same, and one of a loss outside.

    Conventions stand in their declared order, however they were named: a loss
    is the negative of a clipped objective, not a clipped loss. One that
    reduces a batch is the outermost, since the others are about single samples.
    """
    ordered = sorted(conventions, key=lambda convention: (not convention.reduces, convention.order))
    around = [f for f in faults if (outside or f.outermost) and f.stage != "whole"]
    inner = [fault for fault in faults if fault not in around]
    changes: tuple[Fault | Convention, ...] = (*reversed(inner), *reversed(ordered), *reversed(around))
    for change in changes:
        form = change.around(form)
    return form
