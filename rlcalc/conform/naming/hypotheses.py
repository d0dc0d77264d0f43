"""Explanations to try for the answers of a target, the simplest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from rlcalc.conform.catalogue import Catalogue
from rlcalc.conform.convention import Convention
from rlcalc.conform.fault import Fault
from rlcalc.conform.naming.composition import pairs, together


@dataclass(frozen=True)
class Hypothesis:
    """An explanation to try: faults, conventions that may be open, and which stands around the other."""

    faults: tuple[Fault, ...]
    under: tuple[Convention, ...]
    outside: bool = False

    @property
    def searches(self) -> bool:
        """Whether constants have to be found first."""
        parts: list[Fault | Convention] = [*self.faults, *self.under]
        return any(part.open for part in parts)

    @property
    def key(self) -> tuple[Any, ...]:
        return self.outside, *(fault.name for fault in self.faults), *(way.name for way in self.under)


def hypotheses(
    known: Catalogue,
    conventions: tuple[Convention, ...],
    likely: tuple[Convention, ...],
    shows: Callable[[Fault | Convention], bool],
) -> Iterable[Iterable[Hypothesis]]:
    """Simplest explanations first; the next stage is entered only when one explains nothing.

    Of what is combined each part must show by itself on some vector that was run (``shows``): beside
    another it would explain nothing that the other does not.
    """
    yield _both_ways([(fault,) for fault in known.faults], conventions)
    others = [c for c in (*known.conventions, *known.families) if c not in conventions and c.call is None]
    showing = list(filter(shows, others))
    both = list(pairs(list(filter(shows, known.faults))))
    closer = (*conventions, *(c for c in likely if c not in conventions))
    alone = [(*conventions, c) for c in showing if not c.open and together((*conventions, c))]

    def under(ways: Sequence[Convention], count: int, opened: bool | None = None) -> list[Hypothesis]:
        return [
            hypothesis
            for way in combinations(ways, count)
            if _sensible((*conventions, *way)) and opened in (None, any(one.open for one in way))
            for hypothesis in _both_ways([(fault,) for fault in known.faults], (*conventions, *way))
        ]

    yield under(others, 1)
    yield under(showing, 2, False)  # a mean of losses is two, and the rule among libraries
    # what leaves the fewest failures first, which two refusals leave room for
    for some in [*([closer] if closer != conventions else []), conventions]:
        yield _both_ways(both, some)
    # each constant is searched for, which takes longer than all that stands before
    yield under(showing, 2, True)
    yield under(showing, 3)  # with a dual clip it is three
    for some in alone:
        yield _both_ways(both, some) if some != closer else []


def _sensible(under: Sequence[Convention]) -> bool:
    """Whether conventions can hold at once; of several constants one is looked for beside a fault."""
    return together(under) and sum(convention.open for convention in under) < 2


def _both_ways(faults: Sequence[tuple[Fault, ...]], under: tuple[Convention, ...]) -> list[Hypothesis]:
    """Faults inside of conventions, and around them where that is another thing."""
    if any(way.open for way in under):  # one constant at a time
        faults = [some for some in faults if not any(fault.open for fault in some)]
    inside = [Hypothesis(some, under) for some in faults]
    outer = [some for some in faults if under and any(fault.stage != "whole" for fault in some)]
    return inside + [Hypothesis(some, under, outside=True) for some in outer]
