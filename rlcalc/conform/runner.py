"""A target on the vectors of its formula: outcomes, verdict, diagnosis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from rlcalc.conform.batching import with_batches
from rlcalc.conform.binding.bind import bind, bind_as
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.binding.search import NEAREST
from rlcalc.conform.capabilities import Capabilities, narrow, over_the_whole, probe
from rlcalc.conform.convention import Convention
from rlcalc.conform.diagnose import LONGEST, Diagnosis, Effort, Match, diagnose
from rlcalc.conform.failures import in_common
from rlcalc.conform.faults import catalogue
from rlcalc.conform.faults._by_trying import (
    MASKED_BY_MULTIPLICATION,
    ROWS_MIXED,
    WHOLE_BATCH,
)
from rlcalc.conform.generate.search import FailingCase, search
from rlcalc.conform.lack import Lack
from rlcalc.conform.outcome import KINDS, Judgement
from rlcalc.conform.recognise import named_otherwise, recognised
from rlcalc.conform.requirements import AFTER_ENDS, DTYPE, PRECISION, requirements
from rlcalc.conform.single_cause import last_value_unused, spare
from rlcalc.conform.target.base import Target
from rlcalc.conform.trial import Trial, Watch
from rlcalc.conform.vectors import Vector, golden_vectors
from rlcalc.errors import InputError
from rlcalc.specs import load_formula

# a hang ends the run before there is anything to compare, a wrong dtype or a changed input names itself
DIAGNOSED = ("wrong", "raises", "wrong-shape", "nan")
# fewer vectors than this prove nothing, where there are many
LEAST_EVIDENCE, MANY = 3, 10
# seconds of computing for the name of a bug, once the verdict is settled
NAMING = LONGEST
THIN = "too-few-vectors"


@dataclass
class ConformReport:
    """Everything about one target.

    Attributes:
        verdict: ``conforms``, ``conforms-under-convention``, ``nonconforming`` or one of
            ``hangs``, ``raises``, ``wrong-shape``, ``nan``, ``wrong-dtype``, ``changes-inputs``; or
            ``too-few-vectors``, where nothing failed and next to nothing could be asked.
        conventions: under which it conforms, or was asked to.
        declared: the user named them, rather than that they were found.
        judgements: one per vector and dtype.
        tried_under: conventions that the judgements were made under.
        random: how many generated cases ran.
        found: the smallest failing generated case, if one failed.
        diagnosis: which known bugs behave like it; ``None`` where none was looked for.
        random_skipped: why no cases were generated.
        details: notes that say more of what was not tested.
        asked: the target as it was bound and narrowed.
        binding: what its parameters were found to mean.
        not_tested: what the target does not have, and was not asked for.
        lacking: of that, what was required.
        as_declared: the judgements under the declared conventions, where others were found since.
        backend: the arrays that it was called with.
        spared: the convention without which alone it is wrong; ``None`` where there is none.
        right_under: with that, the conventions under which all else is right.
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
    details: frozenset[str] = frozenset()
    random_skipped: str = ""
    asked: Target | None = None
    binding: Binding | None = None
    not_tested: list[str] = field(default_factory=list)
    lacking: tuple[str, ...] = ()
    as_declared: list[Judgement] = field(default_factory=list)
    backend: str = "numpy"
    spared: Convention | None = None
    right_under: tuple[Convention, ...] = ()

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
    require: Sequence[str] = (),
) -> ConformReport:
    """Run a target and say what it is: the one way from a target to a verdict, whoever asks.

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
        require: capabilities that it must have, as ``requirements.requirements`` reads them.

    Raises:
        UnknownName: ``unknown_formula``, ``unknown_convention``, ``unknown_requirement``.
        InputError: ``no_vectors``, ``nothing_run``, ``hypothesis_missing``; what ``bind`` raises.
    """
    spec = load_formula(formula)
    if vectors is None and not mapped and binding is None:
        target, spec = bind_as(target, spec)
    else:
        target = bind(target, spec, mapped, binding)
    chosen = catalogue(spec.name).chosen(conventions)
    required = requirements(spec, require)
    known = with_batches(golden_vectors(spec.name) if vectors is None else vectors, batches)
    trial = Trial(target, known, watch)
    trial.strict, trial.exact = DTYPE in required, PRECISION in required
    able = probe(trial, spec, batches, required)
    report = ConformReport(target.name, spec.name, "", chosen, bool(chosen), [], chosen)
    if find and not chosen:
        chosen = _settled(trial, able)
    else:
        _settle_doubts(trial, able, chosen)
    report.as_declared = trial.judgements(report.conventions)
    report.judgements = trial.judgements(chosen) if chosen else report.as_declared
    report.conventions = report.tried_under = chosen
    bound = trial.target.binding
    report.backend = "lists" if bound is not None and bound.form == "list" else trial.target.backend
    report.not_tested = able.not_tested
    report.details = frozenset(lack.note for lack in (*able.lacks, *able.doubts))
    if all(j.status == "skipped" for j in report.judgements):
        raise InputError(
            "nothing_run",
            f"None of the {len(known)} vectors of {spec.name} could be put to {target.name}.",
            "".join(f"{why}." for why in sorted({j.why for j in report.judgements})[:1]),
        )
    report.asked, report.binding = trial.target, trial.target.binding

    def generate(under: Sequence[Convention]) -> None:
        report.random, report.found, why = search(trial, spec, under, random, seed, batches and trial.batches)
        report.random_skipped = report.random_skipped or why

    if random:
        generate(chosen)
    report.lacking = tuple(name for name in report.not_tested if name in required)
    worst = report.worst
    report.verdict = _verdict(report, worst, chosen)
    if report.binding is not None and not worst:  # a convention whose constant was to be found made it right
        report.binding = report.binding.without_note(NEAREST)
    if not worst and AFTER_ENDS in report.lacking:
        behind = replace(MASKED_BY_MULTIPLICATION, formula=spec.name)
        report.diagnosis = Diagnosis((Match((behind,), chosen, (), len(known)),))
    if worst in DIAGNOSED:
        closest = () if report.declared or not find else trial.closest()
        _diagnose(trial, report, able, closest)
        # that a loss has another sign is no news: count and show what is wrong besides
        matches = report.diagnosis.matches if report.diagnosis is not None else ()
        under = matches[0].conventions if matches else closest
        again = trial.judgements(under) if under and under != chosen else []
        spare(trial, report)
        if any(j.failed for j in again):
            report.notes.append(_counted(under, bool(matches), report.judgements, again))
            report.judgements, report.tried_under = again, under
            if random and not trial.stopped:
                generate(under)
    if worst and not report.declared:
        report.conventions = ()
    report.notes = [*dict.fromkeys(trial.target.notes), *_remarks(trial, report), *report.notes]
    return report


