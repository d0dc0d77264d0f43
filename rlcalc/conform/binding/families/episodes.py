"""Tables learnt from an episode a call: its steps as tuples, or states and rewards one after another.

The table goes on from one episode to the next. An episode that ends leads to
a state of its own behind the others, whose value is 0 for a function that is
told of no end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.families.base import Unfit
from rlcalc.conform.binding.families.table_play import TablePlay
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.binding.words.names import plural
from rlcalc.conform.target.syntax import last_name

# of each step of an episode
OF_A_STEP = frozenset({"state", "action", "reward", "next_state", "next_action", "done", "mask"})


def along_an_episode(path: str, role: str) -> bool:
    """Whether a place holds something of every step."""
    return role in OF_A_STEP and ("[]" in path or plural(last_name(path)))


def takes_episodes(binding: Binding) -> bool:
    """Whether it takes a whole episode a call."""
    return any(along_an_episode(path, role) for path, role in binding.inputs.items())


def has_one_more_state(binding: Binding) -> bool:
    """Whether states are given with the one after the last step."""
    alone = any("[" not in path for path in binding.places_of("state"))
    return alone and binding.values == "T+1"


class EpisodePlay(TablePlay):
    """A table on its way through episodes, each of which is one call."""

    def __init__(self, given: Mapping[str, Any], binding: Binding) -> None:
        super().__init__(given, binding)
        self.episodes = self.experience.episodes()

    def values(self, number: int) -> dict[str, Any]:
        """All values of the call of an episode by place; raises ``Unfit``."""
        last = self.steps[self.episodes[number][-1]]
        roles = self.binding.roles
        follows = "next_state" in roles or has_one_more_state(self.binding) or self.may_break_off()
        if last.after is not None and not follows:
            raise Unfit("an episode that is broken off in a state of its own")
        if isinstance(self.given["alpha"], str):
            raise Unfit("a step size of its own for every visit")
        return {path: self._value(path, role, number) for path, role in self.binding.meant.items()}

    def may_break_off(self) -> bool:
        """Whether an episode needs no state that comes after its last step."""
        return False

    def _value(self, path: str, role: str, number: int) -> Any:
        steps = self.episodes[number]
        # beside states and rewards these are the actions taken
        role = "action" if role == "actions_list" and "action" not in self.binding.roles else role
        if not along_an_episode(path, role):
            return self.value(role, self.steps[steps[0]], None)
        found = [self.at(role, t) for t in steps]
        if role == "state" and "[" not in path and has_one_more_state(self.binding):
            found.append(self.at("next_state", steps[-1]))
        return np.array(found)
