"""Agents: a method that is called again and again, on an object that its own class has made.

Between the calls the object keeps what it keeps (``target.agents``): traces,
counts, a running mean, a buffer of steps. A reading says which of its places
are the tables and the numbers of the formula, and what starts over with an
episode; all steps, episodes or pulls of the formula's arguments are then one
after another handed to the one object, and its table is the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.families.base import Arrays, Unfit
from rlcalc.conform.binding.families.episodes import EpisodePlay, takes_episodes
from rlcalc.conform.binding.families.table_play import ENDS, TablePlay
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.target.agents import BEGIN, CALLS, FRESH, MADE_WITH
from rlcalc.conform.target.facts import MODULE
from rlcalc.conform.target.networks import ANYTHING
from rlcalc.experience import Step

AGENT = " of an agent"
# tables by role, which are the answer
TABLES = frozenset(["table", "q1", "q2", "preferences"])
# what a function is given by its caller as an agent keeps it: all 0 before an episode, or before the first
TRACES, COUNTS = "traces", "counts"
# kinds of agents that differ in what they do, not in what they take
REPLACING = "replacing traces"
FIRST, EVERY = "first visits", "every visit"
BEFORE, WITH = "the mean of earlier rewards", "the mean with the present reward"
MANNERS: Mapping[str, tuple[str, ...]] = {
    "td": ("", REPLACING),
    "sarsa": ("", REPLACING),
    "q_learning": ("", REPLACING),
    "mc": (FIRST, EVERY),
    "gradient_bandit": (WITH, BEFORE),
}
CHOSEN = {FIRST: "first", EVERY: "every", BEFORE: "before", WITH: "with"}
# of pairs of state and action, in the place of the formula's states
PAIRS = 2


def is_agent(binding: Binding) -> bool:
    """Whether it is asked as an object that is made by its class and called again and again."""
    return AGENT in binding.layout


def manner_of(binding: Binding) -> str:
    """What kind of agent it is, where there are several."""
    return binding.layout.partition(AGENT)[2].removeprefix(", ")


def agent_layouts(binding: Binding, called: str = "") -> Iterator[str]:
    """Layouts of its table, with the kind of agent that it may be.

    Args:
        called: the name of the function with its class; who promises first visits counts no others.
    """
    bases = {"td": ("[S]",), "mc": ("[S]", "[S, A]"), "bandit": ("[A]",), "gradient_bandit": ("[A]",)}
    manners = MANNERS.get(binding.formula, ("",))
    if manners[0] == "" and "lam" not in binding.roles:
        manners = ("",)
    if "baseline" in binding.roles:
        manners = ("",)
    promised = tuple(manner for manner in manners if CHOSEN.get(manner, " ") in called.lower())
    manners = promised if len(promised) == 1 else manners
    for base in bases.get(binding.formula, ("[S, A]",)):
        for manner in manners:
            yield base + AGENT + (f", {manner}" if manner else "")


# what an agent keeps


class _Kept:
    """What an object of a class has besides, of which a play knows nothing."""

    table: Any

    def value(self, role: str, step: Step, following: Step | None) -> Any:
        match role:
            case "begin" | "fresh":
                return role
            case "traces" | "counts":
                return np.zeros_like(self.table)
            case "environment":
                return {"states": len(self.table), "actions": self.columns}
            case "anything":
                return ANYTHING
            case "states_list":
                return list(range(len(self.table)))
            case "n_actions":
                return self.columns
        return super().value(role, step, following)  # type: ignore[misc]

    @property
    def columns(self) -> int:
        return self.table.shape[1] if self.table.ndim > 1 else 1


class StepByStep(_Kept, TablePlay):
    """A transition a call."""

    def calls(self) -> list[Arrays]:
        self._fits()
        begins = [False, *(step.last for step in self.steps[:-1])]
        return [{"begin": begin, "given": self.values(k)} for k, begin in enumerate(begins)]

    def _fits(self) -> None:
        roles, ended = self.binding.roles, [step for step in self.steps if step.last]
        told = bool(roles & {BEGIN, FRESH, TRACES})
        broken = [step for step in ended if step.after is not None]
        keeps = roles & {"lam", "n"}
        if keeps and not told and (broken or not roles & ENDS) and ended not in ([], [self.steps[-1]]):
            raise Unfit("an episode that begins before it is told that another one is over")
        if "n" in roles and (not ended or broken or ended[-1] is not self.steps[-1]):
            raise Unfit("an episode that does not end, whose last steps wait for more")
        if isinstance(self.given["alpha"], str):
            raise Unfit("a step size of its own for every visit")
        _as_manner(self.binding, self.given)


class EpisodeByEpisode(_Kept, EpisodePlay):
    """An episode a call."""

    def calls(self) -> list[Arrays]:
        _as_manner(self.binding, self.given)
        return [{"begin": k > 0, "given": self.values(k)} for k in range(len(self.episodes))]


class WholeReturns(EpisodeByEpisode):
    """Episodes for Monte Carlo, ended or broken off; of a table of pairs each pair is a state."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.pairs = self.binding.layout.startswith("[S, A]")
        self.actions = []
        if self.pairs:
            rows = len(self.states) // PAIRS + 1
            cells = np.zeros(rows * PAIRS, self.table.dtype)
            cells[: len(self.states)] = self.table[:-1].ravel()
            self.table = cells.reshape(rows, PAIRS)

    def calls(self) -> list[Arrays]:
        chosen = self.given.get("visit") or "first"
        if CHOSEN[manner_of(self.binding)] != chosen:
            raise Unfit(f"it counts {manner_of(self.binding)}")
        if "alpha" in self.binding.roles and self.given["alpha"] is None:
            raise Unfit("a mean, of an agent with a step size")
        return super().calls()

    def may_break_off(self) -> bool:
        return True

    def value(self, role: str, step: Step, following: Step | None) -> Any:
        place = self.states.index(step.state)
        if role == "state":
            return place // PAIRS if self.pairs else place
        if role == "action":
            return place % PAIRS if self.pairs else 0
        if role in ("next_state", "next_action") and self.pairs:
            raise Unfit("what comes next is no part of it")
        if role == "alpha":
            return float(self.given["alpha"])
        return super().value(role, step, following)