def _settled(trial: Trial, able: Capabilities) -> tuple[Convention, ...]:
    """The conventions that the target follows, with its doubts settled: none where none make it right."""
    if not _fails(trial, ()):
        return ()
    if chosen := trial.conventions():
        return chosen
    for doubts in _ways(able.doubts):
        less = _without(trial, doubts)
        chosen = () if not _fails(less, ()) else less.conventions()
        if (chosen or not _fails(less, ())) and _unknown(trial, chosen):
            _accept(trial, able, doubts)
            return chosen
    if not able.mixes:
        return ()
    # what single rows follow, so that the batches are seen for what they are
    rows = _without(trial, (able.rows_apart,))
    return rows.conventions() if _fails(rows, ()) else ()


def _settle_doubts(trial: Trial, able: Capabilities, chosen: tuple[Convention, ...]) -> None:
    """Leave out what it answers in another way, where it is right otherwise and no known bug answers so."""
    if not able.doubts or not _fails(trial, chosen):
        return
    for doubts in _ways(able.doubts):
        if not _fails(_without(trial, doubts), chosen) and _unknown(trial, chosen):
            _accept(trial, able, doubts)
            return


def _ways(doubts: Sequence[Lack]) -> list[tuple[Lack, ...]]:
    """Each doubt alone, then all of them."""
    return [*((doubt,) for doubt in doubts), *([tuple(doubts)] if len(doubts) > 1 else [])]


def _without(trial: Trial, doubts: Sequence[Lack]) -> Trial:
    """The trial without what is doubtful; what is known already is shared."""
    less = trial.with_more(())
    for doubt in doubts:
        less.target = doubt.narrowed(less.target)
    return less


def _accept(trial: Trial, able: Capabilities, doubts: Sequence[Lack]) -> None:
    for doubt in doubts:
        narrow(trial, doubt)
        able.lacks.append(doubt)


def _fails(trial: Trial, chosen: Sequence[Convention]) -> bool:
    return any(j.failed for j in trial.judgements(chosen))


def _unknown(trial: Trial, chosen: tuple[Convention, ...]) -> bool:
    """Whether no known bug behaves like the target on all that it was asked."""
    dtype = _best(trial)
    found = diagnose(trial.vectors, trial.outcomes(chosen, dtype), chosen, dtype, effort=trial.effort)
    return not found.matches


def _best(trial: Trial) -> str:
    """The dtype to look at: what fails in float32 alone is rounding, unless nothing else was asked for."""
    return "float64" if "float64" in trial.target.dtypes else trial.target.dtypes[0]


