"""A target on the vectors of its formula: outcomes, verdict, diagnosis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rlcalc.conform.batching import with_batches
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.binding.search import bind
from rlcalc.conform.catalogue import Convention
from rlcalc.conform.diagnose import Diagnosis, diagnose
from rlcalc.conform.faults import catalogue
from rlcalc.conform.generate.search import FailingCase, search
from rlcalc.conform.outcome import KINDS, Judgement
from rlcalc.conform.target.base import Target
from rlcalc.conform.trial import Trial, Watch
from rlcalc.conform.vectors import Vector, golden_vectors
from rlcalc.errors import InputError
from rlcalc.specs import load_formula

# a hang ends the run before there is anything to compare, a wrong dtype or a changed input names itself
DIAGNOSED = ("wrong", "raises", "wrong-shape", "nan")


@dataclass
class ConformReport:
    """Everything about one target.

    Attributes:
        verdict: ``conforms``, ``conforms-under-convention``, ``nonconforming`` or one of
            ``hangs``, ``raises``, ``wrong-shape``, ``nan``, ``wrong-dtype``, ``changes-inputs``.
        conventions: under which it conforms, or was asked to.
        declared: the user named them, rather than that they were found.
        judgements: one per vector and dtype.
        tried_under: conventions that the judgements were made under.
        random: how many generated cases ran.
        found: the smallest failing generated case, if one failed.
        diagnosis: which known bugs behave like it; ``None`` where none was looked for.
        random_skipped: why no cases were generated.
        asked: the target as it was bound and narrowed.
        binding: what its parameters were found to mean.
    """

    target: str
    formula: str
    verdict: str
    conventions: tuple[Convention, ...]
    declared: bool
    judgements: list[Judgement]
    tried_under: tuple[Convention, ...] = ()
    random: int = 0
    found: FailingCase | None = None
    diagnosis: Diagnosis | None = None
    notes: list[str] = field(default_factory=list)
    random_skipped: str = ""
    asked: Target | None = None
    binding: Binding | None = None

    @property
    def passed(self) -> bool:
        """Right as declared; a convention that was only found has to be declared first."""
        return self.verdict == "conforms" or (self.verdict == "conforms-under-convention" and self.declared)

    @property
    def failures(self) -> list[Judgement]:
        return [j for j in self.judgements if j.failed]

    @property
    def worst(self) -> str:
        """The worst thing that happened, of ``KINDS``; empty when nothing failed."""
        happened = {j.status for j in self.judgements}
        if self.found is not None:
            happened.add(self.found.judgement.status)
        return next((kind for kind in KINDS if kind in happened), "")

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
    watch: Watch | None = None,
    mapped: Mapping[str, str] | None = None,
    binding: Binding | None = None,
) -> ConformReport:
    """Run a target and say what it is.

    Args:
        target: what is put to the test. Its code runs.
        formula: Python name or command.
        conventions: declared ones; without any, they are found by trying.
        vectors: instead of the shipped ones.
        random: how many generated cases to run after the vectors.
        seed: of the generated cases.
        batches: whether there may be batch axes, in generated cases and in stacked vectors.
        find: whether to try conventions that were not declared.
        watch: hears how far things are.
        mapped: roles of parameters that their names do not say, by place.
        binding: what its parameters mean, where that need not be found.

    Raises:
        UnknownName: ``unknown_formula``, ``unknown_convention``.
        InputError: ``no_vectors``, ``nothing_run``, ``hypothesis_missing``; what ``bind`` raises.
    """
    spec = load_formula(formula)
    chosen = catalogue(spec.name).chosen(conventions)
    known = with_batches(golden_vectors(spec.name) if vectors is None else vectors, batches)
    target = bind(target, spec, mapped, binding)
    trial = Trial(target, known, watch)
    trial.leave_out_what_it_never_takes()
    report = ConformReport(target.name, spec.name, "", chosen, bool(chosen), trial.judgements(chosen), chosen)
    if all(j.status == "skipped" for j in report.judgements):
        raise InputError(
            "nothing_run",
            f"None of the {len(known)} vectors of {spec.name} could be put to {target.name}.",
            "".join(f"{why}." for why in sorted({j.why for j in report.judgements})[:1]),
        )
    if find and not chosen and report.failures and (chosen := trial.conventions()):
        report.judgements = trial.judgements(chosen)
        report.conventions = report.tried_under = chosen
    report.notes = list(trial.target.notes)
    report.asked, report.binding = trial.target, trial.target.binding

    def generate(under: Sequence[Convention]) -> None:
        report.random, report.found, why = search(trial, spec, under, random, seed, batches and trial.batches)
        report.random_skipped = report.random_skipped or why

    if random:
        generate(chosen)
    worst = report.worst
    report.verdict = _verdict(worst, chosen)
    if worst in DIAGNOSED:
        _diagnose(trial, report)
    if report.diagnosis is not None and report.diagnosis.matches:
        # that a loss has another sign is no news: count and show what is wrong besides
        under = report.diagnosis.matches[0].conventions
        again = trial.judgements(under) if under != chosen else []
        if any(j.failed for j in again):
            report.judgements, report.tried_under = again, under
            names = " and ".join(c.name for c in under)
            report.notes.append(f"Counted and shown under {names}, with which the bug was found.")
            if random and not trial.stopped:
                generate(under)
    if worst and not report.declared:
        report.conventions = ()
    return report


def _verdict(worst: str, chosen: Sequence[Convention]) -> str:
    if worst:
        return "nonconforming" if worst == "wrong" else worst
    return "conforms-under-convention" if chosen else "conforms"


def _diagnose(trial: Trial, report: ConformReport) -> None:
    """Look for the known bug behind a failure."""
    # what fails in float32 alone is rounding, unless nothing else was asked for
    dtypes = trial.target.dtypes
    dtype = "float64" if "float64" in dtypes else dtypes[0]
    chosen = report.tried_under
    extra = [] if report.found is None else [report.found.judgement.vector]
    asked = trial.with_more(extra)
    outcomes = asked.outcomes(chosen, dtype)
    if all(outcome.kind != "answer" for outcome in outcomes.values()):
        return  # what never answers says itself what is wrong
    if not any(asked.judgement(v, dtype, chosen).failed for v in asked.vectors):
        report.notes.append("It fails in float32 alone: no known bug, but rounding.")
        return
    trial.watch("known bugs", 0, 0)
    found = diagnose(asked.vectors, outcomes, chosen, dtype)
    # an exception names itself; only a bug that is known for it says more
    if found.matches or report.worst != "raises":
        report.diagnosis = found