class TwoTables(StepByStep):
    """A transition a call, of an agent that tosses a coin for the table that it moves."""

    names = ("q1", "q2")

    def value(self, role: str, step: Step, following: Step | None) -> Any:
        if role in ("q1", "q2"):
            return self.tables[int(role[1]) - 1].copy()
        if role == "coin":
            return True
        return super().value(role, step, following)

    def calls(self) -> list[Arrays]:
        places = {role: path for path, role in self.binding.inputs.items()}
        words = self.given.get("update")
        words = ["1"] if words is None else [str(word) for word in words]
        found = super().calls()
        for k, call in enumerate(found):
            moved = words[k if len(words) > 1 else 0]
            call |= {"moves": places[f"q{moved}"], "keeps": places[f"q{3 - int(moved)}"]}
            call["coin"] = places.get("coin")
        return found


class Pulls:
    """A pull of an arm a call."""

    def __init__(self, given: Mapping[str, Any], binding: Binding) -> None:
        self.given, self.binding = given, binding
        rewards = np.asarray(given["rewards"])
        if rewards.ndim > 1:
            raise Unfit("one run of pulls, no batches")
        self.rewards = rewards
        if binding.formula == "bandit":
            arms = given.get("arms") or list(dict.fromkeys(map(str, given["actions"])))
            names = list(dict.fromkeys(map(str, arms)))
            if len(names) == 1 and names[0].isdigit():
                names = [str(number) for number in range(1, int(names[0]) + 1)]
            self.arms = [names.index(str(action)) for action in given["actions"]]
            self.table = np.full(len(names), given.get("initial") or 0, rewards.dtype)
        else:
            self.arms = [int(action) for action in given["actions"]]
            self.table = np.array(given["preferences"])
            if self.table.ndim > 1:
                raise Unfit("one run of pulls, no batches")

    def calls(self) -> list[Arrays]:
        alpha, roles = self.given["alpha"], self.binding.roles
        if ("alpha" in roles) == isinstance(alpha, str):
            raise Unfit("another step size than its own")
        if self.binding.formula == "gradient_bandit":
            base, manner = self.given["baseline"], manner_of(self.binding)
            if (manner and CHOSEN[manner] != base) or (not manner and isinstance(base, str)):
                raise Unfit("another baseline than its own")
        return [{"begin": False, "given": self.values(k)} for k in range(len(self.arms))]

    def values(self, number: int) -> Arrays:
        return {path: self._value(role, number) for path, role in self.binding.meant.items()}

    def _value(self, role: str, number: int) -> Any:
        match role:
            case "table" | "preferences":
                return self.table.copy()
            case "counts":
                return np.zeros(len(self.table))
            case "action" | "actions":
                return self.arms[number]
            case "reward" | "rewards":
                return float(self.rewards[number])
            case "alpha" | "baseline":
                return float(self.given[role])
            case "epsilon":
                return 0.5
            case "n_actions":
                return len(self.table)
            case "actions_list":
                return list(range(len(self.table)))
            case "anything":
                return ANYTHING
            case "environment":
                return {"states": 1, "actions": len(self.table)}
        return role if role in (BEGIN, FRESH) else None