def _verdict(report: ConformReport, worst: str, chosen: Sequence[Convention]) -> str:
    if worst:
        return "nonconforming" if worst == "wrong" else worst
    if report.lacking:
        return "nonconforming"
    every = {j.vector.id for j in report.judgements}
    if (
        len(every) >= MANY
        and len({j.vector.id for j in report.judgements if j.status == "passed"}) < LEAST_EVIDENCE
    ):
        return THIN
    return "conforms-under-convention" if chosen else "conforms"


def _remarks(trial: Trial, report: ConformReport) -> list[str]:
    """What is worth saying beside the verdict."""
    found = [f"Required, and not found: {', '.join(report.lacking)}."] if report.lacking else []
    wide = [j for j in report.judgements if j.dtype == "float64" and j.status == "passed"]
    rounded = sorted(j.digits for j in wide if j.digits is not None and j.digits < 10)
    if trial.single and rounded:
        usual, least = round(rounded[len(rounded) // 2]), round(rounded[0])
        worst = f", {least} in the worst case" if least < usual else ""
        found.append(f"computes in float32: right to {usual} digits{worst}")
    asides = {j.dtype: j.aside for j in report.judgements if j.aside}
    found += [f"{aside}; that is no fault" for aside in asides.values()]
    ran = {j.vector.id for j in report.judgements if j.status != "skipped"}
    every = {j.vector.id for j in report.judgements}
    if report.verdict == THIN:
        found.append(
            f"Only {len(ran)} of {len(every)} vectors could be put to it: too few to say that it conforms."
        )
    called = trial.target.called or trial.target.name
    found += named_otherwise(called, load_formula(report.formula), report.conventions)
    sentence = in_common(report.judgements)
    return [*found, sentence] if sentence else found


def _counted(
    under: Sequence[Convention], matched: bool, before: Sequence[Judgement], after: Sequence[Judgement]
) -> str:
    """Under which conventions the vectors are counted, and why."""
    names = " and ".join(c.name for c in under)
    if matched:
        return f"Counted and shown under {names}, with which the bug was found."
    wrong = sum(j.failed for j in before)
    right = wrong - sum(j.failed for j in after)
    return (
        f"{names} explains {right} of the {wrong} wrong answers; the others are counted and shown under it."
    )


def _diagnose(
    trial: Trial, report: ConformReport, able: Capabilities, likely: tuple[Convention, ...]
) -> None:
    """Look for the known bug behind a failure."""
    dtype = _best(trial)
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
    put = [trial.target.as_put(vector) for vector in asked.vectors]
    found = last_value_unused(asked, report) or diagnose(put, outcomes, chosen, dtype, likely, _naming(trial))
    if able.mixes and not any(len(match.faults) == 1 for match in found.matches):
        # one sentence for what right single rows say, rather than two bugs at once
        found = _mixed(trial, report, found) or found
    if not found.matches:
        found = _without_doubts(asked, able, chosen, dtype) or found
    report.notes += recognised(asked, outcomes, chosen, dtype)
    # an exception names itself; only a bug that is known for it says more
    if found.matches or report.worst != "raises":
        report.diagnosis = found


def _naming(trial: Trial) -> Effort:
    """For a name, once the verdict is clear; what was refuted before stays so."""
    return Effort(NAMING, trial.effort.refuted)


def _without_doubts(
    asked: Trial, able: Capabilities, chosen: tuple[Convention, ...], dtype: str
) -> Diagnosis | None:
    """The known bug of what it answers besides that which it may not support at all."""
    effort = _naming(asked)
    for doubts in _ways([*able.doubts, *([able.rows_apart] if able.mixes else [])]):
        less = _without(asked, doubts)
        found = diagnose(less.vectors, less.outcomes(chosen, dtype), chosen, dtype, effort=effort)
        if found.matches:
            return found
    return None


def _mixed(trial: Trial, report: ConformReport, found: Diagnosis) -> Diagnosis | None:
    """That the rows of a batch are mixed, where single rows are right."""
    ran = [j for j in report.judgements if j.status != "skipped"]
    alone = [j for j in ran if not j.vector.rows]
    batched = [j.vector.id for j in ran if j.vector.rows and j.failed]
    if not alone or any(j.failed for j in alone):
        return None
    if report.found is not None and len(report.found.rows) > 1:
        batched.append(report.found.judgement.vector.id)
    if not batched:
        return None
    whole = over_the_whole(trial, load_formula(report.formula))
    fault = replace(WHOLE_BATCH if whole else ROWS_MIXED, formula=report.formula)
    shown = tuple(dict.fromkeys(batched))
    match = Match((fault,), report.tried_under, shown, len({j.vector.id for j in ran}))
    return Diagnosis((match,), None, found.tried)
