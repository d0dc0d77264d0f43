"""Where two implementations differ, on the smallest input that shows it, and which of them is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from copy import copy
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from rlcalc.conform.binding.bind import AS_IT_STANDS, by_name
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.binding.which import found_formula
from rlcalc.conform.check import Checked, Request, check_target, load
from rlcalc.conform.conform_report import ConformReport
from rlcalc.conform.convention import Convention
from rlcalc.conform.generate.restated import restated
from rlcalc.conform.generate.search import search
from rlcalc.conform.outcome import Judgement, Outcome, judge, wrong_places
from rlcalc.conform.probing.batching import with_batches
from rlcalc.conform.report.counterexample import as_text, joined, near_text, rows_of
from rlcalc.conform.target.base import Target
from rlcalc.conform.trial import Trial, Watch
from rlcalc.conform.vectors import Vector, answer_name, golden_vectors
from rlcalc.errors import InputError
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
        counted: dimension along which an answer is listed, such as ``T`` or ``A``.
    """

    name: str
    dtype: str
    inputs: Mapping[str, Any]
    answers: tuple[Any, Any, Any]
    places: tuple[int, ...]
    counted: str


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
    """A trial whose truth is what another function answers, each asked as its own report has read it."""

    def __init__(
        self,
        targets: Sequence[Target],
        reports: Sequence[ConformReport],
        batches: bool,
        watch: Watch | None,
    ) -> None:
        mine, theirs = (_compared(*pair) for pair in zip(targets, reports, strict=True))
        super().__init__(_with_inputs_of_both(mine, theirs), (), watch)
        self.other = Trial(theirs, ())
        self.under = [report.tried_under for report in reports]
        self.vectors = with_batches(restated(golden_vectors(reports[0].formula), self.bindings), batches)

    @property
    def bindings(self) -> tuple[Binding, ...]:
        return (*super().bindings, *self.other.bindings)

    def judgement(self, vector: Vector, dtype: str, conventions: Sequence[Convention] = ()) -> Judgement:
        unable = self.target.unable(vector) or self.other.target.unable(vector)
        mine = None if unable else self.outcome(vector, dtype, self.under[0])
        theirs = None if unable else self.other.outcome(vector, dtype, self.under[1])
        if mine is None or theirs is None:
            return Judgement(vector, dtype, "skipped", why=unable or self.stopped or self.other.stopped)
        if theirs.kind != "answer":
            same = mine.kind != "answer"
            status = "passed" if same else "wrong"
            return Judgement(vector, dtype, status, why=_said(theirs), outcome=mine)
        common = {name: x for name, x in theirs.outputs.items() if name in vector.truth}
        return judge(vector, mine, dtype, {name: _exact(x.tolist()) for name, x in common.items()})


def _compared(target: Target, report: ConformReport) -> Target:
    """A target as its report has read it; as it was loaded where names and layout are the formula's own.

    It is asked then for what its report left out as well: what it does with a batch, say.
    """
    assert report.asked is not None
    read = report.binding
    own = read is None or (
        read.layout in AS_IT_STANDS
        and read.form == "array"
        and not read.fixed
        and all(path == role for path, role in read.inputs.items())
    )
    plain = own and by_name(target, load_formula(report.formula))
    either = target.facts is not None and target.facts.framework in ("either", "called")
    return target.with_backend(target.backend if either else report.backend) if plain else report.asked


def _with_inputs_of_both(one: Target, other: Target) -> Target:
    """A target that is given nothing that the other has no place for."""
    found = copy(one)
    if other.accepts is not None:
        found.accepts = other.accepts if one.accepts is None else one.accepts & other.accepts
    return found


def _said(outcome: Outcome) -> str:
    return f"{outcome.kind}: {outcome.detail}"


def _exact(value: Any) -> Any:
    """Floats as the fractions that they are; NaN and infinities stay."""
    return map_nested(lambda x: Fraction(x) if x - x == 0 else x, value)


def difference(first: Request, second: Request, watch: Watch | None = None) -> Difference:
    """Hold two functions against each other, and each against the formula.

    Where no formula is given, it is the one that the first is found to compute, or else the second.

    Raises:
        InputError, UnknownName, DataError: as ``check``; ``nothing_run``.
    """
    with ExitStack() as running:
        targets = []
        for request in (first, second):
            targets.append(load(request))
            running.callback(targets[-1].close)
        formula = first.formula or _found_formula(targets)
        one = check_target(targets[0], replace(first, formula=formula), watch=watch)
        # one that was asked for may have been judged as another, which the second is held against then
        formula = one.report.formula
        checked = (one, check_target(targets[1], replace(second, formula=formula), watch=watch))
        trial = Against(targets, [each.report for each in checked], first.batches, watch)
        judgements = trial.judgements()
        compared = [j for j in judgements if j.status != "skipped"]
        if not compared:
            raise InputError(
                "nothing_run",
                f"None of the vectors of {formula} could be put to both functions.",
                " ".join(f"{why}." for why in sorted({j.why for j in judgements})[:2]),
            )
        differing = [j for j in compared if j.failed]
        random = one.report.random
        found, case = None, None
        # a single row says more than a batch; only what shows in batches alone is shown as one
        for batches in (False, True) if random else ():
            found = found or search(trial, load_formula(formula), (), random, first.seed, batches)[1]
        if found is not None:
            case = _case(trial, found.judgement, joined(found.rows))
        elif differing:
            smallest = min(differing, key=lambda j: (bool(j.vector.rows), len(str(j.vector.texts))))
            case = _case(trial, smallest, smallest.vector.texts)
        return Difference(checked, len(compared), len(differing), case)


def _found_formula(targets: Sequence[Target]) -> str:
    """The formula of the first that says it, by name or by arguments.

    Raises:
        InputError: what the first one says, where neither does.
    """
    refused: InputError | None = None
    for target in targets:
        try:
            return found_formula(target, target.name)
        except InputError as error:
            refused = refused or error
    assert refused is not None
    raise refused


def _case(trial: Against, judgement: Judgement, inputs: Mapping[str, Any]) -> Case:
    vector, dtype = judgement.vector, judgement.dtype
    name = judgement.output or answer_name(vector.formula)
    mine, theirs = trial.outcome(vector, dtype), trial.other.outcome(vector, dtype)
    return Case(
        vector.id,
        dtype,
        {key: as_text(value) for key, value in inputs.items() if value is not None},
        (_answer(mine, name), _answer(theirs, name), near_text(vector.truth.get(name))),
        wrong_places(judgement, None),
        rows_of(vector.formula, name),
    )


def _answer(outcome: Outcome | None, name: str) -> Any:
    if outcome is None:
        return "no answer"
    return outcome.outputs[name].tolist() if name in outcome.outputs else _said(outcome)
