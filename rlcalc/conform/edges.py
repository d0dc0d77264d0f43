"""Edges of a definition: inputs where it takes a limit, or says what 0/0 is, and plain code divides by 0.

Whether a function goes along is a capability of its own: it is right without
it, and ``--require`` asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from rlcalc._lazy import np
from rlcalc.conform.lack import Lack
from rlcalc.conform.outcome import Outcome
from rlcalc.conform.probes import answers, refuses
from rlcalc.conform.trial import Trial
from rlcalc.conform.vectors import Vector
from rlcalc.specs import Formula


def _zeros(vector: Vector, name: str, every: bool) -> bool:
    """Whether an input has a 0, or a row of nothing else."""
    given = vector.arrays.get(name)
    zeros = np.asarray(given) == 0
    return given is not None and bool((zeros.all(-1) if every else zeros).any())


# of a function that takes logits: a probability of 0 is a logit of −∞ there, as of a masked action
MASKED_LOGITS = "masked logits"
LOGITS = frozenset({"logits_p", "logits_q"})
EDGES: Mapping[str, tuple[str, Callable[[Vector], bool]]] = {
    "is_return": ("ratios of nothing but 0", lambda vector: _zeros(vector, "ratios", True)),
    "quantile_huber_loss": ("a kappa of 0", lambda vector: _zeros(vector, "kappa", False)),
    "trust_region": ("a gradient of 0", lambda vector: _zeros(vector, "gradient", True)),
    "ucb": ("arms that were never pulled", lambda vector: _zeros(vector, "counts", False)),
}


def _has_no_logit(vector: Vector) -> bool:
    return any(_zeros(vector, name, False) for name in ("p", "q"))


def edge(formula: Formula) -> str:
    """What the edge of a formula is called; empty where it has none."""
    return EDGES[formula.name][0] if formula.name in EDGES else ""


def edges(trial: Trial, formula: Formula, plain: Sequence[Vector]) -> Iterator[Lack]:
    """The edge of a formula, where a function raises or answers nan there and nowhere else."""
    if formula.name in EDGES:
        name, there = EDGES[formula.name]
        note = f"{name} not tested: it divides by 0 there"
    elif trial.target.binding is not None and trial.target.binding.roles & LOGITS:
        name, there, note = MASKED_LOGITS, _has_no_logit, ""
    else:
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
