"""Something that a function does not have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rlcalc.conform.target.base import Target
from rlcalc.conform.vectors import Vector


@dataclass(frozen=True)
class Lack:
    """Something that a function does not have.

    Attributes:
        name: as in ``not_tested``.
        uses: whether a vector needs it.
        note: how it was found; may be empty.
        certain: it refuses; otherwise it answers, and may have a fault.
        parameter: that takes one number only.
    """

    name: str
    uses: Callable[[Vector], bool]
    note: str = ""
    certain: bool = True
    parameter: str = ""

    def reason(self, vector: Vector) -> str:
        return f"{self.name} not tested" if self.uses(vector) else ""

    def narrowed(self, target: Target) -> Target:
        single = frozenset({self.parameter} if self.parameter else ())
        return target.narrowed(single, (self.reason,))
