"""Targets of single transitions: rewards, flags and what networks say of the next states, row by row.

A replay buffer hands over N transitions at once, as vectors or as columns; a
table is updated by one. Rows never depend on each other, so that sequences
and batches of the formula are laid out as rows and taken apart again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.families import learning
from rlcalc.conform.binding.families.base import (
    PLAIN,
    Arrays,
    Family,
    Unfit,
    flagged,
    in_order,
    listed,
    unlike,
    ways,
)
from rlcalc.conform.binding.families.learning import learns
from rlcalc.conform.binding.families.sequence import ONE
from rlcalc.conform.binding.model import Binding
from rlcalc.specs import load_formula

# in the order in which they are tried; only the first takes further axes
LAYOUTS = (
    ("[..., T]", "array"),
    ("[N]", "array"),
    ("[N, 1]", "array"),
    (ONE, "array"),
    ("[N]", "list"),
    (ONE, "list"),
)
FLAGS = frozenset({"done", "mask", "terminated", "truncated", "discounts"})
# arguments that say which way of calling it is, and those that this way does not have
WAYS = {
    "policy": ("epsilon", "next_q1", "next_q2", "next_log_probs"),
    "epsilon": ("policy",),
    "next_q1": ("q1_values", "q2_values", "policy"),
    "atoms": ("v_min", "v_max"),
    "v_min": ("atoms",),
}
# of discrete actions a critic has a row where of one action it has a number
DISCRETE = {"next_q1": "q1_values", "next_q2": "q2_values"}
# how many actions a function takes that names each: max(q[0], q[1])
COUNTED = "actions in its body"
_ENTRY = re.compile(r"\[(\d+)\]$")
# what is asked: two rows of transitions, three times, with other numbers each time; as many as there are
# actions first, since a largest value along the batch has a place for each of them only then
ACTIONS = 4
SHAPES = ((2, ACTIONS), (2, 5), (2, 5))
PROBED = {
    "gamma": (0.75, 0.5, 0.875),
    "alpha": (0.5, 0.25, 2.0),
    "epsilon": (0.25, 0.5, 0.125),
    "v_min": (-2.0, -2.0, -2.0),
    "v_max": (2.5, 2.5, 2.5),
}
STANDS_FOR = {"log_alpha": "alpha", "next_best": "next_q", "next_critic": "next_q"}
ENTROPY = frozenset({"alpha", "log_alpha", "next_log_probs", "policy"})
SUPPORT = frozenset({"atoms", "v_min", "v_max"})


class Transitions(Family):
    """The value targets: of Q-learning and its relatives."""

    def __init__(self, formula: str) -> None:
        self.formula = load_formula(formula)

    # what is handed over

    def arrange(self, binding: Binding, given: Mapping[str, Any]) -> Arrays:
        """Values by place."""
        if binding.layout == ONE and given["rewards"].size != 1:
            raise Unfit("one transition a call")
        if COUNTED in binding.fixed and self._actions(given) != binding.fixed[COUNTED]:
            raise Unfit(f"of {binding.fixed[COUNTED]:g} actions alone")
        given = learning.twice(given) if learning.of_one(binding, given) else given
        found = {path: self._value(binding, given, role) for path, role in binding.meant.items()}
        return learning.with_networks(binding, found, given) if learns(binding) else found

    def _value(self, binding: Binding, given: Mapping[str, Any], role: str) -> Any:
        if role in PLAIN:
            return PLAIN[role]
        rewards = given["rewards"]
        over = self._flags(given, "terminated")
        if binding.merged:
            over = over | self._flags(given, "truncated")
        match role:
            case "done" | "mask":
                flags = over if role == "done" else ~over
                return self._rows(binding, given, flagged(binding, flags, rewards.dtype))
            case "terminated" | "truncated":
                flags = self._flags(given, role)
                return self._rows(binding, given, flagged(binding, flags, rewards.dtype))
            case "discounts":
                each = np.broadcast_to(given["gamma"], rewards.shape)
                return self._rows(binding, given, np.where(over, 0, each).astype(rewards.dtype))
            case "gamma" | "alpha" | "epsilon" | "n":
                value = given[role]
                if value is None:
                    return None
                if np.ndim(value):
                    raise Unfit(f"one {role} a call")
                return int(value) if role == "n" else float(value)
            case "log_alpha":
                if given["alpha"] == 0:
                    raise Unfit("an alpha of 0 has no logarithm")
                return np.log(given["alpha"]).astype(rewards.dtype)  # an array, since people ask it for exp()
            case "atoms" | "v_min" | "v_max" | "count" | "width":
                return self._support(binding, given, role)
            case "observations" | "next_observations":
                if learns(binding):
                    return learning.observed(binding, rewards, role == "next_observations")
                return self._rows(binding, given, np.zeros_like(rewards))
            case "taken" | "taken_column":
                return learning.taken(binding, rewards, self._predicted(binding, given), "column" in role)
            case "prediction":
                values = np.full_like(self._predicted(binding, given), learning.UNASKED)
                return self._rows(binding, given, values)
            case "batch_size":
                return rewards.size
            case "weights":
                return self._rows(binding, given, np.ones_like(rewards))
        return self._rows(binding, given, self._own(binding, given, role))

    def _predicted(self, binding: Binding, given: Mapping[str, Any]) -> Any:
        """What has the shape of a prediction: rows, or numbers where nothing else is known."""
        numbers = binding.roles & {"next_best", "next_critic"}
        names = ("rewards",) if numbers else learning.PREDICTED_AS
        return next(given[name] for name in names if given.get(name) is not None)

    def _own(self, binding: Binding, given: Mapping[str, Any], role: str) -> Any:
        """A parameter of the formula under its role."""
        if "policy" in binding.roles and given.get("policy") is not None:
            role = DISCRETE.get(role, role)
            if role == "next_log_probs":
                if not given["policy"].all():
                    raise Unfit("a probability of 0 has no logarithm")
                return np.log(given["policy"])
        if role == "target_atoms":
            return self._moved(binding, given)
        if role in ("next_best", "next_critic"):
            return given["next_q"].max(-1)
        value = given.get(role)
        if value is None:
            raise Unfit(f"nothing is given for {role}")
        return value

    def _moved(self, binding: Binding, given: Mapping[str, Any]) -> Any:
        """Where every atom goes, R + γ z, beyond the ends as well."""
        atoms = np.asarray(self._support(replace(binding, form="array"), given, "atoms"))
        kept = np.where(self._flags(given, "terminated"), 0, given["gamma"])
        return (given["rewards"][..., None] + kept[..., None] * atoms).astype(given["rewards"].dtype)

    def _support(self, binding: Binding, given: Mapping[str, Any], role: str) -> Any:
        count = given["next_probs"].shape[-1]
        if given.get("atoms") is not None:
            atoms = given["atoms"]
            if atoms.ndim > 1:
                raise Unfit("one support a call")
        else:
            atoms = np.linspace(given["v_min"], given["v_max"], count).astype(given["rewards"].dtype)
        width = float(atoms[-1] - atoms[0]) / (count - 1)
        if not {"v_min", "width"} & binding.roles and (np.diff(atoms) != width).any():
            # whether what is moved falls on an atom then, or beside it, is anyone's rounding
            raise Unfit("atoms that are evenly spaced without rounding")
        known = {"v_min": float(atoms[0]), "v_max": float(atoms[-1]), "count": count, "width": width}
        return known.get(role, listed(binding, atoms))

    def _flags(self, given: Mapping[str, Any], name: str) -> Any:
        flags = given.get(name)
        return np.zeros(given["rewards"].shape, bool) if flags is None else flags

    def _rows(self, binding: Binding, given: Mapping[str, Any], array: Any) -> Any:
        """Numbers or rows per transition in the layout of a binding."""
        if binding.layout == "[..., T]":
            return array
        count, axes = given["rewards"].size, given["rewards"].ndim
        try:
            rows = np.broadcast_to(array, (*given["rewards"].shape, *array.shape[axes:]))
        except ValueError as error:
            raise Unfit("rows of another number than rewards") from error
        rows = rows.reshape(count, *rows.shape[axes:])
        if binding.layout == ONE:
            return listed(binding, rows[0]) if rows.ndim > 1 else rows[0].item()
        if binding.layout == "[N, 1]" and rows.ndim == 1:
            rows = rows[:, None]
        return listed(binding, rows)

    def _actions(self, given: Mapping[str, Any]) -> int:
        rows = (given.get(p.name) for p in self.formula.parameters if len(p.shape) == 2)
        return next((value.shape[-1] for value in rows if value is not None), 0)

    def counted(self, binding: Binding, paths: Iterable[str]) -> dict[str, float]:
        """How many actions it names one by one, where it names all of them."""
        tables = {p.name for p in self.formula.parameters if len(p.shape) == 2}
        own = binding.places_of(*tables)
        named = {
            int(entry[1])
            for path in paths
            if (entry := _ENTRY.search(path)) and path[: entry.start()].removesuffix("[]") in own
        }
        return {COUNTED: len(named)} if len(named) > 1 and named == set(range(len(named))) else {}

    # what comes back

    def restore(self, binding: Binding, array: Any, given: Mapping[str, Any]) -> Any:
        """An output in the formula's layout; unchanged where its shape says that it is something else."""
        shape = given["rewards"].shape
        count = given["rewards"].size
        if learning.of_one(binding, given) and array.shape[:1] == (2,):
            array = array[:1]
        if binding.layout == ONE and array.ndim < 2:
            return array.reshape((*shape, *array.shape))
        if binding.layout == "[N]" and array.shape[:1] == (count,):
            return array.reshape((*shape, *array.shape[1:]))
        if binding.layout == "[N, 1]" and array.shape[:1] == (count,):
            column = array.shape[1:] == (1,)
            return array.reshape((*shape, *(() if column else array.shape[1:])))
        return array

    # what is tried

    def variations(self, binding: Binding, backends: tuple[str, ...], lists_first: bool) -> Iterator[Binding]:
        """Layouts to try, the likeliest first."""
        roles = binding.roles
        flags = ["bool", "float", "int"] if roles & (FLAGS - {"discounts"}) else ["bool"]
        if roles & {"done", "mask"}:
            flags = ["float", "bool", "int"]
        both = [False, True] if roles & {"terminated", "truncated"} and roles & {"done", "mask"} else [False]
        laid = in_order(LAYOUTS, lists_first)
        for way in ways(binding, backend=backends, laid=laid, merged=both, flags=flags):
            if way.form == "list" and way.backend != backends[0]:
                continue
            yield way
            if way.layout == "[N]" and learns(binding):
                yield replace(way, single="column")  # of each state one number

    def conveys(self, binding: Binding) -> frozenset[str]:
        """The formula's own parameters that a binding has a place for."""
        roles = binding.roles
        own = self.formula.names
        found = roles & own
        if roles & {"done", "mask", "discounts"} or learning.ends_with_none(binding):
            found |= {"terminated"}
        if "discounts" in roles:
            found |= {"gamma"}
        found |= {name for role, name in STANDS_FOR.items() if role in roles}
        if "target_atoms" in roles:
            found |= {"rewards", "gamma", "terminated"}
        if roles & {"atoms"} or {"v_min", "v_max"} <= roles:
            found |= SUPPORT
        if "policy" in roles:
            found |= {DISCRETE[role] for role in roles & DISCRETE.keys()}
        if "next_q2" in own and not roles & ENTROPY:
            found |= {"alpha", "next_log_probs"}  # TD3, which is a convention
        # who is given an entropy and leaves it out follows no convention
        entropy = {"entropy"} if "next_q2" in own and roles & ENTROPY else set()
        return frozenset(found & own) | entropy | binding.fixed.keys()

    def single(self, binding: Binding) -> frozenset[str]:
        """Parameters of which it takes one number only."""
        return frozenset() if binding.roles & {"discounts", "target_atoms"} else frozenset({"gamma"})

    def core(self, formula: Any) -> frozenset[str]:
        """Roles without which nothing can be computed."""
        return frozenset({"rewards", "gamma"})

    def probes(self, binding: Binding) -> list[Arrays]:
        """Arguments that tell readings apart: rows that differ in every number, an end in the middle."""
        found = [self._probe(binding, number) for number in range(3)]
        if binding.layout == ONE:
            return [_one(given, given["rewards"].shape, row) for given in found for row in ((0, 0), (0, 1))]
        if binding.layout == "[..., T]":
            return [*found, {name: _first(value, 2) for name, value in found[0].items()}]
        return [{name: _first(value, 2) for name, value in given.items()} for given in found]

    def _probe(self, binding: Binding, number: int) -> Arrays:
        own, roles, shape = self.formula.names, binding.roles, SHAPES[number]
        actions = int(binding.fixed.get(COUNTED, ACTIONS))
        given: Arrays = dict.fromkeys(own, None)
        for p in self.formula.parameters:
            if p.kind == "number" and p.shape[:1] == ("T",):
                seed = 31 + number + sum(map(ord, p.name))
                rows = unlike((*shape, *(actions,) * (len(p.shape) - 1)), seed)
                given[p.name] = _chances(rows) if p.distribution else rows
            if p.below:
                given[p.name] = (np.arange(math.prod(shape)).reshape(shape) * 3 + number) % actions
        given |= {name: np.float64(values[number]) for name, values in PROBED.items() if name in own}
        given |= {name: np.float64(value) for name, value in binding.fixed.items() if name != COUNTED}
        given["n"] = np.asarray(1 + (number if "n" in roles else 0))
        if "atoms" in roles and "atoms" in own:
            given["atoms"] = np.linspace(PROBED["v_min"][0], PROBED["v_max"][0], actions)
        ways = [way for way in WAYS if way in roles] or [way for way in ("policy", "v_min") if way in own]
        for way in ways[:1]:
            given |= dict.fromkeys(set(WAYS[way]) & own, None)
        if "next_q2" in own and "next_q2" not in roles:
            given |= {"next_q2": None, "q2_values": None}
        if roles & {*FLAGS, "target_atoms"} or learning.ends_with_none(binding):
            given["terminated"] = np.zeros(shape, bool)
            given["terminated"][0, 1] = given["terminated"][1, number] = True
        if "truncated" in roles:
            given["truncated"] = np.zeros(shape, bool)
            given["truncated"][0, 0] = given["truncated"][1, 3] = True
        return given


def _one(given: Mapping[str, Any], shape: tuple[int, ...], row: tuple[int, ...]) -> Arrays:
    """A single transition of several, as a sequence of one step."""
    return {
        name: value[row][None] if np.shape(value)[: len(shape)] == shape else value
        for name, value in given.items()
    }


def _first(value: Any, axes: int) -> Any:
    """The first row of a batch; what has none is shared."""
    return value[0] if np.ndim(value) >= axes else value


def _chances(rows: Any) -> Any:
    """Probabilities that differ, all above 0."""
    weights = 1 + np.abs(np.round(rows * 4)) % 7
    return weights / weights.sum(-1, keepdims=True)


def speaks_of_one(binding: Binding) -> bool:
    """Whether the name of the reward is a singular; "rewards" are those of a batch."""
    return not any(path.rstrip("_").endswith("s") for path in binding.places_of("rewards"))


def flag_note(binding: Binding, path: str) -> str:
    """What a flag that stands for the end is read as."""
    if binding.merged:
        return f"{path} is read as terminated or truncated, beside one of the two by itself"
    return (
        f"{path} is read as terminated alone; a caller who stores time limits in it as well "
        "loses the value of the state that they cut off"
    )
