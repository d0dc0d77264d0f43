"""Dynamic programming on tables: functions of P, R and γ as students write them, or of a table of Gymnasium.

The formula takes a decision process in one piece. A function takes its
transitions and rewards as arrays in some order of axes, as dicts, or as
``P[s][a] = [(probability, next state, reward, done), ...]``; it answers for
all states at once, for one, or with one sweep over given values, which is
then called as often as the formula sweeps. A terminal state stays where it
is and pays nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.families.base import Arrays, Family
from rlcalc.conform.binding.families.process_policies import with_policy_valued
from rlcalc.conform.binding.families.process_values import (
    AVERAGED,
    ENDS,
    GYM,
    ONE_AT_A_TIME,
    Layout,
    ProcessCall,
    first_first,
    is_backup,
)
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.target.call import Part, Reply
from rlcalc.mdp.model import MDPArrays
from rlcalc.mdp.tables import from_arrays
from rlcalc.specs import Formula

# what sweeps that end at a larger change miss is a fault
LEAST_ACCURATE = 1e-4
# P and R by their axes: s, a, and t for the state that follows
ORDERS = (
    ("sat", "sa"),
    ("sat", "sat"),
    ("sat", "s"),
    ("ast", "sa"),
    ("ast", "as"),
    ("ast", "ast"),
    ("ast", "s"),
    ("tsa", "sa"),
    ("tsa", "s"),
)
POLICIES = ("rows", "actions", "function")


class Processes(Family):
    """The formulas of a whole decision process."""

    # a function of action values need not have those of states
    answers = frozenset({"values", "q_values"})

    def __init__(self, formula: Formula) -> None:
        self.formula = formula

    # what is handed over

    def arrange(self, binding: Binding, given: Mapping[str, Any]) -> Arrays:
        """Values of one call, or of the first one, by place; raises ``Unfit``."""
        call = ProcessCall(self.formula, binding, given)
        call.check()
        return {path: call.value(role) for path, role in binding.meant.items()}

    def play(self, binding: Binding, given: Mapping[str, Any], call: Callable[[Arrays], Reply]) -> Reply:
        """All sweeps and all states of one call of the formula; the call that fails, where one does."""
        one = ProcessCall(self.formula, binding, given)
        one.check()
        for number in range(one.calls):
            reply = with_policy_valued(one, self._sweep(binding, one, call))
            if reply.kind != "answer" or number == one.calls - 1:
                break
            parts = {n: reply.parts[at].array for n, at in binding.outputs.items() if at in reply.parts}
            found = parts.get("values")
            if found is None and parts.get("q_values") is not None:
                found = self.restore(binding, parts["q_values"], given).max(-1)
            if found is None or np.shape(found) != one.now.shape:
                break
            one.now = np.asarray(found, one.now.dtype)
        return reply

    def _sweep(self, binding: Binding, one: ProcessCall, call: Callable[[Arrays], Reply]) -> Reply:
        """One answer for all states, put together where a call is about one of them."""
        axes = [one.axis(role) for role in ONE_AT_A_TIME if role in binding.roles]
        replies = []
        for place in product(*map(range, axes)):
            one.place = dict(zip(ONE_AT_A_TIME, place, strict=False))
            values = {path: one.value(role) for path, role in binding.meant.items()}
            replies.append(call({**values, **binding.constants}))
            if replies[-1].kind != "answer":
                return replies[-1]
        if not axes:
            return replies[0]
        # answers about one state each, or one state and action
        parts = in_common(replies, lambda arrays: np.array(arrays).reshape((*axes, *arrays[0].shape)))
        return replace(replies[0], parts=parts)

    def restore(self, binding: Binding, array: Any, given: Mapping[str, Any]) -> Any:
        """Values [S] and action values [S, A]; what has actions first is turned."""
        states, actions = given["mdp"].r.shape
        if array.shape == (states, 1) and (actions > 1 or Layout.read(binding.layout).moves == AVERAGED):
            return array[:, 0]
        turned = array.shape == (actions, states)
        if turned and (actions != states or Layout.read(binding.layout).rewards.startswith("as")):
            array = array.T
        order = first_first(self.formula, binding, given)
        if order is not None and array.shape == (states, actions):
            return np.take_along_axis(array, order.argsort(-1), -1)
        return array

    def whole(self, found: Mapping[str, str], parts: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
        """Whether values of states, where an answer has some, are right beside the action values."""
        states = given["mdp"].r.shape[:1]
        others = [a for place, a in parts.items() if place not in found.values()]
        return "values" in found or not any(a.shape == states and a.dtype.kind == "f" for a in others)

    # what is tried

    def variations(self, binding: Binding, backends: tuple[str, ...], lists_first: bool) -> Iterator[Binding]:
        """Layouts to try, the likeliest first."""
        orders = ORDERS if "rewards" in binding.roles else ((GYM, ""),)
        if (
            self.formula.name == "policy_eval"
            and "rewards" in binding.roles
            and "policy" not in binding.roles
        ):
            orders = (*orders, (AVERAGED, "s"))
        policies = POLICIES if "policy" in binding.roles else ("",)
        some: tuple[Any, ...] = ("array", "list", "dicts")
        for form, ends, policy, (moves, rewards) in product(some, ENDS, policies, orders):
            if (form != "array" or moves == GYM) and (ends == ENDS[1] or moves not in ("sat", GYM)):
                continue
            layout = Layout(moves, rewards, policy, ends).text
            yield replace(binding, backend="numpy", layout=layout, form=form)

    def accuracy(self, binding: Binding, numbers: Sequence[float]) -> dict[str, float]:
        """The number in a body that may be the change at which sweeps end, where no place has it."""
        small = [number for number in numbers if number <= LEAST_ACCURATE]
        return {"theta": max(small)} if small and "theta" not in binding.roles else {}

    def reach(self, binding: Binding, given: Mapping[str, Any]) -> float:
        """Correct digits that sweeps have when they change values by less than a number in the body."""
        own = binding.fixed.get("theta")
        return math.inf if own is None else ProcessCall(self.formula, binding, given).digits(own)

    def conveys(self, binding: Binding) -> frozenset[str]:
        """The formula's own parameters that a binding has a place for."""
        own = self.formula.names
        found = set(binding.roles)
        found |= {"mdp"} if "transitions" in found else set()
        found |= {"sweeps"} if is_backup(self.formula, binding) else set()
        averaged = Layout.read(binding.layout).moves == AVERAGED
        found |= {"policy"} if averaged or self.formula.name == "policy_iteration" else set()
        return frozenset(found & (own | {"transitions"})) | binding.fixed.keys()

    def single(self, binding: Binding) -> frozenset[str]:
        """Parameters of which it takes one number only."""
        return frozenset({"gamma"})

    def core(self, formula: Formula) -> frozenset[str]:
        """Roles without which nothing can be computed."""
        return frozenset({"transitions", "gamma"})

    def probes(self, binding: Binding) -> list[Arrays]:
        """Processes of different sizes; one ends, without discount where that is supported."""
        layout = Layout.read(binding.layout)
        gammas = (
            0.75,
            0.5,
            0.75 if layout.ends == ENDS[2] or self.formula.name == "policy_iteration" else 1.0,
        )
        return [self._probe(binding, layout, number, gamma) for number, gamma in enumerate(gammas)]

    def _probe(self, binding: Binding, layout: Layout, number: int, gamma: float) -> Arrays:
        given: Arrays = {p.name: None for p in self.formula.parameters}
        mdp = _process(number, layout.rewards == "s")
        states, actions = mdp.r.shape
        given |= {"mdp": mdp, "gamma": np.float64(binding.fixed.get("gamma", gamma))}
        if "policy" in given:
            weights = np.arange(1.0, 1 + states * actions).reshape(states, actions) % 7 + 1
            rows = weights / weights.sum(-1, keepdims=True)
            chosen = np.eye(actions)[(np.arange(states) + number) % actions]
            rows = chosen if layout.policy not in ("", "rows") else rows
            if "policy" not in binding.roles and layout.moves != AVERAGED:
                rows = "uniform" if self.formula.name == "policy_eval" else np.eye(actions)[[0] * states]
            given["policy"] = rows
        if self.formula.name == "value_iteration":
            given["sweeps"] = 1 if is_backup(self.formula, binding) else 2 + number
            first = np.array([1.5, -2.25, 3.0, 0.5, -1.0])[:states]
            given["values"] = np.where(mdp.mdp.terminal, 0, first) if "values" in binding.roles else None
        return given


