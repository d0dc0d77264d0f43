"""Where two implementations differ, on the smallest input that shows it, and which of them is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rlcalc.conform.batching import with_batches
from rlcalc.conform.check import Checked, Request, check, load
from rlcalc.conform.convention import Convention
from rlcalc.conform.generate.search import search
from rlcalc.conform.outcome import Judgement, Outcome, judge, wrong_places
from rlcalc.conform.report.counterexample import as_text, joined
from rlcalc.conform.target.base import Target
from rlcalc.conform.trial import Trial, Watch
from rlcalc.conform.vectors import Vector, answer_name, golden_vectors
from rlcalc.nested import map_nested
from rlcalc.specs import load_formula


@dataclass(frozen=True)
class Case:
    """An input on which two functions differ.

    Attributes:
        name: of a golden case, or ``generated``.
        inputs: exact, as text; of the row that differs, where it is a batch.
        answers: of the first, of the second, and the exact one; a function that raises says what.
        places: of the numbers that differ.
    """

    name: str
    dtype: str
    inputs: Mapping[str, Any]
    answers: tuple[Any, Any, Any]
    places: tuple[int, ...]


@dataclass(frozen=True)
class Difference:
    """Two functions on the vectors of a formula.

    Attributes:
        checked: each held against the formula.
        compared, differing: how many calls were compared, and how many gave another answer.
        case: the smallest that differs; ``None`` where none does.
    """

    checked: tuple[Checked, Checked]
    compared: int
    differing: int
    case: Case | None


class Against(Trial):
    """A trial whose truth is what another function answers."""

    def __init__(self, target: Target, other: Target, vectors: Sequence[Vector], watch: Watch | None) -> None:
        super().__init__(target, vectors, watch)
        self.other = Trial(other, vectors)

    def judgement(self, vector: Vector, dtype: str, conventions: Sequence[Convention] = ()) -> Judgement:
        unable = self.target.unable(vector) or self.other.target.unable(vector)
        mine = None if unable else self.outcome(vector, dtype)
        theirs = None if unable else self.other.outcome(vector, dtype)
        if mine is None or theirs is None:
            return Judgement(vector, dtype, "skipped", why=unable or self.stopped or self.other.stopped)
        if theirs.kind != "answer":
            same = mine.kind != "answer"
            status = "passed" if same else "wrong"
            return Judgement(vector, dtype, status, why=_said(theirs), outcome=mine)
        common = {name: x for name, x in theirs.outputs.items() if name in vector.truth}
        return judge(vector, mine, dtype, {name: _exact(x.tolist()) for name, x in common.items()})


def _said(outcome: Outcome) -> str:
    return f"{outcome.kind}: {outcome.detail}"


def _exact(value: Any) -> Any:
    """Floats as the fractions that they are; NaN and infinities stay."""
    return map_nested(lambda x: Fraction(x) if x - x == 0 else x, value)


def difference(first: Request, second: Request, watch: Watch | None = None) -> Difference:
    """Hold two functions against each other, and each against the formula.

    Raises:
        InputError, UnknownName, DataError: as ``check``.
    """
    checked = (check(first, watch), check(second, watch))
    spec = load_formula(first.formula)
    mine, theirs = load(first), load(second)
    try:
        trial = Against(mine, theirs, with_batches(golden_vectors(spec.name), first.batches), watch)
        compared = [j for j in trial.judgements() if j.status != "skipped"]
        differing = [j for j in compared if j.failed]
        random = checked[0].report.random
        found, case = None, None
        # a single row says more than a batch; only what shows in batches alone is shown as one
        for batches in (False, True) if random else ():
            found = found or search(trial, spec, (), random, first.seed, batches)[1]
        if found is not None:
            case = _case(trial, found.judgement, joined(found.rows))
        elif differing:
            smallest = min(differing, key=lambda j: (bool(j.vector.rows), len(str(j.vector.texts))))
            case = _case(trial, smallest, smallest.vector.texts)
        return Difference(checked, len(compared), len(differing), case)
    finally:
        mine.close()
        theirs.close()


def _case(trial: Against, judgement: Judgement, inputs: Mapping[str, Any]) -> Case:
    vector, dtype = judgement.vector, judgement.dtype
    name = judgement.output or answer_name(vector.formula)
    mine, theirs = trial.outcome(vector, dtype), trial.other.outcome(vector, dtype)
    return Case(
        vector.id,
        dtype,
        {key: as_text(value) for key, value in inputs.items() if value is not None},
        (_answer(mine, name), _answer(theirs, name), as_text(vector.truth.get(name))),
        wrong_places(judgement, None),
    )


def _answer(outcome: Outcome | None, name: str) -> Any:
    if outcome is None:
        return "no answer"
    return outcome.outputs[name].tolist() if name in outcome.outputs else _said(outcome)
