"""Edges of a definition: inputs where it takes a limit, or says what 0/0 is, and plain code divides by 0.

Whether a function goes along is a capability of its own: it is right without
it, and ``--require`` asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from rlcalc._lazy import np
from rlcalc.conform.outcome import Outcome
from rlcalc.conform.probing.lack import Lack
from rlcalc.conform.probing.probes import answers, refuses
from rlcalc.conform.trial import Trial
from rlcalc.conform.vectors import Vector
from rlcalc.specs import Formula

# of a function that takes logits: a probability of 0 is a logit of −∞ there, as of a masked action
MASKED_LOGITS = "masked logits"
LOGITS = frozenset({"logits_p", "logits_q"})
# of answers that are compared with the others of their group
ALONE = "an answer alone in its group"
# of functions of logits and the tokens that they predict: one token is predicted by none
NO_TOKEN = "an answer without a token"
# of advantages and returns of tokens: tool turns, say
GAPS, EARLY = "masked tokens between valid ones", "masked tokens before valid ones"


def _edge(formula: Formula) -> tuple[str, Callable[[Vector], bool]]:
    """What the edge of a formula is called, empty where it has none; and whether a vector is there."""
    for p in formula.parameters:
        if p.zero or p.zeros:
            return p.zero or p.zeros, partial(_zeros, name=p.name, every=bool(p.zeros))
    return "", lambda vector: False


def _zeros(vector: Vector, name: str, every: bool) -> bool:
    """Whether an input has a 0, or a row of nothing else."""
    given = vector.arrays.get(name)
    zeros = np.asarray(given) == 0
    return given is not None and bool((zeros.all(-1) if every else zeros).any())


def _has_no_logit(vector: Vector) -> bool:
    return any(_zeros(vector, name, False) for name in ("p", "q"))


def edge(formula: Formula) -> str:
    """What the edge of a formula is called; empty where it has none."""
    return _edge(formula)[0]


def edges(trial: Trial, formula: Formula, plain: Sequence[Vector]) -> Iterator[Lack]:
    """The edge of a formula, where a function raises or answers nan there and nowhere else."""
    name, there = _edge(formula)
    note = f"{name} not tested: it divides by 0 there"
    if not name and trial.target.binding is not None and trial.target.binding.roles & LOGITS:
        name, there, note = MASKED_LOGITS, _has_no_logit, ""
    if not name:
        return
    found = {v.id: _breaks(trial.tried(v)) for v in plain}
    beyond = [found[v.id] for v in plain if there(v)]
    if any(beyond) and not any(found[v.id] for v in plain if not there(v)):
        if not note:  # what plain code never meets is said all the same
            trial.target.notes.append("for a logit of −inf, as of a masked action, it answers nan")
        yield Lack(name, there, note)


def alone(trial: Trial, formula: Formula, plain: Sequence[Vector]) -> Iterator[Lack]:
    """An answer that is alone in its group, if it raises there and nowhere else: K − 1 is 0."""
    if "groups" not in formula.names:
        return
    asked = [v for v in plain if trial.tried(v) is not None]
    raised = {_is_alone(v) for v in asked if refuses(trial.tried(v))}
    if raised == {True}:
        yield Lack(ALONE, _is_alone, f"{ALONE} not tested: it raises there")


def _is_alone(vector: Vector) -> bool:
    groups = vector.arrays.get("groups")
    return groups is not None and 1 in np.unique(np.asarray(groups), return_counts=True)[1]


def no_token(trial: Trial, formula: Formula, plain: Sequence[Vector]) -> Iterator[Lack]:
    """An answer without a token, if it raises there: stacking or joining nothing does."""
    if not predicts(formula):
        return
    dtype = trial.target.dtypes[0]
    model = next(v for v in plain)
    cut = {name: v if v is None or not np.ndim(v) else v[:1] for name, v in model.arrays.items()}
    if answers(trial.outcome(model, dtype)) and refuses(trial.target.call(replace(model, arrays=cut), dtype)):
        yield Lack(NO_TOKEN, _without_token, f"{NO_TOKEN} not tested: it raises there")


def gaps(formula: Formula) -> Iterator[Lack]:
    """A doubt: masked tokens before valid ones, where padding is all that many functions have in mind."""
    between = "interior" in formula.names
    if between or formula.name == "token_rewards":  # which are put at the last token
        name = GAPS if between else EARLY
        note = f"{name} it counts in its own way: right where there are none"
        yield Lack(name, partial(_has_gap, between=between), note, certain=False)


def _has_gap(vector: Vector, between: bool) -> bool:
    mask = vector.arrays.get("mask")
    if mask is None:
        return False
    valid = np.asarray(mask, bool)
    before = np.cumsum(valid, -1) > 0 if between else True
    after = np.flip(np.cumsum(np.flip(valid, -1), -1), -1) > 0
    return bool((before & after & ~valid).any())


def predicts(formula: Formula) -> bool:
    """Whether its answer is one shorter than the tokens that it is given."""
    return {"logits", "ids"} <= formula.names


def _without_token(vector: Vector) -> bool:
    return int(np.shape(vector.arrays["ids"])[-1]) == 1


def _breaks(outcome: Outcome | None) -> bool:
    nan = answers(outcome) and any(
        np.isnan(value).any() for value in (outcome.outputs if outcome else {}).values()
    )
    return refuses(outcome) or nan
