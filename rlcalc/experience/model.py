"""Steps of experience with names for states and actions, and tables of values by those names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from rlcalc.backends import BY_NAME
from rlcalc.errors import InputError, shown, suggestion
from rlcalc.exact import to_float, to_unicode

_MOST_REPEATED = 12  # steps of a long experience that are repeated before an answer
Key = tuple[str, ...]  # (state,) or (state, action)


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        action: empty where only states were recorded.
        reward: exact; a 0-d array of a backend inside a numeric form.
        after: the state that followed; ``None`` where the episode ended.
        then: the action taken there; empty where it is not known.
        last: the episode ends or breaks off here.
    """

    state: str
    action: str
    reward: Any
    after: str | None
    then: str = ""
    last: bool = False

    @property
    def key(self) -> Key:
        """What a table holds a value for."""
        return (self.state, self.action) if self.action else (self.state,)

    def text(self) -> str:
        """As it was read, for a reader: ``s1 a1 −8 s1``."""
        then = self.then if self.last else ""  # else the next step says it
        exact = isinstance(self.reward, Fraction) or hasattr(self.reward, "is_Rational")
        reward = to_unicode(self.reward) if exact else f"{float(self.reward):g}"
        parts = [self.state, self.action, reward, self.after or "end", then]
        return " ".join(part for part in parts if part)


@dataclass(frozen=True)
class Experience:
    """All steps in order.

    Attributes:
        label: how it is typed again.
    """

    steps: tuple[Step, ...]
    label: str

    @property
    def brief(self) -> str:
        """The label; of many steps only the first and the last."""
        parts = self.label.split("; ")
        if len(parts) <= _MOST_REPEATED:
            return self.label
        return "; ".join([*parts[:3], "…", parts[-1]]) + f" ({len(parts)} in all)"

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """What rows are called that stand for steps."""
        return {"step": tuple(f"{k}  {step.text()}" for k, step in enumerate(self.steps, start=1))}

    @property
    def dims(self) -> dict[str, int]:
        return {"step": len(self.steps)}

    @property
    def numbers(self) -> tuple[Any, ...]:
        """What its answers are sums of."""
        return tuple(step.reward for step in self.steps)

    @property
    def states(self) -> tuple[str, ...]:
        """Every state that is left or reached, in the order of first visit."""
        return tuple(
            dict.fromkeys(s for step in self.steps for s in (step.state, step.after) if s is not None)
        )

    @property
    def left(self) -> tuple[str, ...]:
        """Every state that is left, in the order of first visit."""
        return tuple(dict.fromkeys(step.state for step in self.steps))

    @property
    def actions(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(a for step in self.steps for a in (step.action, step.then) if a))

    def episodes(self) -> list[list[int]]:
        """Indices of the steps, episode by episode."""
        found: list[list[int]] = [[]]
        for t, step in enumerate(self.steps):
            found[-1].append(t)
            if step.last:
                found.append([])
        return [episode for episode in found if episode]

    def plain(self, kind: str) -> list[Any]:
        """As a caller of Python has it: steps as tuples, ``None`` for the end; episodes as flat lists."""
        if kind == "steps":
            return [
                tuple(part for part in (*step.key, float(step.reward), step.after, step.then) if part != "")
                for step in self.steps
            ]
        found = []
        for episode in self.episodes():
            flat = [part for t in episode for part in (*self.steps[t].key, float(self.steps[t].reward))]
            last = self.steps[episode[-1]].after
            found.append(flat if last is None else [*flat, last])
        return found

    def arrays(self, backend: str, dtype: Any, device: Any) -> Experience:
        """The same with rewards as 0-d arrays of a backend."""
        xp = BY_NAME[backend]
        rewards = xp.array([to_float(step.reward) for step in self.steps], dtype, device)
        pairs = zip(self.steps, rewards, strict=True)
        return Experience(tuple(replace(step, reward=reward) for step, reward in pairs), self.label)


@dataclass(frozen=True)
class Table:
    """Values by state, or by state and action; one number for what is not listed."""

    values: Mapping[Key, Any]
    rest: Any
    label: str

    @property
    def numbers(self) -> tuple[Any, ...]:
        """Every value, and that of what is not listed."""
        return *self.values.values(), self.rest

    def get(self, key: Key) -> Any:
        return self.values.get(key, self.rest)

    def plain(self, kind: str) -> Any:
        """A dict by state, or by state and action; one number where there are no entries."""
        values = {key: float(value) for key, value in self.values.items()}
        return values or float(self.rest)

    def arrays(self, backend: str, dtype: Any, device: Any) -> Table:
        xp = BY_NAME[backend]

        def one(value: Any) -> Any:
            return xp.array([to_float(value)], dtype, device)[0]

        return replace(
            self, values={key: one(value) for key, value in self.values.items()}, rest=one(self.rest)
        )


@dataclass(frozen=True)
class Universe:
    """The states and actions that occur anywhere, in the order of first mention."""

    states: tuple[str, ...]
    actions: tuple[str, ...]

    def entries(self) -> list[Key]:
        if not self.actions:
            return [(state,) for state in self.states]
        return [(state, action) for state in self.states for action in self.actions]

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        pairs = tuple(" ".join(key) for key in self.entries())
        return {"state": self.states, "action": self.actions, "pair": pairs}


def universe(
    experience: Experience, tables: Iterable[Table | None] = (), actions: Iterable[str] | None = None
) -> Universe:
    """States and actions of the steps, then those of initial tables; declared actions come first.

    Raises:
        InputError: ``action_unknown`` for one that occurs and was not declared, with the nearest name.
    """
    listed = [key for table in tables if table is not None for key in table.values]
    states = dict.fromkeys([*experience.states, *(key[0] for key in listed)])
    found = dict.fromkeys([*experience.actions, *(key[1] for key in listed if len(key) > 1)])
    if actions is None:
        return Universe(tuple(states), tuple(found))
    declared = tuple(dict.fromkeys(actions))
    for action in found:
        if action not in declared:
            hint = suggestion(action, list(declared)) or f"Declared are {' '.join(declared)}."
            raise InputError(
                "action_unknown", f"There is no action {shown(action)} among those declared.", hint
            )
    return Universe(tuple(states), declared)
