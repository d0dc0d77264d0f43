"""What can be found out about a statement."""

from rlcalc.audit.evidence.built import equal_by_increments, ordered, sum_by_induction
from rlcalc.audit.evidence.findings import Counterexample, Findings, GoldenCase, Pieces, Replay, Smallest
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
    Status,
)

__all__ = [
    "Cases",
    "Counterexample",
    "Evidence",
    "Exact",
    "Exhaustive",
    "Fact",
    "Findings",
    "GoldenCase",
    "Identity",
    "Induction",
    "Pieces",
    "Replay",
    "Sign",
    "Simulation",
    "Smallest",
    "Status",
    "equal_by_increments",
    "ordered",
    "sum_by_induction",
]