def in_common(replies: Sequence[Reply], together: Callable[[list[Any]], Any]) -> dict[str, Part]:
    """Parts of which every reply has an array of one shape, each as the one array that is made of them."""
    parts = {}
    for name, part in replies[0].parts.items():
        arrays = [reply.parts[name].array for reply in replies if name in reply.parts]
        some = [array for array in arrays if array is not None]
        if len(some) == len(replies) and len({array.shape for array in some}) == 1:
            whole = together(some)
            parts[name] = replace(part, array=whole, shape=whole.shape)
    return parts


@cache
def _process(number: int, by_state: bool) -> MDPArrays:
    """A small process without a pattern; the last one goes on to its end.

    Args:
        by_state: the reward depends on the state alone.
    """
    states, actions = ((3, 2), (4, 3), (5, 2))[number]
    ends = number == 2
    p, r = np.zeros((states, actions, states)), np.zeros((states, actions))
    for s, a in np.ndindex(states - ends, actions):
        weights = np.array([(3 * s + 5 * a + 7 * t + 2 * s * t + number) % 4 for t in range(states)], float)
        weights[-1] += 1
        weights[: (s + 1) * ends] = 0
        p[s, a] = weights / weights.sum()
        r[s, a] = ((5 * s + (0 if by_state else 3 * a) + 2 * number) % 7 - 2.5) / (1 + s % 2)
    terminal = [ends and s == states - 1 for s in range(states)]
    return from_arrays({"p": p.tolist(), "r": r.tolist(), "terminal": terminal}).arrays("numpy", np.float64)
