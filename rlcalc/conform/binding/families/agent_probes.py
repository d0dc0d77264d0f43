"""What an agent is asked to find its reading: steps, episodes and pulls that all leave their trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.families.agent_play import (
    CHOSEN,
    REPLACING,
    TRACES,
    manner_of,
)
from rlcalc.conform.binding.families.base import Arrays
from rlcalc.conform.binding.families.table_play import ENDS
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.target.agents import BEGIN, FRESH
from rlcalc.experience import Experience, Step, Table
from rlcalc.experience.model import Key
from rlcalc.specs import Formula

Row = tuple[int, int, float, int | None, int]
# rows of a table, a state each
TABLE = ((0.5, 4.0, -1.25), (2.0, -3.0, 0.75), (-2.5, 1.5, 3.25))
OTHER_TABLE = ((3.0, -0.5, 1.75), (-1.0, 2.25, 0.5), (0.25, -1.5, 2.5))
# state, action, reward, what comes after, and the action there: states that come again, actions not greedy
LONG: tuple[Row, ...] = (
    (0, 1, 1.5, 1, 2),
    (1, 2, -2.25, 0, 1),
    (0, 1, 0.75, 2, 1),
    (2, 1, 3.5, 2, 2),
    (2, 2, -0.5, 1, 0),
    (1, 0, -1.75, None, 0),
)
SHORT: tuple[Row, ...] = ((1, 2, 2.5, 0, 0), (0, 0, -1.0, 1, 2), (1, 2, 0.5, None, 0))
AGAIN: tuple[Row, ...] = ((2, 0, 1.25, 2, 0), (2, 0, -3.0, 0, 1), (0, 1, 2.75, 2, 0), (2, 0, 4.0, None, 0))
EPISODES = ((LONG, SHORT), (SHORT, AGAIN, LONG), (AGAIN, SHORT))
NUMBERS = {"alpha": (0.25, 0.5, 0.125), "gamma": (0.75, 0.5, 0.875), "lam": (0.5, 0.75, 0.25)}
# arms and what they paid
PULLS = (
    ((0, 2, 2, 1, 0, 2), (1.5, -2.25, 0.75, 3.5, -1.0, 2.5)),
    ((1, 1, 0, 1, 2), (-0.5, 2.0, 1.25, -3.0, 0.75)),
    ((2, 0, 2, 2), (4.0, 0.25, -1.5, 2.25)),
)


def agent_probes(formula: Formula, binding: Binding) -> list[Arrays]:
    """Arguments of the formula that tell agents apart."""
    made = _pulls if formula.name in ("bandit", "gradient_bandit") else _episodes
    return [made(formula, binding, number) for number in range(3)]


def _pulls(formula: Formula, binding: Binding, number: int) -> Arrays:
    arms, rewards = PULLS[number]
    given: Arrays = {p.name: None for p in formula.parameters}
    given["rewards"] = np.array(rewards)
    alpha = np.float64(NUMBERS["alpha"][number])
    if formula.name == "bandit":
        own = {"alpha"} & binding.roles
        given |= {"actions": [f"a{arm}" for arm in arms], "arms": ["a0", "a1", "a2"]}
        return given | {"alpha": alpha if own else "1/k", "initial": np.float64(1.5 if own else 0)}
    base: Any = CHOSEN.get(manner_of(binding), np.float64(0.75 + number))
    given |= {"actions": np.array(arms), "preferences": np.array([0.5, -0.25, 1.0 + number])}
    return given | {"alpha": np.float64(binding.fixed.get("alpha", alpha)), "baseline": base}


def _episodes(formula: Formula, binding: Binding, number: int) -> Arrays:
    told = binding.roles & {*ENDS, BEGIN, FRESH, TRACES} or formula.name == "mc"
    episodes = EPISODES[number] if told else EPISODES[number][:1]
    own = {p.name: p for p in formula.parameters}
    of_states = formula.outputs[0].shape == ("state",)
    steps = [step for episode in episodes for step in as_steps(episode, of_states)]
    given: Arrays = dict.fromkeys(own)
    given["steps"] = Experience(tuple(steps), "; ".join(step.text() for step in steps))
    given["n"] = (2, 3, 1)[number] if "n" in binding.roles else 1
    for name, numbers in NUMBERS.items():
        if name in own:
            given[name] = np.float64(binding.fixed.get(name, numbers[number]))
    if "lam" in own and "lam" not in binding.roles:
        given["lam"] = None
    if "replacing" in own:
        given["replacing"] = (manner_of(binding) == REPLACING) or None
    if "visit" in own:
        given["visit"] = CHOSEN[manner_of(binding)]
        given["alpha"] = given["alpha"] if "alpha" in binding.roles else None
    given |= {name: as_table(TABLE, of_states) for name in ("values", "q", "q1") if name in own}
    if "q2" in own:
        given["q2"] = as_table(OTHER_TABLE, of_states)
        given["update"] = [str(1 + (k * k + number) % 3 % 2) for k in range(len(steps))]
    if "actions" in own:
        given["actions"] = ("a0", "a1", "a2")
    return given


def as_steps(rows: Sequence[Row], of_states: bool) -> list[Step]:
    """Steps that follow each other, of which the last one is the last of its episode."""
    return [
        Step(
            f"s{state}",
            "" if of_states else f"a{action}",
            np.float64(reward),
            None if after is None else f"s{after}",
            "" if of_states or after is None else f"a{then}",
            place == len(rows),
        )
        for place, (state, action, reward, after, then) in enumerate(rows, 1)
    ]


def as_table(rows: Sequence[Sequence[float]], of_states: bool) -> Table:
    """A table of rows of states, or of their first entries; of what is not in it another value."""
    entries: dict[Key, Any] = {}
    for state, row in enumerate(rows):
        for action, value in enumerate(row[:1] if of_states else row):
            entries[(f"s{state}",) if of_states else (f"s{state}", f"a{action}")] = np.float64(value)
    return Table(entries, np.float64(1.75), "probe")
