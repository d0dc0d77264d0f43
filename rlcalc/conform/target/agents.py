"""An agent through many calls of one method, made by its own constructor.

Between the calls it keeps what it keeps: traces, counts, buffers, and a
generator of random numbers are whatever the class makes them; only what a
formula knows of (tables, step size, discount) is put in its place, in the
form that the constructor has given it.

Like ``call``, this runs where the target runs.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy, deepcopy
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.target.networks import ANYTHING, Anything
from rlcalc.conform.target.objects import Bag, objects, steps_of
from rlcalc.conform.target.tabular import shaped

# among values by place: the calls, one after another
CALLS = "(calls)"
# before the name of a constructor's parameter
MADE_WITH = "__init__."
# what is done where an episode begins: a method is called, an attribute is what it was at first
BEGIN, FRESH = "begin", "fresh"
# a coin that is fair shows the same side so often once in 10¹⁵ times
MOST_TOSSED = 50
SEED = 20261130
_GENERATORS = ("Generator", "RandomState", "Random")


class Environment(Bag):
    """One that says how many states and actions it has, by the names that people ask for."""

    def __init__(self, states: int, actions: int) -> None:
        super().__init__(
            {
                "observation_space": Bag(n=states),
                "action_space": Bag(n=actions),
                **dict.fromkeys(("nS", "n_states", "num_states"), states),
                **dict.fromkeys(("nA", "n_actions", "num_actions", "n_arms", "k"), actions),
            }
        )
        self["unwrapped"] = self


class Agent:
    """What stays from one call to the next: the object, or for a function the tables that it is given.

    Attributes:
        roots: parameters with their values, ``self`` among them.
    """

    def __init__(self, values: Mapping[str, Any], owner: type | None) -> None:
        own = {path: value for path, value in values.items() if path.startswith("self.")}
        rest = {p: v for p, v in values.items() if p not in own and not p.startswith(MADE_WITH)}
        self.roots: dict[str, Any] = objects(rest, None, "")
        self.methods: list[str] = []
        self.fresh: dict[str, Any] = {}
        if owner is None:
            return
        given = {p.removeprefix(MADE_WITH): _made_of(v) for p, v in values.items() if p.startswith(MADE_WITH)}
        made = owner(**objects(given, None, ""))
        self.roots["self"] = made
        for path, value in own.items():
            if isinstance(value, str) and value == BEGIN:
                self.methods.append(path.removeprefix("self.").removesuffix("()"))
            elif isinstance(value, str) and value == FRESH:
                self.fresh[path.removeprefix("self.")] = None
            else:
                _put(made, path, value)
        for name in self.fresh:
            self.fresh[name] = deepcopy(getattr(made, name))

    def begin(self) -> None:
        """Of an episode that follows another one."""
        for name, value in self.fresh.items():
            setattr(self.roots["self"], name, deepcopy(value))
        for name in self.methods:
            getattr(self.roots["self"], name)()

    def copied(self) -> Agent:
        """Another one in the same state, whose random numbers go on with those of this one."""
        twin = copy(self)
        known = {id(part): part for part in _generators(self.roots)}
        twin.roots = deepcopy(self.roots, dict(known))
        return twin


def _made_of(value: Any) -> Any:
    """An argument of a constructor; two numbers by name are those of an environment."""
    if isinstance(value, str) and value == ANYTHING:
        return Anything()
    return Environment(value["states"], value["actions"]) if isinstance(value, Mapping) else value


def _generators(roots: Mapping[str, Any]) -> Iterator[Any]:
    for root in roots.values():
        for part in getattr(root, "__dict__", {}).values():
            if type(part).__name__ in _GENERATORS:
                yield part


def _put(made: Any, path: str, value: Any) -> None:
    """Put a value at a place of an object, a table in the form of the one that stands there."""
    holder, way = made, steps_of(path)[1]
    for kind, name in way[:-1]:
        holder = getattr(holder, name) if kind == "attr" else holder[name]
    kind, name = way[-1]
    if kind == "attr":
        value = _in_form(getattr(holder, name, None), value)
        setattr(holder, name, value)
    else:
        holder[name] = value


def _in_form(there: Any, value: Any) -> Any:
    if getattr(value, "ndim", 0) == 0 or there is None:
        return value
    if isinstance(there, Mapping):
        found = shaped(value, _form_of(there, value.ndim))
        if not isinstance(there, defaultdict):
            return found
        kept: dict[Any, Any] = defaultdict(there.default_factory)
        kept.update(found)
        return kept
    if isinstance(there, list):
        return value.tolist()
    # a table of whole numbers loses what is put into it, as that of the agent does
    return value.astype(there.dtype) if isinstance(there, np.ndarray) else value


def _form_of(there: Mapping[Any, Any], axes: int) -> str:
    """How a dict keeps a table: by pairs, or by state with rows or dicts of the actions."""
    if axes == 1:
        return "pairs"
    one: Any = next(iter(there.values()), None)
    if not there and isinstance(there, defaultdict) and there.default_factory is not None:
        one = there.default_factory()
    if isinstance(one, Mapping):
        return "dicts"
    return "rows" if hasattr(one, "__len__") else "pairs"


def played(function: Callable[..., Any], agent: Agent, calls: Sequence[Mapping[str, Any]]) -> None:
    """All calls, one after another, after which the agent is as they have left it.

    Args:
        calls: ``given``: values by place, which stay until others are given; ``begin``: whether an episode
            begins that is not the first; ``moves``: the place of the table that is meant to change, beside
            ``keeps``, that of the other one: a call that tosses a coin is made until it falls so, and is
            told both sides where it is told one, at ``coin``.
    """
    for call in calls:
        if call["begin"]:
            agent.begin()
        agent.roots |= objects(call["given"], None, "")
        if not call.get("moves"):
            function(**agent.roots)
            continue
        agent.roots = _tossed(function, agent, call).roots


def _tossed(function: Callable[..., Any], agent: Agent, call: Mapping[str, Any]) -> Agent:
    """The agent after a call whose coin has fallen for the table that is meant."""
    still: Agent | None = None
    for toss in range(MOST_TOSSED):
        twin = agent.copied()
        if call["coin"]:
            twin.roots[call["coin"]] = toss % 2 == 0
        function(**twin.roots)
        if _moved(agent, twin, call["moves"]):
            return twin
        # the table that is meant may have no reason to change; the other one must not
        if not _moved(agent, twin, call["keeps"]):
            still = twin
    return still or twin


def _moved(before: Agent, after: Agent, path: str) -> bool:
    return repr(_at(before, path)) != repr(_at(after, path))


def _at(agent: Agent, path: str) -> Any:
    root, way = steps_of(path)
    found = agent.roots[root]
    for _, name in way:
        found = getattr(found, name)
    return found.tolist() if isinstance(found, np.ndarray) else found


@contextmanager
def same_numbers() -> Iterator[None]:
    """The same random numbers whenever it is asked, and those of others as they were."""
    kept = random.getstate(), np.random.get_state()
    random.seed(SEED)
    np.random.seed(SEED)
    try:
        yield
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])
