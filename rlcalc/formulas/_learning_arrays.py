"""Learning from experience in numbers: tables of 0-d arrays that one loop goes through.

The same for NumPy and Torch: nothing is changed in place, so that derivatives go through a whole table.
Returns of several steps run backwards, R + γ·(the rest), where the terms add powers of γ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rlcalc.backends import Backend
from rlcalc.experience import Experience, Step, Table, Universe, universe
from rlcalc.experience.model import Key
from rlcalc.inputs import Arrays

__all__ = [
    "Rates",
    "Rows",
    "Values",
    "action_values",
    "grid",
    "learned",
    "learned_pairs",
    "returns",
    "start",
    "universe",
    "vector",
]

Values = dict[Key, Any]
Following = Callable[..., Any]  # table and step -> what follows the step


def start(experience: Experience, known: Universe, initial: Table | None) -> Values:
    """The initial table; 0 where none is given."""
    zero = experience.steps[0].reward * 0
    return {key: zero if initial is None else initial.get(key) for key in known.entries()}


class Rates:
    """α, or 1/k at the k-th update of an entry."""

    def __init__(self, alpha: Any, one: Any) -> None:
        self.alpha, self.one = alpha, one
        self.count: dict[Key, int] = {}

    def at(self, key: Key) -> Any:
        self.count[key] = self.count.get(key, 0) + 1
        return self.one / self.count[key] if isinstance(self.alpha, str) else self.alpha


class Rows:
    """What every step gave, for the outputs."""

    def __init__(self, like: Any) -> None:
        self.like = like
        self.columns: dict[str, list[Any]] = {"target": [], "error": [], "new_value": []}

    def add(self, *entries: Any) -> None:
        for column, entry in zip(self.columns.values(), entries, strict=True):
            column.append(entry)

    def outputs(self, xp: Backend) -> dict[str, Any]:
        return {name: vector(xp, column, self.like) for name, column in self.columns.items()}


def learned(
    xp: Backend,
    a: Arrays,
    experience: Experience,
    values: Values,
    following: Following,
    cut: Following = lambda values, step: None,
) -> dict[str, Any]:
    """Targets, errors and new values of every step; ``values`` holds the last ones afterwards.

    With λ all entries are moved by their traces, which are given after every step, and so are the tables.

    Args:
        a: with ``alpha``, ``gamma``, ``n`` and, where there are traces, ``lam`` and ``replacing``.
        cut: a flag, whether the traces end here; ``None`` where they cannot.
    """
    rates = Rates(a.alpha, experience.steps[0].reward * 0 + 1)
    if getattr(a, "lam", None) is None:
        return _by_windows(xp, a, experience.steps, values, following, rates)
    return _by_traces(xp, a, experience.steps, values, following, rates, cut)


def learned_pairs(
    xp: Backend, a: Arrays, following: Following, cut: Following = lambda values, step, actions: None
) -> dict[str, Any]:
    """``learned`` of action values, and their table; ``following`` and ``cut`` get the actions, too."""
    known = universe(a.steps, [a.q], a.actions)
    values = start(a.steps, known, a.q)
    looks = (lambda table, step, look=look: look(table, step, known.actions) for look in (following, cut))
    rows = learned(xp, a, a.steps, values, *looks)
    return {"q_values": grid(xp, values, known, a.steps.steps[0].reward), **rows}


def _by_windows(
    xp: Backend, a: Arrays, steps: Sequence[Step], values: Values, following: Following, rates: Rates
) -> dict[str, Any]:
    rows = Rows(steps[0].reward)
    for t, step in enumerate(steps):
        end = t
        while end + 1 < t + a.n and not steps[end].last:
            end += 1
        target = following(values, steps[end]) if steps[end].after is not None else steps[t].reward * 0
        for k in range(end, t - 1, -1):
            target = steps[k].reward + a.gamma * target
        error = target - values[step.key]
        values[step.key] = values[step.key] + rates.at(step.key) * error
        rows.add(target, error, values[step.key])
    return rows.outputs(xp)


def _by_traces(
    xp: Backend,
    a: Arrays,
    steps: Sequence[Step],
    values: Values,
    following: Following,
    rates: Rates,
    cut: Following,
) -> dict[str, Any]:
    decay = a.gamma * a.lam
    zero = steps[0].reward * 0
    keys, trace = list(values), dict.fromkeys(values, zero)
    rows, credit, history = Rows(zero), [], []
    for step in steps:
        nothing = step.after is None
        target = step.reward if nothing else step.reward + a.gamma * following(values, step)
        error, over = target - values[step.key], cut(values, step)
        trace = {key: decay * z for key, z in trace.items()}
        trace[step.key] = zero + 1 if a.replacing else trace[step.key] + 1
        rate = rates.at(step.key)
        for key in keys:
            values[key] = values[key] + rate * error * trace[key]
        rows.add(target, error, values[step.key])
        credit.append([trace[key] for key in keys])
        history.append([values[key] for key in keys])
        if step.last:
            trace = dict.fromkeys(values, zero)
        elif over is not None:  # known to the library alone: no branch depends on a number
            trace = {key: xp.where(over, zero, z) for key, z in trace.items()}
    return {**rows.outputs(xp), "traces": table(xp, credit, zero), "history": table(xp, history, zero)}


def returns(experience: Experience, gamma: Any) -> list[Any]:
    """The return of every step to the end of its episode, backwards."""
    steps = experience.steps
    found: list[Any] = []
    for step in reversed(steps):
        found.append(step.reward if step.last or not found else step.reward + gamma * found[-1])
    return found[::-1]


def vector(xp: Backend, entries: Sequence[Any], like: Any) -> Any:
    """0-d arrays as one array of their dtype."""
    return xp.cast(xp.stack([xp.asarray(entry) for entry in entries]), like.dtype)


def table(xp: Backend, rows: Sequence[Sequence[Any]], like: Any) -> Any:
    return xp.stack([vector(xp, row, like) for row in rows])


def action_values(values: Values, state: str, actions: Sequence[str]) -> list[Any]:
    return [values[(state, action)] for action in actions]


def grid(xp: Backend, values: Values, known: Universe, like: Any) -> Any:
    """The table as an array [S, A]."""
    return table(xp, [action_values(values, state, known.actions) for state in known.states], like)
