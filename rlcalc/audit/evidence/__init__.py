"""What can be found out about a statement."""

from rlcalc.audit.evidence.findings import Findings, Pieces, equal_by_increments, ordered, sum_by_induction
from rlcalc.audit.evidence.pieces import (
    Cases,
    Evidence,
    Exact,
    Exhaustive,
    Fact,
    Identity,
    Induction,
    Sign,
    Simulation,
)

__all__ = [
    "Cases",
    "Evidence",
    "Exact",
    "Exhaustive",
    "Fact",
    "Findings",
    "Identity",
    "Induction",
    "Pieces",
    "Sign",
    "Simulation",
    "equal_by_increments",
    "ordered",
    "sum_by_induction",
]
