"""Generated cases against rational arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rlcalc.conform.judge import Judgement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rlcalc.conform.faults import Convention
    from rlcalc.conform.targets import Target
    from rlcalc.specs import Formula


@dataclass(frozen=True)
class Found:
    """The smallest failing case."""

    judgement: Judgement


def search(
    target: Target, formula: Formula, conventions: Sequence[Convention], count: int, seed: int
) -> tuple[int, Found | None, str]:
    """Run generated cases: how many, the smallest failing one, and why none ran."""
    return 0, None, "not there yet"
