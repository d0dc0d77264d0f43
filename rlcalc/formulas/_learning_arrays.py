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

__all__ = [
    "Rates",
    "Values",
    "action_values",
    "grid",
    "learn",
    "learn_with_traces",
    "returns",
    "start",
    "universe",
    "vector",
]

Values = dict[Key, Any]
Following = Callable[[Values, Step], Any]


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


def learn(
    xp: Backend,
    experience: Experience,
    values: Values,
    alpha: Any,
    gamma: Any,
    n: Any,
    following: Following,
) -> dict[str, Any]:
    """Targets, errors and new values of every step; ``values`` holds the last ones afterwards."""
    steps = experience.steps
    rates = Rates(alpha, steps[0].reward * 0 + 1)
    targets, errors, new = [], [], []
    for t, step in enumerate(steps):
        end = t
        while end + 1 < t + n and not steps[end].last:
            end += 1
        target = following(values, steps[end]) if steps[end].after is not None else steps[t].reward * 0
        for k in range(end, t - 1, -1):
            target = steps[k].reward + gamma * target
        error = target - values[step.key]
        values[step.key] = values[step.key] + rates.at(step.key) * error
        targets.append(target)
        errors.append(error)
        new.append(values[step.key])
    return _rows(xp, steps, targets, errors, new)


def learn_with_traces(
    xp: Backend,
    experience: Experience,
    values: Values,
    alpha: Any,
    gamma: Any,
    lam: Any,
    replacing: Any,
    following: Following,
    cut: Callable[[Values, Step], Any] = lambda values, step: None,
) -> dict[str, Any]:
    """``learn`` of all entries at once by their traces, and the traces and tables after every step.

    Args:
        cut: a flag, whether the traces end here; ``None`` where they cannot.
    """
    steps = experience.steps
    zero = steps[0].reward * 0
    rates = Rates(alpha, zero + 1)
    keys, trace = list(values), dict.fromkeys(values, zero)
    targets, errors, new, credit, history = [], [], [], [], []
    for step in steps:
        nothing = step.after is None
        target = step.reward if nothing else step.reward + gamma * following(values, step)
        error, over = target - values[step.key], cut(values, step)
        trace = {key: gamma * lam * z for key, z in trace.items()}
        trace[step.key] = zero + 1 if replacing else trace[step.key] + 1
        rate = rates.at(step.key)
        for key in keys:
            values[key] = values[key] + rate * error * trace[key]
        targets.append(target)
        errors.append(error)
        new.append(values[step.key])
        credit.append([trace[key] for key in keys])
        history.append([values[key] for key in keys])
        if step.last:
            trace = dict.fromkeys(values, zero)
        elif over is not None:  # known to the library alone: no branch depends on a number
            trace = {key: xp.where(over, zero, z) for key, z in trace.items()}
    return {
        **_rows(xp, steps, targets, errors, new),
        "traces": table(xp, credit, zero),
        "history": table(xp, history, zero),
    }


def returns(experience: Experience, gamma: Any) -> list[Any]:
    """The return of every step to the end of its episode, backwards."""
    steps = experience.steps
    found: list[Any] = []
    for step in reversed(steps):
        found.append(step.reward if step.last or not found else step.reward + gamma * found[-1])
    return found[::-1]


def _rows(xp: Backend, steps: Sequence[Step], *columns: list[Any]) -> dict[str, Any]:
    like = steps[0].reward
    names = ("target", "error", "new_value")
    return {name: vector(xp, column, like) for name, column in zip(names, columns, strict=True)}


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