def _as_manner(binding: Binding, given: Mapping[str, Any]) -> None:
    if given.get("lam") is not None and bool(given.get("replacing")) != (manner_of(binding) == REPLACING):
        raise Unfit("another kind of traces than its own")


def play_of(binding: Binding, given: Mapping[str, Any]) -> Any:
    """The calls that the formula's arguments are; raises ``Unfit``."""
    if binding.formula in ("bandit", "gradient_bandit"):
        return Pulls(given, binding)
    if binding.formula == "mc":
        return WholeReturns(given, binding)
    if binding.formula == "double_q":
        return TwoTables(given, binding)
    return (EpisodeByEpisode if takes_episodes(binding) else StepByStep)(given, binding)


def arranged(binding: Binding, given: Mapping[str, Any]) -> Arrays:
    """What the object is made with and has at first, by place, and the calls; raises ``Unfit``."""
    calls = play_of(binding, given).calls()
    roles = binding.inputs
    stays = {p for p in roles if p.startswith(("self.", MADE_WITH, MODULE)) or roles[p] in TABLES | {COUNTS}}
    first = {path: value for path, value in calls[0]["given"].items() if path in stays}
    for call in calls:
        begins = call["begin"] or call is calls[0]
        call["given"] = {
            path: value
            for path, value in call["given"].items()
            if path not in stays and (begins or roles[path] != TRACES)
        }
    return {**first, CALLS: calls}


def restored(binding: Binding, array: Any, given: Mapping[str, Any]) -> Any:
    """A table of the agent as the formula has it, without what stands behind."""
    play = play_of(binding, given)
    if array.shape != play.table.shape or isinstance(play, Pulls):
        return array
    if isinstance(play, WholeReturns):
        left = list(dict.fromkeys(step.state for step in play.steps))
        return array.ravel()[[play.states.index(state) for state in left]]
    return array[:-1]


def conveyed(binding: Binding) -> frozenset[str]:
    """Parameters of the formula that an agent is told of, or has in its own kind."""
    always = {"steps", "episodes", "q", "values", "q1", "q2", "actions", "visit", "update"}
    always |= {"arms", "initial", "rewards", "replacing"}
    if manner_of(binding) in (BEFORE, WITH):
        always.add("baseline")
    if "lam" not in binding.roles:
        always -= {"replacing"}
    if binding.formula == "bandit" and "alpha" not in binding.roles:
        always.add("alpha")  # the mean, of which the formula has the same word
    return frozenset(always | binding.roles)
