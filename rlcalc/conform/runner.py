"""A target on the vectors of its formula: outcomes, verdict, diagnosis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING, Any

from rlcalc.conform.batching import with_batches
from rlcalc.conform.diagnose import Diagnosis, composed, diagnose
from rlcalc.conform.faults import Convention, catalogue, together
from rlcalc.conform.outcome import KINDS, Judgement, Outcome, judge, run_form
from rlcalc.conform.target.base import Target, one_per_step
from rlcalc.conform.vectors import Vector, golden_vectors, reference
from rlcalc.errors import InputError
from rlcalc.evaluation import least_digits
from rlcalc.nested import map_nested as each
from rlcalc.nested import outline as shape
from rlcalc.specs import load_formula

if TYPE_CHECKING:
    from rlcalc.conform.generate.search import Found

# answers of a convention are those of a float64 form, not exact ones
CONVENTION_DIGITS = 9.0
MOST_TOGETHER = 3
# each costs the start of another process, and tells nothing new
MOST_DEATHS = 5
# a wrong dtype or a changed input names itself
DIAGNOSED = ("wrong", "raises", "wrong-shape", "nan")


@dataclass
class Report:
    """Everything about one target.

    Attributes:
        verdict: ``conforms``, ``conforms-under-convention``, ``nonconforming`` or one of
            ``hangs``, ``raises``, ``wrong-shape``, ``nan``, ``wrong-dtype``, ``changes-inputs``.
        conventions: under which it conforms, or was asked to.
        declared: the user named them, rather than that they were found.
        tried_under: conventions that the judgements were made under.
        judgements: one per vector and dtype.
        random: how many generated cases ran.
        found: the smallest failing generated case, if one failed.
    """

    target: str
    formula: str
    verdict: str
    conventions: tuple[Convention, ...]
    declared: bool
    judgements: list[Judgement]
    tried_under: tuple[Convention, ...] = ()
    random: int = 0
    found: Found | None = None
    diagnosis: Diagnosis | None = None
    notes: list[str] = field(default_factory=list)
    random_skipped: str = ""

    @property
    def passed(self) -> bool:
        """Right as declared; a convention that was only found has to be declared first."""
        return self.verdict == "conforms" or (self.verdict == "conforms-under-convention" and self.declared)

    @property
    def failures(self) -> list[Judgement]:
        return [j for j in self.judgements if j.failed]

    def digits(self, dtype: str) -> float | None:
        """Least correct digits in a dtype, over what was answered."""
        counted = (j.digits for j in self.judgements if j.dtype == dtype and j.digits is not None)
        return min(counted, default=None)


def run(
    target: Target,
    formula: str,
    conventions: Sequence[str] = (),
    vectors: Sequence[Vector] | None = None,
    random: int = 0,
    seed: int = 0,
    batches: bool = True,
    find: bool = True,
) -> Report:
    """Run a target and say what it is.

    Args:
        target: what is put to the test. Its code runs.
        formula: Python name or command.
        conventions: declared ones; without any, they are found by trying.
        vectors: instead of the shipped ones.
        random: how many generated cases to run behind the vectors.
        seed: of the generated cases.
        batches: whether there may be batch axes, in generated cases and in stacked vectors.
        find: whether to try conventions that were not declared.

    Raises:
        UnknownName: ``unknown_formula``, ``unknown_convention``.
        InputError: ``no_vectors``, ``nothing_run``, ``hypothesis_missing``.
    """
    spec = load_formula(formula)
    chosen = catalogue(spec.name).chosen(conventions)
    known = with_batches(golden_vectors(spec.name) if vectors is None else vectors, batches)
    trial = Trial(target, known)
    trial.leave_out_what_it_never_takes()
    judgements = trial.judged(chosen)
    if all(j.status == "skipped" for j in judgements):
        reasons = sorted({j.why for j in judgements})
        raise InputError(
            "nothing_run",
            f"None of the {len(known)} vectors of {spec.name} could be put to {target.name}.",
            f"{reasons[0]}." if reasons else "",
        )
    target = trial.target  # may have been found to take less
    declared = bool(chosen)
    if find and not chosen and any(j.failed for j in judgements):
        found = trial.conventions()
        if found:
            chosen = found
            judgements = trial.judged(chosen)
    report = Report(target.name, spec.name, "", chosen, declared, judgements, notes=list(target.notes))
    report.tried_under = chosen
    worst = _worst(judgements)
    if random:
        # refused where there is no Hypothesis, whatever the vectors said
        from rlcalc.conform.generate.search import search
    if random and trial.stopped:
        report.random_skipped = trial.stopped
    elif random:
        report.random, report.found, report.random_skipped = search(
            target, spec, chosen, random, seed, batches
        )
        if report.found is not None:
            worst = _worst([*judgements, report.found.judgement])
    report.verdict = _verdict(worst, chosen)
    if worst in DIAGNOSED:
        # what fails in float32 alone is rounding, unless nothing else was asked for
        dtype = "float64" if "float64" in target.dtypes else target.dtypes[0]
        outcomes = trial.outcomes(chosen, dtype)
        extra = () if report.found is None else (report.found.judgement.vector,)
        if extra:
            calls = [c for c in chosen if c.call is not None]
            outcomes = {**outcomes, extra[0].id: target.call(extra[0], dtype, chain(calls))}
        whole = [*known, *extra]
        if any(judged(target, v, dtype, chosen, _said(outcomes)).failed for v in whole):
            report.diagnosis = diagnose(whole, outcomes, chosen, dtype)
        else:
            report.notes.append("It fails in float32 alone: no known fault, but rounding.")
    under = _diagnosed_under(report)
    if under != chosen:
        # that a loss has another sign is no news: count and show what is wrong besides
        again = trial.judged(under)
        if any(j.failed for j in again):
            report.judgements, report.tried_under = again, under
            names = " and ".join(c.name for c in under)
            report.notes.append(f"Counted and shown under {names}, with which the fault was found.")
            if random and not trial.stopped:
                report.random, report.found, _ = search(target, spec, under, random, seed, batches)
    if worst and not declared:
        report.conventions = ()
    return report


def _diagnosed_under(report: Report) -> tuple[Convention, ...]:
    """Conventions of the simplest fault that matches; those tried before where none does."""
    found = report.diagnosis
    return found.matches[0].conventions if found is not None and found.matches else report.tried_under


def _verdict(worst: str, chosen: tuple[Convention, ...]) -> str:
    if worst:
        return "nonconforming" if worst == "wrong" else worst
    return "conforms-under-convention" if chosen else "conforms"


def _worst(judgements: Sequence[Judgement]) -> str:
    kinds = {j.status for j in judgements}
    return next((kind for kind in KINDS if kind in kinds), "")


class Trial:
    """A target and some vectors; each call is made once and judged as often as needed."""

    def __init__(self, target: Target, vectors: Sequence[Vector]) -> None:
        self.target = target
        self.vectors = vectors
        self.known: dict[tuple[str, str, str], Outcome] = {}
        # why it is not asked any more
        self.stopped = ""
        self.deaths = 0

    def outcome(self, vector: Vector, dtype: str, conventions: Sequence[Convention] = ()) -> Outcome | None:
        """What the target does; ``None`` once it hung or died too often, since every call may be another."""
        calls = [c for c in conventions if c.call is not None]
        key = (vector.id, dtype, "+".join(c.name for c in calls))
        if key not in self.known:
            if self.stopped:
                return None
            found = self.known[key] = self.target.call(vector, dtype, chain(calls))
            self.deaths += found.died
            if found.kind == "hangs":
                self.stopped = "another call never came back"
            elif self.deaths >= MOST_DEATHS:
                self.stopped = f"the process had died {self.deaths} times"
        return self.known[key]

    def leave_out_what_it_never_takes(self) -> None:
        """A discount per step is an offer, not a duty: a function that never takes one is not asked.

        It must have raised on every vector with one, and on none of the others;
        a wrong answer is never excused in this way.
        """
        if not self.vectors:
            return
        for parameter in self.vectors[0].formula.parameters:
            if not parameter.each:
                continue
            able = [v for v in self.vectors if not self.target.unable(v)]
            many = [v for v in able if one_per_step(v, parameter.name)]
            one = [v for v in able if not one_per_step(v, parameter.name)]
            dtype = self.target.dtypes[0]
            if many and one and self._raises(many[0], dtype) and all(self._raises(v, dtype) for v in many):
                if any(self._raises(v, dtype) for v in one):
                    continue
                self.target = self.target.narrowed(frozenset({parameter.name}))
                self.target.notes.append(
                    f"It raises on every {parameter.name} of one per step, so it was asked with one "
                    f"{parameter.name} for all steps only."
                )

    def _raises(self, vector: Vector, dtype: str) -> bool:
        outcome = self.outcome(vector, dtype)
        # a crash is no way to refuse
        return outcome is not None and outcome.kind == "raises" and not outcome.died

    def outcomes(self, conventions: Sequence[Convention], dtype: str) -> dict[str, Outcome]:
        """All outcomes in one dtype by vector."""
        found = {}
        for vector in self.vectors:
            outcome = None if self.target.unable(vector) else self.outcome(vector, dtype, conventions)
            if outcome is not None:
                found[vector.id] = outcome
        return found

    def judged(self, conventions: tuple[Convention, ...] = ()) -> list[Judgement]:
        """Every vector in every dtype of the target."""
        return [
            self.one(vector, dtype, conventions) for dtype in self.target.dtypes for vector in self.vectors
        ]

    def one(self, vector: Vector, dtype: str, conventions: tuple[Convention, ...]) -> Judgement:
        found = judged(self.target, vector, dtype, conventions, self.outcome)
        return replace(found, why=self.stopped) if found.status == "skipped" and not found.why else found

    def conventions(self) -> tuple[Convention, ...]:
        """The fewest conventions under which every vector passes; empty when none do."""
        if not self.vectors:
            return ()
        known = catalogue(self.vectors[0].formula.name).conventions
        # what fails as it is settles most conventions with one comparison
        first = sorted(self.vectors, key=lambda v: not self.one(v, self.target.dtypes[0], ()).failed)
        for count in range(1, min(MOST_TOGETHER, len(known)) + 1):
            for trial in filter(together, combinations(known, count)):
                if self.stopped:
                    return ()
                if not any(self.one(v, dtype, trial).failed for v in first for dtype in self.target.dtypes):
                    return trial
        return ()


def judged(
    target: Target, vector: Vector, dtype: str, conventions: tuple[Convention, ...], call: Any
) -> Judgement:
    """One vector on a target, whose call is made by ``call(vector, dtype, conventions)``.

    Skipped, for no reason that is known here, where that gives ``None``.
    """
    why = target.unable(vector)
    if not why and vector.demanded[dtype] == 0:
        why = f"{dtype} cannot hold the input"
    if why:
        return Judgement(vector, dtype, "skipped", why=why)
    outcome = call(vector, dtype, conventions)
    if outcome is None:
        return Judgement(vector, dtype, "skipped")
    if not conventions:
        return judge(vector, outcome, dtype)
    lowered = {**vector.demanded, "float64": min(vector.demanded["float64"], CONVENTION_DIGITS)}
    return judge(replace(vector, demanded=lowered), outcome, dtype, truth_under(vector, conventions))


def truth_under(vector: Vector, conventions: Sequence[Convention]) -> dict[str, Any]:
    """What is right under conventions: exact where they change nothing, else from the float64 form."""
    form = composed((), conventions, reference(vector.formula))
    outcome = run_form(form, vector)
    found: dict[str, Any] = {}
    for name, array in outcome.outputs.items():
        got = array.tolist()
        certified = vector.truth.get(name)
        alike = certified is not None and shape(certified) == shape(got)
        if alike and least_digits(got, certified, "float64", vector.scale) >= CONVENTION_DIGITS:
            found[name] = certified
        elif not any(math.isnan(part) for part in array.ravel().tolist()):
            found[name] = each(lambda part: Fraction(part) if math.isfinite(part) else part, got)
    return found


def _said(outcomes: Mapping[str, Outcome]) -> Any:
    """Outcomes that are known already, in place of calls."""

    def call(vector: Vector, dtype: str, conventions: Sequence[Convention]) -> Outcome | None:
        return outcomes.get(vector.id)

    return call


def chain(conventions: Sequence[Convention]) -> Any:
    """What conventions do to the arguments of a call; ``None`` when nothing."""
    if not conventions:
        return None

    def change(arguments: dict[str, Any]) -> dict[str, Any]:
        for convention in conventions:
            arguments = convention.call(arguments) if convention.call is not None else arguments
        return arguments

    return change
