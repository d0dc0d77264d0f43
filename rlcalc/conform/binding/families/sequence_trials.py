"""What is tried on a sequence formula: every layout, and arguments that tell them apart."""

from __future__ import annotations

from collections.abc import Iterator

from rlcalc._lazy import np
from rlcalc.conform.binding.families.base import Arrays, in_order, unlike, ways
from rlcalc.conform.binding.families.sequence import ONE, ONE_A_STEP, ONE_ROW, WINDOW_VALUE
from rlcalc.conform.binding.model import CANONICAL, Binding

# in the order in which they are tried; the first three take a batch
LAYOUTS = (
    (CANONICAL, "array"),
    ("[T, B]", "array"),
    ("[B, T]", "array"),
    ("[T]", "array"),
    ("[T, B, 1]", "array"),
    ("[B, T, 1]", "array"),
    ("[T]", "list"),
    ("[T, 1]", "array"),
    ("[T, B]", "steps"),
    ("[B, T]", "list"),
)
FLAGS = frozenset(
    {"done", "terminated", "truncated", "mask", "last_done", "last_mask", "first", "ends", "discounts"}
)
# what is passed as one number a sequence, with an axis of its own or without
SINGLES = frozenset({"last_value", "last_done", "last_mask"})
# steps that end an episode, by probe and row: early, in the middle, next to last and last
ENDS = (((1,), (2,)), ((2, 4), (3,)), ((0,), (4,)))


def variations(binding: Binding, backends: tuple[str, ...], lists_first: bool = False) -> Iterator[Binding]:
    """Every way to lay out the arrays of a binding whose roles are known, the likeliest first."""
    roles = _valued(binding)
    values = ["T+1", "T"] if "values" in roles else ["T"]
    if "values" in roles and roles & {"last_value", "next_values", "critic", "network"}:
        values.reverse()
    flags = ["float", "bool", "int"] if roles & FLAGS or "valid" in roles else ["bool"]
    if roles & FLAGS <= {"terminated", "truncated"}:
        flags.sort()  # under these names they are what the formula itself takes
    singles = ["plain", "column", "row"] if roles & SINGLES else ["plain"]
    if "network" in roles:
        # squeeze(-1) does nothing to a batch in columns of its own, but for one of a single row
        singles = ["column", "plain"]
    ends = ["step"]
    if roles & {"last_done", "last_mask"}:
        ends = ["observation", "step"]
    elif roles & {"done", "mask"}:
        ends = ["step", "observation"]
    merged = [False, True] if roles & {"terminated", "truncated"} and roles & {"done", "mask"} else [False]
    # of one transition what follows is no value after the last of many
    alone = binding.formula in ONE_A_STEP and "last_value" not in roles
    known = (*LAYOUTS, (ONE, "array")) if alone else LAYOUTS
    for way in ways(
        binding,
        backend=backends,
        laid=in_order(known, lists_first),
        single=singles,
        ends=ends,
        values=values,
        merged=merged,
        flags=flags,
    ):
        if way.form == "list" and way.backend != backends[0]:
            continue
        if way.single == "row" and (way.form == "list" or way.layout in ONE_ROW):
            continue
        if way.ends == "observation" and not roles & {"last_done", "last_mask"} and way.values == "T":
            continue
        yield way


def conveys(binding: Binding) -> frozenset[str]:
    """The formula's own parameters that a binding has a place for."""
    roles = _valued(binding)
    own = {"gamma", "lam", "n", "truncated", "next_values", "terminated"}
    found: set[str] = set(roles & own)
    if "values" in roles and "truncated" not in roles:
        # but for truncated steps the next value is the value of the next step
        found.discard("next_values")
    if roles & {"done", "mask", "discounts", "first", "ends"}:
        found.add("terminated")
    if "ends" in roles and "next_values" in roles:
        found |= {"truncated", "next_values"}
    if roles & {"discounts", "td_errors"}:
        found.add("gamma")
    if roles & {"values", "last_value", "next_values", "td_errors"}:
        found.add("values")
    if "td_errors" in roles:
        found |= {"next_values", "rewards"}
    if binding.layout == ONE:
        found |= {"reward", "value", "next_value"}
    if roles & {"last_value", "critic"}:
        found.add("bootstrap")
    return frozenset(found | {"rewards"}) | binding.fixed.keys()


def probes(binding: Binding) -> list[Arrays]:
    """Arguments that tell readings apart: unequal axes, flags in the middle and at the end, γ ≠ λ."""
    roles = _valued(binding)
    flagged = bool(roles & {"done", "mask", "terminated", "discounts", "first", "ends"})
    found = []
    for number, (gamma, lam) in enumerate(((0.75, 0.5), (0.5, 0.875), (0.875, 0.25))):
        rewards = unlike((2, 5), 7 + number)
        given: Arrays = {
            "rewards": rewards,
            "values": unlike((2, 6), 31 + 5 * number),
            "gamma": np.float64(binding.fixed.get("gamma", gamma)),
            "lam": np.float64(binding.fixed.get("lam", lam)),
            "terminated": None,
            "truncated": None,
            "next_values": None,
            "n": np.asarray(int(binding.fixed.get("n", 2 + number % 2))),
        }
        if not roles & {"values", "last_value", "next_values", "td_errors", "critic"}:
            given["values"] = None
        if flagged:
            given["terminated"] = np.zeros((2, 5), bool)
            for row, steps in enumerate(ENDS[number]):
                given["terminated"][row, list(steps)] = True
        if roles & {"truncated", "ends"} and number != 1:
            cut = np.zeros((2, 5), bool)
            cut[0, 0] = cut[1, 3] = True
            given["truncated"] = cut & ~(given["terminated"] if flagged else False)
        if "next_values" in roles:
            given["next_values"] = given["values"][:, 1:].copy()
            if given["truncated"] is not None:  # the state after a cut is not the one that comes next
                given["next_values"] += 0.5 * given["truncated"]
        found.append(given)
    if binding.layout == ONE:
        # of 5 rewards one, of 6 values two
        return [
            {n: v[0, k : k + v.shape[1] - 4] if np.ndim(v) == 2 else v for n, v in p.items()}
            for p in found
            for k in (0, 1)
        ]
    if binding.layout in ONE_ROW:
        return [{n: v[k] if np.ndim(v) == 2 else v for n, v in p.items()} for p in found for k in (0, 1)]
    # one row as well: who squeezes an array takes an axis of one entry away
    found.append({name: value[0] if np.ndim(value) == 2 else value for name, value in found[0].items()})
    return found


def _valued(binding: Binding) -> frozenset[str]:
    """Roles, with what action values and a network that is asked about observations stand for."""
    rows = {"q_rows": "values", "next_q_rows": "next_values"}
    roles = binding.roles | {role for table, role in rows.items() if table in binding.roles}
    if WINDOW_VALUE in roles:
        roles |= {"last_value"}  # one number a sequence, like this
    if "network" not in binding.roles:
        return roles
    made = {"observations": "values", "next_observations": "next_values"}
    return roles | {role for seen, role in made.items() if seen in binding.roles}
