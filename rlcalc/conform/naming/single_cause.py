"""Wrong functions that are right but for one thing, which is seen by leaving it out."""

from __future__ import annotations

from dataclasses import replace

from rlcalc.conform.conform_report import ConformReport
from rlcalc.conform.diagnose import Diagnosis, Match
from rlcalc.conform.faults import _by_trying as trying
from rlcalc.conform.faults import catalogue
from rlcalc.conform.trial import Trial

# what is no convention of a function that is given the value of the last state
NO_BOOTSTRAP = "no-bootstrap"


def last_value_unused(trial: Trial, report: ConformReport) -> Diagnosis | None:
    """That it takes a value after the last step and never uses it, where that is all."""
    binding = trial.target.binding
    if binding is None or NO_BOOTSTRAP not in binding.excludes:
        return None
    ways = (*report.tried_under, *catalogue(report.formula).chosen([NO_BOOTSTRAP]))
    judged = trial.judgements(ways)
    if any(j.failed for j in judged) or not any(j.status == "passed" for j in judged):
        return None
    shown = tuple(dict.fromkeys(j.vector.id for j in trial.judgements(report.tried_under) if j.failed))
    fault = replace(trying.last_value_unused, formula=report.formula)
    return Diagnosis((Match((fault,), report.tried_under, shown, len(trial.vectors)),), None, 1)


def spare(trial: Trial, report: ConformReport) -> None:
    """See whether its bug shows on inputs alone that a convention takes away."""
    matches = report.matches
    name = matches[0].faults[0].spared if matches and len(matches[0].faults) == 1 else ""
    if not name:
        return
    under, (way,) = matches[0].conventions, catalogue(report.formula).chosen([name])
    more = [] if report.found is None else [report.found.judgement.vector]
    asked = trial.with_more(more)
    found = [asked.judgement(v, d, (*under, way)) for v in asked.vectors for d in trial.target.dtypes]
    if any(j.status == "passed" for j in found) and not any(j.failed for j in found):
        report.spared, report.right_under = way, under
