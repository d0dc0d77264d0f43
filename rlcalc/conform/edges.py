"""Edges of a definition: inputs where it takes a limit, or says what 0/0 is, and plain code divides by 0.

Whether a function goes along is a capability of its own: it is right without
it, and ``--require`` asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from rlcalc._lazy import np
from rlcalc.conform.lack import Lack
from rlcalc.conform.outcome import Outcome
from rlcalc.conform.probes import answers, refuses
from rlcalc.conform.trial import Trial
from rlcalc.conform.vectors import Vector
from rlcalc.specs import Formula

# of a function that takes logits: a probability of 0 is a logit of −∞ there, as of a masked action
MASKED_LOGITS = "masked logits"
LOGITS = frozenset({"logits_p", "logits_q"})


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
    dtype = trial.target.dtypes[0]
    found = {v.id: _breaks(trial.outcome(v, dtype)) for v in plain}
    beyond = [found[v.id] for v in plain if there(v)]
    if any(beyond) and not any(found[v.id] for v in plain if not there(v)):
        if not note:  # what plain code never meets is said all the same
            trial.target.notes.append("for a logit of −inf, as of a masked action, it answers nan")
        yield Lack(name, there, note)


def _breaks(outcome: Outcome | None) -> bool:
    nan = answers(outcome) and any(
        np.isnan(value).any() for value in (outcome.outputs if outcome else {}).values()
    )
    return refuses(outcome) or nan
