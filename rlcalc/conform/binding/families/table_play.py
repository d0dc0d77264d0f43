"""A table on its way through the steps of one call of a formula, which is several calls of a function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.families.base import PLAIN, Arrays, Unfit
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.target.call import Part
from rlcalc.experience import Experience, Step, Table, universe
from rlcalc.experience.model import Key

ENDS = frozenset({"done", "mask"})


@dataclass
class TablePlay:
    """A table on its way through the steps of one call of the formula.

    Attributes:
        table: rows of states and behind them that of the end; with a column an action, or without.
        tables: all of them at first, where there are several.
        count: updates of every entry.
    """

    given: Mapping[str, Any]
    binding: Binding

    def __post_init__(self) -> None:
        self.steps = self.experience.steps
        first = [self.given[name] for name in self.names]
        known = universe(self.experience, first, self.given.get("actions"))
        self.states, self.actions = list(known.states), list(known.actions)
        self.tables = [self._array(table, known.entries()) for table in first]
        self.table = self.tables[0]
        self.count = np.zeros(self.table.shape, int)

    def _array(self, table: Table | None, entries: Iterable[Key]) -> Any:
        listed = [0 if table is None else table.get(key) for key in entries]
        array = np.array(listed, self.steps[0].reward.dtype)
        array = array.reshape((len(self.states), *([-1] if self.actions else [])))
        # who is told of an end must not read what stands there; who is not relies on 0
        rest = 0 if table is None or not binding_ends(self.binding) else table.rest
        return np.concatenate([array, np.full_like(array[:1], rest)])

    @property
    def experience(self) -> Experience:
        found: Experience = (
            self.given["steps"] if self.given.get("steps") is not None else self.given["episodes"]
        )
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """Of the tables that it begins with."""
        return ("values",) if "values" in self.given else ("q",)

    def place(self, step: Step) -> tuple[int, ...]:
        """Of the entry that a step updates."""
        state = self.states.index(step.state)
        return (state, self.actions.index(step.action)) if self.actions else (state,)

    def rate(self, step: Step) -> float:
        alpha = self.given["alpha"]
        return 1 / int(self.count[self.place(step)] + 1) if isinstance(alpha, str) else float(alpha)

    def value(self, role: str, step: Step, following: Step | None) -> Any:
        """What stands for a role in the call of a step."""
        over = step.after is None
        match role:
            case "table":
                return self.table.copy()
            case "state":
                return self.states.index(step.state)
            case "action":
                return self.actions.index(step.action) if self.actions else 0
            case "reward":
                return float(step.reward)
            case "next_state":
                return len(self.states) if step.after is None else self.states.index(step.after)
            case "next_action":
                then = step.then or ("" if following is None or step.last else following.action)
                if not over and not then:
                    raise Unfit("a step without a next action")
                return 0 if over else self.actions.index(then)
            case "done" | "mask":
                flag = over if role == "done" else not over
                return {"bool": bool, "int": int, "float": float}[self.binding.flags](flag)
            case "alpha":
                return self.rate(step)
            case "gamma":
                return float(self.given[role])
            case "lam":
                return float(self.given[role] if self.given.get(role) is not None else 0)
            case "n":
                n = float(self.given[role])
                if n == float("inf"):
                    raise Unfit("endlessly many steps")
                return int(n)
            case "epsilon":  # an agent may read it where the rule does not
                return float(self.given.get(role, 0.5))
            case "actions_list":
                return list(range(len(self.actions)))
            case "n_actions":
                return len(self.actions)
            case "n_states":
                return len(self.table)
        return PLAIN.get(role)

    def values(self, number: int) -> Arrays:
        """All values of a call by place."""
        return {path: self.at(role, number) for path, role in self.binding.meant.items()}

    def at(self, role: str, number: int) -> Any:
        """What stands for a role in a step."""
        following = self.steps[number + 1] if number + 1 < len(self.steps) else None
        return self.value(role, self.steps[number], following)

    def moved(self, number: int, parts: Mapping[str, Part]) -> dict[str, float]:
        """The columns of a step by an answer, after which the table is the new one."""
        step = self.steps[number]
        place, alpha = self.place(step), self.rate(step)
        old = float(self.table[place])
        found = {name: parts.get(at) for name, at in self.binding.outputs.items()}
        arrays = {n: part.array for n, part in found.items() if part is not None and part.array is not None}
        whole = next((a for a in arrays.values() if a.shape == self.table.shape), None)
        if whole is not None:
            self.table = whole.astype(self.table.dtype)
            new = float(self.table[place])
        else:
            name, array = next(iter(arrays.items()))
            number_ = float(np.ravel(array)[0])
            new = {"new_value": number_, "error": old + alpha * number_}.get(
                name, old + alpha * (number_ - old)
            )
            self.table[place] = new
        self.count[place] += 1
        told = {n: float(np.ravel(a)[0]) for n, a in arrays.items() if a.shape != self.table.shape}
        return {"new_value": new, **told}


def binding_ends(binding: Binding) -> bool:
    """Whether it is told where an episode ends."""
    return bool(binding.roles & ENDS)
