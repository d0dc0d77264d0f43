"""A target on the vectors of its formula: outcomes, verdict, diagnosis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from rlcalc.conform.beside import with_terms
from rlcalc.conform.binding.bind import bind, bind_as
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.binding.plays import played
from rlcalc.conform.binding.remarks import NEAREST
from rlcalc.conform.conform_report import ConformReport
from rlcalc.conform.convention import Convention, as_typed
from rlcalc.conform.detached import with_detached
from rlcalc.conform.diagnose import LONGEST, Diagnosis, Effort, Match, diagnose
from rlcalc.conform.entropies import with_entropy
from rlcalc.conform.faults import catalogue
from rlcalc.conform.faults._by_trying import (
    masked_by_multiplication,
    rows_mixed,
    statistics_over_whole_batch,
)
from rlcalc.conform.generate.restated import restated
from rlcalc.conform.generate.search import search
from rlcalc.conform.naming.confirm import refuting
from rlcalc.conform.naming.failures import in_common, only_number, refuse_unread
from rlcalc.conform.naming.recognise import named_otherwise, recognised
from rlcalc.conform.naming.single_cause import single_cause, spare
from rlcalc.conform.objectives import with_sign
from rlcalc.conform.outcome import Judgement
from rlcalc.conform.probing.batching import with_batches
from rlcalc.conform.probing.capabilities import Capabilities, narrow, over_the_whole, probe
from rlcalc.conform.probing.lack import Lack
from rlcalc.conform.probing.requirements import AFTER_ENDS, DTYPE, PRECISION, requirements
from rlcalc.conform.target.base import Target
from rlcalc.conform.trial import Trial, Watch
from rlcalc.conform.vectors import GENERATED, Vector, golden_vectors, with_all_steps
from rlcalc.errors import InputError
from rlcalc.specs import load_formula

# a hang ends the run before there is anything to compare, a wrong dtype or a changed input names itself
DIAGNOSED = ("wrong", "raises", "wrong-shape", "nan")
# seconds of computing for the name of a bug, once the verdict is settled
NAMING = LONGEST
THIN = "too-few-vectors"
# bugs that would have been named, and that a generated case refutes
MOST_REFUTED = 3


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

    Where a policy loss is right and the divergence beside it is not, the report is on that.

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
    if not (vectors or mapped or binding) and (
        play := played(target, target.called or target.name, load_formula(formula).name)
    ):
        target, vectors, random = play.target, play.vectors, 0
    judge = partial(_judged, target, random=random, seed=seed, batches=batches, find=find, watch=watch)
    report = judge(formula, conventions, vectors, mapped, binding, require)
    for look in (with_sign, with_detached, with_entropy):
        report = look(report)
    return with_terms(report, lambda other, roles: judge(other, mapped=roles))


def _judged(
    target: Target,
    formula: str,
    conventions: Sequence[str] = (),
    vectors: Sequence[Vector] | None = None,
    mapped: Mapping[str, str] | None = None,
    binding: Binding | None = None,
    require: Sequence[str] = (),
    *,
    random: int,
    seed: int,
    batches: bool,
    find: bool,
    watch: Watch | None,
) -> ConformReport:
    """A target as one formula."""
    spec = load_formula(formula)
    if vectors is None and not mapped and binding is None:
        target, spec = bind_as(target, spec, conventions)
    else:
        target = bind(target, spec, mapped, binding)
    chosen = catalogue(spec.name).chosen(conventions)
    required = requirements(spec, require)
    some = golden_vectors(spec.name) if vectors is None else vectors
    known = with_batches(restated(some, () if target.binding is None else (target.binding,)), batches)
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
    refuse_unread(trial, report.binding, report.judgements)

    def generate(under: Sequence[Convention]) -> None:
        report.random, report.found, why = search(trial, spec, under, random, seed, batches and trial.batches)
        report.random_skipped = report.random_skipped or why

    if random:
        generate(chosen)
        against: list[Vector] = []
        while report.found is not None and find and not report.declared:
            # with a name of its own, since what it answers is remembered by that
            case = report.found.judgement.vector
            against.append(replace(case, id=f"{GENERATED} {len(against) + 1}"))
            other = trial.finer(chosen, against)
            if not (other or any(j.failed for j in report.judgements) or len(against) > 2):
                other = trial.with_more(against).conventions()  # that no vector asks for, and cases do
            if not other:
                break
            chosen = report.conventions = report.tried_under = other
            report.judgements = trial.judgements(chosen)
            generate(chosen)
    report.lacking = tuple(name for name in report.not_tested if name in required)
    worst = report.worst
    report.verdict = _verdict(report, worst, chosen)
    if report.binding is not None and not worst:  # a convention whose constant was to be found made it right
        report.binding = report.binding.without_note(NEAREST)
    if not worst and AFTER_ENDS in report.lacking:
        behind = replace(masked_by_multiplication, formula=spec.name)
        report.diagnosis = Diagnosis((Match((behind,), chosen, (), len(known)),))
    if worst in DIAGNOSED:
        closest = () if report.declared or not find else trial.closest()
        _diagnose(trial, report, able, closest)
        # that a loss has another sign is no news: count and show what is wrong besides
        matches = report.matches
        under = matches[0].conventions if matches else closest
        again = trial.judgements(under) if under and under != chosen else []
        spare(trial, report)
        if any(j.failed for j in again):
            report.notes.append(_counted(under, bool(matches), report.judgements, again))
            report.judgements, report.tried_under = again, under
            if random and not trial.stopped:
                generate(under)
            # a shape that these allow is none that is wrong
            report.verdict = _verdict(report, report.worst or worst, chosen)
    if report.verdict == "wrong-shape" and report.matches:
        report.verdict = "nonconforming"
    if worst and not report.declared:
        report.conventions = ()
    report.notes = [*dict.fromkeys(trial.target.notes), *_remarks(trial, report), *report.notes]
    return report


def _settled(trial: Trial, able: Capabilities) -> tuple[Convention, ...]:
    """The conventions that the target follows, with its doubts settled: none where none make it right."""
    if not trial.fails():
        return ()
    if chosen := trial.conventions():
        return chosen
    for doubts in _ways(able.doubts):
        less = _without(trial, doubts)
        fails = less.fails()
        chosen = less.conventions() if fails else ()
        if (chosen or not fails) and _unknown(trial, chosen):
            _accept(trial, able, doubts)
            return chosen
    if not able.mixes:
        return ()
    # what single rows follow, so that the batches are seen for what they are
    rows = _without(trial, (able.rows_apart,))
    return rows.conventions() if rows.fails() else ()


def _settle_doubts(trial: Trial, able: Capabilities, chosen: tuple[Convention, ...]) -> None:
    """Leave out what it answers in another way, where it is right otherwise and no known bug answers so."""
    if not able.doubts or not trial.fails(chosen):
        return
    for doubts in _ways(able.doubts):
        if not _without(trial, doubts).fails(chosen) and _unknown(trial, chosen):
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


def _unknown(trial: Trial, chosen: tuple[Convention, ...]) -> bool:
    """Whether no known bug behaves like the target on all that it was asked."""
    outcomes = trial.outcomes(chosen, trial.dtype)
    found = diagnose(trial.vectors, outcomes, chosen, trial.dtype, effort=trial.effort, single=trial.single)
    return not found.matches


def _verdict(report: ConformReport, worst: str, chosen: Sequence[Convention]) -> str:
    if worst:
        return "nonconforming" if worst == "wrong" else worst
    if report.lacking:
        return "nonconforming"
    if report.thin:
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
    found += [report.thin] * (report.verdict == THIN)
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
    dtype = trial.dtype
    chosen = report.tried_under
    extra = [] if report.found is None else [report.found.judgement.vector]
    asked = trial.with_more(extra)
    outcomes = asked.outcomes(chosen, dtype)
    if all(outcome.kind != "answer" or outcome.infinite for outcome in outcomes.values()):
        return  # what never answers, or with infinity alone, says itself what is wrong
    if not any(asked.judgement(v, dtype, chosen).failed for v in asked.vectors):
        report.notes.append("It fails in float32 alone: no known bug, but rounding.")
        return
    trial.watch("known bugs", 0, 0)
    spec = load_formula(report.formula)
    put = [trial.target.as_put(vector) for vector in asked.vectors]
    always = only_number(asked, outcomes)
    if always is not None:
        # several things at once would have to cancel everywhere
        report.diagnosis = diagnose(put, outcomes, chosen, dtype, effort=_naming(trial), alone=True)
        report.constant = always
        report.notes.append(f"It answers {as_typed(always)} whatever it is given.")
        return
    effort = _naming(trial)
    found = single_cause(asked, report) or diagnose(
        put, outcomes, chosen, dtype, likely, effort, single=trial.single
    )
    # what dies costs a process a case
    asks = report.random and found.tried > 1 and not trial.deaths
    for number in range(MOST_REFUTED if asks else 0):
        # what it may not support at all refutes nothing
        sure = _without(trial, able.doubts)
        case = refuting(sure, spec, found.matches[0], chosen) if found.matches else None
        if case is None:
            break
        # with a name of its own, since what it answers is remembered by that
        case = trial.target.as_put(replace(case, id=f"{GENERATED} against a bug {number}"))
        put.append(case)
        outcomes |= trial.with_more([case]).outcomes(chosen, dtype)
        found = diagnose(put, outcomes, chosen, dtype, likely, effort, single=trial.single)
    if not found.matches or (able.mixes and not any(len(match.faults) == 1 for match in found.matches)):
        # one sentence for what right single rows say, rather than two bugs at once
        found = _mixed(trial, report, found) or found
    if not found.matches:
        found = _without_doubts(asked, able, chosen, dtype) or found
    counted = [with_all_steps(vector) for vector in put]
    if not found.matches and any(one is not other for one, other in zip(counted, put, strict=True)):
        # of endlessly many steps it may count those that there are; what was refuted was of the others
        more = diagnose(counted, outcomes, chosen, dtype, likely, Effort(NAMING), single=trial.single)
        found = more if more.matches else found
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
        found = diagnose(
            less.vectors, less.outcomes(chosen, dtype), chosen, dtype, effort=effort, single=asked.single
        )
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
    report.notes.append(
        "Single rows are right: where it is given one a call and no more, say so with --no-batch."
    )
    whole = over_the_whole(trial, load_formula(report.formula))
    fault = replace(statistics_over_whole_batch if whole else rows_mixed, formula=report.formula)
    shown = tuple(dict.fromkeys(batched))
    match = Match((fault,), report.tried_under, shown, len({j.vector.id for j in ran}))
    return Diagnosis((match,), None, found.tried)
