"""Updates of a table, one step a call: Q-learning, SARSA and TD(0) as an agent has them.

The formula takes all steps at once and gives the table after the last one. A
function changes its table by one transition, in place or in a copy that it
returns, so that steps are played on it one after another: each call gets the
table that the call before has left. States and actions are counted from 0; an
end is a state of its own behind the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.families.agent_play import arranged, conveyed, is_agent, restored
from rlcalc.conform.binding.families.agent_probes import TABLE as PROBED
from rlcalc.conform.binding.families.agent_probes import agent_probes, as_steps, as_table
from rlcalc.conform.binding.families.base import Arrays, Family, ways
from rlcalc.conform.binding.families.episodes import EpisodePlay, has_one_more_state, takes_episodes
from rlcalc.conform.binding.families.table_play import ENDS, TablePlay, binding_ends
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.binding.words.names import KEPT_BY_AGENTS
from rlcalc.conform.target.call import Part, Reply
from rlcalc.experience import Experience
from rlcalc.specs import Formula

ONE_STEP = "[S, A]"
STATES_ALONE = "[S]"
TABLE = "table"
# of a table of pairs, then of one of states
FORMS = ("array", "list", "rows", "pairs", "dicts")
FORMS_OF_STATES = ("array", "list", "pairs")
# the steps of a probe: state, action, reward, after, then
STEPS = ((0, 1, 1.5, 1, 2), (1, 0, -2.25, 2, 0), (2, 2, 0.75, 2, 1), (1, 2, 3.5, 0, 0))
LAST = (2, 0, -1.75, None, 0)
# steps that follow each other, to an end
EPISODE = (
    (0, 1, 1.5, 1, 2),
    (1, 2, -2.25, 2, 0),
    (2, 0, 0.75, 2, 1),
    (2, 1, 3.5, 1, 0),
    (1, 0, -1.75, None, 0),
)
NUMBERS = {
    "alpha": (0.25, 0.5, 0.125, 0.75, 0.375),
    "gamma": (0.75, 0.5, 0.875, 0.25, 0.625),
    "epsilon": (0.25, 0.5, 0.125, 0.75, 0.375),
}


def _play(binding: Binding, given: Mapping[str, Any]) -> TablePlay:
    return EpisodePlay(given, binding) if takes_episodes(binding) else TablePlay(given, binding)


class Updates(Family):
    """The formulas of tables that are learnt step by step."""

    def __init__(self, formula: Formula) -> None:
        self.formula = formula
        self.of_states = formula.outputs[0].shape == ("state",)

    # what is handed over

    def arrange(self, binding: Binding, given: Mapping[str, Any]) -> Arrays:
        """Values of the first call by place; raises ``Unfit``."""
        if is_agent(binding):
            return arranged(binding, given)
        play = _play(binding, given)
        if isinstance(play, EpisodePlay):
            for number in range(1, len(play.episodes)):
                play.values(number)
            return play.values(0)
        for number in range(1, len(play.steps)):
            play.values(number)
        return play.values(0)

    def play(self, binding: Binding, given: Mapping[str, Any], call: Callable[[Arrays], Reply]) -> Reply:
        """All steps, one call each, as one answer of the formula; the call that fails, where one does."""
        play = _play(binding, given)
        if isinstance(play, EpisodePlay):
            return self._play_episodes(play, call)
        rows: list[dict[str, float]] = []
        changed: dict[str, None] = {}
        for number in range(len(play.steps)):
            reply = call({**play.values(number), **binding.constants})
            if reply.kind != "answer":
                return reply
            if not any(
                at in reply.parts and reply.parts[at].array is not None for at in binding.outputs.values()
            ):
                return reply
            rows.append(play.moved(number, reply.parts))
            changed |= dict.fromkeys(reply.changed)
        kind = play.table.dtype
        columns = {name: np.array([row[name] for row in rows], kind) for name in rows[0]}
        whole = play.table[:-1]
        found = {self.formula.outputs[0].name: whole, **columns}
        parts = {n: Part(a, str(kind), "ndarray", a.shape) for n, a in found.items()}
        return Reply("answer", parts, "mapping", tuple(changed))

    def _play_episodes(self, play: EpisodePlay, call: Callable[[Arrays], Reply]) -> Reply:
        changed: dict[str, None] = {}
        for number in range(len(play.episodes)):
            reply = call({**play.values(number), **play.binding.constants})
            if reply.kind != "answer":
                return reply
            parts = (reply.parts.get(at) for at in play.binding.outputs.values())
            table = next((part.array for part in parts if part is not None), None)
            if table is None or table.shape != play.table.shape:
                return reply
            play.table = table.astype(play.table.dtype)
            changed |= dict.fromkeys(reply.changed)
        whole = play.table[:-1]
        part = Part(whole, str(whole.dtype), "ndarray", whole.shape)
        return Reply("answer", {self.formula.outputs[0].name: part}, "mapping", tuple(changed))

    def restore(self, binding: Binding, array: Any, given: Mapping[str, Any]) -> Any:
        """A table without the end's row; of one step a column with one entry."""
        if is_agent(binding):
            return restored(binding, array, given)
        if array.ndim == (1 if self.of_states else 2) and array.size > 1:
            return array[:-1]
        return array.reshape(1) if array.size == 1 else array

    # what is tried

    def variations(self, binding: Binding, backends: tuple[str, ...], lists_first: bool) -> Iterator[Binding]:
        """Layouts to try, the likeliest first."""
        if self.formula.name in KEPT_BY_AGENTS:
            return
        forms = FORMS_OF_STATES if self.of_states else FORMS
        flags = ("bool", "int", "float") if binding.roles & ENDS else ("bool",)
        layout = STATES_ALONE if self.of_states else ONE_STEP
        lengths: tuple[Any, ...] = ("T+1",)
        if takes_episodes(binding):
            layout, lengths = f"{layout} by episodes", ("T+1", "T")
        yield from ways(
            binding, backend=("numpy",), layout=(layout,), form=forms, flags=flags, values=lengths
        )

    def conveys(self, binding: Binding) -> frozenset[str]:
        """The formula's own parameters that a binding has a place for."""
        own = self.formula.names
        if is_agent(binding):
            return frozenset(conveyed(binding) & own) | binding.fixed.keys()
        found = {"steps", "episodes", "q", "values", "actions", "rewards"} | binding.roles
        return frozenset(found & own) | binding.fixed.keys()

    def core(self, formula: Formula) -> frozenset[str]:
        """Roles without which nothing can be computed."""
        if formula.name == "bandit":
            return frozenset({"rewards"})
        wanted = {"steps", "gamma"} if formula.name == "mc" else {"alpha", "gamma", "epsilon"}
        return frozenset(wanted & formula.names)

    def probes(self, binding: Binding) -> list[Arrays]:
        """Single steps whose numbers all differ; one that ends where there is a flag for it."""
        if is_agent(binding):
            return agent_probes(self.formula, binding)
        if takes_episodes(binding):
            whole = [self._probe(binding, number, EPISODE[number:]) for number in range(3)]
            # who is given what comes after the last step has to look there where nothing has ended
            given = "next_state" in binding.roles or has_one_more_state(binding)
            return [*whole, self._probe(binding, 0, EPISODE[:3])] if given else whole
        steps = STEPS + ((LAST,) if binding_ends(binding) else ())
        return [self._probe(binding, number, (step,)) for number, step in enumerate(steps)]

    def _probe(self, binding: Binding, number: int, steps: Sequence[Any]) -> Arrays:
        made = as_steps(steps, self.of_states)
        given: Arrays = {p.name: None for p in self.formula.parameters}
        given["values" if self.of_states else "q"] = as_table(PROBED, self.of_states)
        label = "; ".join(one.text() for one in made)
        given |= {"steps": Experience(tuple(made), label), "n": 2 if "n" in binding.roles else 1}
        given["lam"] = np.float64(0.5) if "lam" in binding.roles else None
        if not self.of_states:
            given["actions"] = ("a0", "a1", "a2")
        for name, numbers in NUMBERS.items():
            if name in given:
                given[name] = np.float64(binding.fixed.get(name, numbers[number]))
        return given
