"""Places that an agent is asked by: what its method takes, its object keeps, its class is made with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain, product
from typing import Literal

from rlcalc.conform.binding.families.agent_play import COUNTS, TABLES, TRACES, agent_layouts, is_agent
from rlcalc.conform.binding.model import Binding, constant
from rlcalc.conform.binding.words.names import plural, roles_of
from rlcalc.conform.target.agents import BEGIN, FRESH, MADE_WITH
from rlcalc.conform.target.base import Target
from rlcalc.conform.target.facts import Facts
from rlcalc.conform.target.signature import Argument
from rlcalc.conform.target.syntax import last_name

# formulas whose functions may be methods of agents
WITH_AGENTS = ("td", "sarsa", "q_learning", "double_q", "mc", "bandit", "gradient_bandit")
# what only an agent has: what starts over with an episode, and what its class is made with
AROUND_AN_AGENT = (BEGIN, FRESH, TRACES, COUNTS, "environment", "states_list", "anything")
# numbers that an object keeps and a formula knows of
NUMBERS = frozenset(
    ["alpha", "gamma", "lam", "n", "epsilon", "baseline", "actions_list", "n_actions", "n_states"]
)


def agents(
    target: Target,
    formula: str,
    assignments: Iterable[Mapping[str, str]],
    fixed: Callable[[Binding], Iterable[Mapping[str, float]]],
) -> Iterator[Binding]:
    """Readings as a method that is called again and again, on one object that its class has made.

    Args:
        assignments: roles by place, as names say them of one call alone.
        fixed: numbers that stand in its body, for what it has no place for.
    """
    facts, called = target.facts, (target.called or target.name).rpartition(":")[2]
    assert facts is not None
    seen: list[dict[str, str]] = []
    for inputs in assignments if formula in WITH_AGENTS else ():
        known = (as_agent(formula, facts, some) for some in _with_a_table(formula, facts, inputs))
        for found in chain.from_iterable(_variants(formula, one) for one in known if one is not None):
            if found in seen:
                continue
            seen.append(found)
            first = Binding(formula, found)
            for layout, values in product(agent_layouts(first, called), _lengths(first)):
                binding = replace(first, layout=layout, values=values)
                yield from (replace(binding, fixed=some) for some in fixed(binding))


def _with_a_table(formula: str, facts: Facts, inputs: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """With what may be the one table of an object, among what it changes, where no name says it."""
    wanted = _TABLES.get(formula, {"table"})
    if len(wanted) > 1 or wanted & set(inputs.values()) or not facts.method:
        yield inputs
        return
    changed = [path for path in facts.written if re.fullmatch(r"self\.\w+", path)]
    for path in changed[:MOST_TABLES]:
        yield {**inputs, path: next(iter(wanted))}


def guessed_table(binding: Binding, mapped: Mapping[str, str]) -> bool:
    """Whether no name says that the table is one: of another algorithm it may be like one with a bug."""
    tables = [(path, role) for path, role in binding.inputs.items() if role in TABLES and path not in mapped]
    known = (role in roles_of(last_name(path), binding.formula) for path, role in tables)
    return is_agent(binding) and not all(known)


def _variants(formula: str, found: dict[str, str]) -> Iterator[dict[str, str]]:
    """The same reading with what else its class may be made with."""
    yield found
    sizes = [path for path, role in found.items() if role == "alpha"]
    if formula in ("mc", "bandit") and sizes and all(path.startswith(MADE_WITH) for path in sizes):
        yield {**found, **dict.fromkeys(sizes, "number:0.5")}  # another method than this one may use it
    # a parameter of which nothing is known may be a number of states or actions, or nothing that matters here
    unknown = [path for path, role in found.items() if path.startswith(MADE_WITH) and role == "none"]
    if len(unknown) == 1:
        lacking = {"n_states", "n_actions"} - set(found.values())
        for role in (*sorted(lacking, reverse=True), "anything"):
            yield {**found, unknown[0]: role}


def _lengths(binding: Binding) -> tuple[Literal["T", "T+1"], ...]:
    """How many states an agent may be given for T rewards, where it gets lists of them."""
    alone = any(plural(last_name(path)) for path in binding.places_of("state"))
    return ("T", "T+1") if alone else ("T+1",)


def as_agent(formula: str, facts: Facts, inputs: Mapping[str, str]) -> dict[str, str] | None:
    """Roles by place of a method of an agent, or of a function that is given what an agent keeps.

    Args:
        inputs: roles by place, as names say them of one call alone.

    Returns:
        ``None`` where it has no table that stays.
    """
    found = {}
    for path, role in inputs.items():
        if "[]" in path and path.startswith("self."):
            continue  # entries of a buffer that it fills by itself
        told = not path.startswith("self.") or role in (BEGIN, FRESH)
        known = role in TABLES or (role in NUMBERS and (path not in facts.written or role == "alpha"))
        mapped = constant(role) is not None and path not in facts.paths
        if told or known or mapped:
            found[path] = role
    if not _TABLES.get(formula, {"table"}) <= set(found.values()):
        return None
    if not facts.method:
        stays = {TRACES, COUNTS} & set(found.values()) or formula in ("mc", "double_q")
        return found if stays else None
    tables = {path.removeprefix("self.") for path, role in found.items() if role in TABLES | NUMBERS}
    for path, sets in facts.resets.items():
        if not tables & set(sets) and path not in found:
            found[path] = BEGIN if path.endswith("()") else FRESH
    for argument in facts.made_with:
        given = _made_with(argument, facts, _OF_MAKING.get(formula, "agents"))
        found |= {MADE_WITH + path: role for path, role in given.items() if MADE_WITH + path not in found}
    return found


def _made_with(argument: Argument, facts: Facts, names: str) -> dict[str, str]:
    """What a constructor is given for a parameter: a number, or an object of settings that it reads."""
    role = next(iter(roles_of(argument.name, names)), "")
    if role:
        return {argument.name: role}
    inside = {
        p: n for p, n in facts.made_from.items() if p.startswith((f"{argument.name}.", f"{argument.name}["))
    }
    known: dict[str, str] = {}
    for path, name in inside.items():
        space = path.rpartition(".")[0].rpartition(".")[2] if name == "n" else ""
        found = roles_of(_SPACES.get(space, name), names)
        known |= {path: found[0]} if found else {}
    return known or ({} if argument.optional else {argument.name: "none"})


# what has a number of entries, of an environment by another name
_SPACES = {"observation_space": "n_states", "action_space": "n_actions"}


# what an agent learns, by formula; in most it is one table
_TABLES: Mapping[str, set[str]] = {"double_q": {"q1", "q2"}, "gradient_bandit": {"preferences"}}
# attributes that may be a table of an unknown name
MOST_TABLES = 4
# where n is a number of arms
_OF_MAKING = {"bandit": "agents_of_arms", "gradient_bandit": "agents_of_arms"}
