"""Wrong functions that are right but for one thing, which is seen by leaving it out."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

from rlcalc.conform.binding.bound import BoundTarget
from rlcalc.conform.binding.families.token_values import EVERYWHERE
from rlcalc.conform.binding.families.tokens import Tokens
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.compare import outcomes_equal
from rlcalc.conform.conform_report import ConformReport
from rlcalc.conform.diagnose import Diagnosis, Match
from rlcalc.conform.fault import Fault
from rlcalc.conform.faults import _by_trying as trying
from rlcalc.conform.faults import catalogue
from rlcalc.conform.target.policies import (
    AVERAGED,
    BATCH,
    NORMAL,
    SENT,
    TWICE,
    is_policy,
    parts_of,
    place_of,
)
from rlcalc.conform.trial import Trial

# what is no convention of a function that is given the value of the last state
NO_BOOTSTRAP = "no-bootstrap"
# vectors on which a mask that is turned round makes no difference to who does not read it
LEAST_ALIKE = 3
# how log-probabilities are made for functions that are right but for a bug
_WAYS = {
    NORMAL: trying.log_softmax_missing,
    BATCH: trying.softmax_along_the_batch,
    AVERAGED: trying.density_averaged,
    TWICE: trying.softmax_of_probabilities,
}


def single_cause(trial: Trial, report: ConformReport) -> Diagnosis | None:
    """The one thing that is wrong, where it is seen by another question than the formula's."""
    return last_value_unused(trial, report) or made_otherwise(trial, report) or masked_wrongly(trial, report)


def made_otherwise(trial: Trial, report: ConformReport) -> Diagnosis | None:
    """That it makes log-probabilities in a wrong way, or sends back a loss of the other sign, and no more."""
    binding = trial.target.binding
    places = [path for path in binding.inputs if is_policy(path)] if binding is not None else []
    if binding is None or not places or not isinstance(trial.target, BoundTarget):
        return None
    sent = any(place.startswith(SENT) for place in binding.outputs.values())
    ways = [(replace(binding, excludes=()), trying.loss_with_the_sign_of_an_objective)] * sent
    for flag, fault in _WAYS.items():
        inputs = {
            _with(path, flag) if path in places else path: role for path, role in binding.inputs.items()
        }
        if inputs.keys() != binding.inputs.keys():
            ways.append((replace(binding, inputs=inputs), fault))
    for other, fault in ways:
        if found := _right_otherwise(trial, report, other, fault):
            return found
    return None


def masked_wrongly(trial: Trial, report: ConformReport) -> Diagnosis | None:
    """That it is right where nothing is masked, of a formula that knows no mask."""
    binding, target = trial.target.binding, trial.target
    if binding is None or not isinstance(target, BoundTarget) or not isinstance(target.family, Tokens):
        return None
    if not target.family.adds(binding) or "padding" in binding.roles:
        return None
    open_, turned = (
        replace(
            binding, inputs={path: role if old == "valid" else old for path, old in binding.inputs.items()}
        )
        for role in (EVERYWHERE, "padding")
    )
    other = _read_as(target, turned)
    some = [v for v in trial.vectors if not target.unable(v)][:LEAST_ALIKE]
    unread = all(outcomes_equal(target.call(v), other.call(v), v.scale) for v in some)
    fault = trying.masked_tokens_used if unread else trying.masked_tokens_counted
    return _right_otherwise(trial, report, open_, fault)


def _read_as(target: BoundTarget, binding: Binding) -> BoundTarget:
    asked = copy(target)
    asked.binding = asked.reading = binding
    return asked


def _right_otherwise(trial: Trial, report: ConformReport, other: Binding, fault: Fault) -> Diagnosis | None:
    """The bug, where it is right under another reading of the same places."""
    assert isinstance(trial.target, BoundTarget)
    again = Trial(_read_as(trial.target, other), trial.vectors)
    under = again.conventions() if again.fails() else ()
    if not again.passes(under):
        return None
    own = tuple(way for way in under if way.name not in other.excludes)
    shown = tuple(dict.fromkeys(j.vector.id for j in trial.judgements(own) if j.failed))
    found = replace(fault, formula=report.formula)
    return Diagnosis((Match((found,), own, shown, len(trial.vectors)),), None, 1)


def _with(path: str, flag: str) -> str:
    """A place whose log-probabilities are made for a function with a bug; any other as it is."""
    if not is_policy(path):
        return path
    parts, flags = parts_of(path)
    wanted = {AVERAGED: {"mean"}, TWICE: {"logits", "probs"}}.get(flag, {"logits"})
    for_it = bool(wanted & parts.keys())
    return place_of(parts, *sorted({*flags, flag})) if for_it else path


def last_value_unused(trial: Trial, report: ConformReport) -> Diagnosis | None:
    """That it takes a value after the last step and never uses it, where that is all."""
    binding = trial.target.binding
    if binding is None or NO_BOOTSTRAP not in binding.excludes:
        return None
    ways = (*report.tried_under, *catalogue(report.formula).chosen([NO_BOOTSTRAP]))
    if not trial.passes(ways):
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
