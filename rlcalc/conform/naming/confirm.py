"""A known bug put to the test: generated cases on which the target answers in another way than the bug does.

A few vectors may be all that show a bug, and two bugs may answer them alike.
What is named has to stand on cases that were not chosen for it as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.compare import CLOSE, LARGEST, outcomes_equal
from rlcalc.conform.convention import Convention
from rlcalc.conform.diagnose import Match
from rlcalc.conform.generate.search import search
from rlcalc.conform.naming.composition import composed
from rlcalc.conform.outcome import Judgement, Outcome, run_form
from rlcalc.conform.target.base import one_per_step
from rlcalc.conform.trial import Trial
from rlcalc.conform.vectors import Vector, reference
from rlcalc.specs import Formula

# drawn for each bug that would be named
CASES = 60


class _Explained(Trial):
    """A trial whose truth is what a known bug answers; only ordinary numbers are compared."""

    def __init__(self, trial: Trial, match: Match, formula: Formula) -> None:
        super().__init__(trial.target.with_dtypes((trial.dtype,)), ())
        self.form = composed(match.faults, match.conventions, reference(formula), match.outside)
        # on a bound, or of equal values, each library has a derivative of its own
        self.said = {output.name for output in formula.outputs if output.derivative is None}
        self.tolerance = CLOSE["float32" if trial.single else trial.dtype]

    def judgement(self, vector: Vector, dtype: str, conventions: Sequence[Convention] = ()) -> Judgement:
        # what is one number for most may mean another thing as one per step
        many = any(one_per_step(vector, p.name) for p in vector.formula.parameters)
        why = "one number for all steps is compared" if many else self.target.unable(vector)
        if vector.scale > LARGEST:
            why = why or "beside numbers so large nothing is compared closely"
        theirs = None if why else self.outcome(vector, dtype, conventions)
        mine = self._values(run_form(self.form, self.target.as_put(vector)))
        theirs = theirs and self._values(theirs)
        if theirs is None or not (_ordinary(theirs) and _ordinary(mine)):
            return Judgement(vector, dtype, "skipped", why=why or "no numbers to compare")
        alike = not _alike_in_shape(mine.outputs, theirs.outputs) or outcomes_equal(
            mine, theirs, vector.scale, self.tolerance
        )
        return Judgement(vector, dtype, "passed" if alike else "wrong", outcome=theirs)

    def _values(self, outcome: Outcome) -> Outcome:
        return replace(outcome, outputs={n: x for n, x in outcome.outputs.items() if n in self.said})


def _ordinary(outcome: Outcome) -> bool:
    return outcome.kind == "answer" and all(np.isfinite(value).all() for value in outcome.outputs.values())


def _alike_in_shape(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    common = mine.keys() & theirs.keys()
    return bool(common) and all(np.shape(mine[name]) == np.shape(theirs[name]) for name in common)


def refuting(trial: Trial, formula: Formula, match: Match, chosen: Sequence[Convention]) -> Vector | None:
    """A small case on which a target does not answer as the bug does that would be named; ``None`` without.

    What only rounds is not put to it: how, no one can say.
    """
    if any(fault.rounds for fault in match.faults) or any(way.slack is not None for way in match.conventions):
        return None
    calls = [way for way in chosen if way.call is not None]
    found = search(_Explained(trial, match, formula), formula, calls, CASES, 0, trial.batches)[1]
    return None if found is None or found.flaky else found.judgement.vector
