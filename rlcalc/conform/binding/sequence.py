"""Sequence formulas: rewards, values and flags in the layouts that people keep them in.

Everything starts from the formula's own arrays, ``[..., T]``, and is made
into what a binding says: transposed, with another axis, as lists, with T or
T + 1 values, flags of the step or of the observation that follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.model import CANONICAL, Binding

Arrays = dict[str, Any]

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
ONE_ROW = ("[T]", "[T, 1]")
FLAGS = frozenset({"done", "terminated", "truncated", "mask", "last_done", "last_mask", "first", "discounts"})
ENDINGS = frozenset({"done", "terminated", "mask", "first"})


# a mask of tokens that is not all on; no parameter of a formula, which looks at valid tokens only
VALID = "valid tokens"
LARGEST_COUNT = 1000
# steps that end an episode, by probe and row: early, in the middle, next to last and last
ENDS = (((1,), (2,)), ((2, 4), (3,)), ((0,), (4,)))


class Unfit(Exception):
    """Inputs that a binding has no way to hand over."""


@dataclass(frozen=True)
class Sequences:
    """The formula's arrays as rows."""

    rewards: Any
    values: Any
    onward: Any
    terminated: Any
    truncated: Any
    given: Mapping[str, Any]
    batch: tuple[int, ...]

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Sequences:
        rewards = given["rewards"]
        batch, steps = rewards.shape[:-1], rewards.shape[-1]

        def rows(name: str, kind: Any, length: int) -> Any:
            value = given.get(name)
            if value is None:
                return np.zeros((max(1, int(np.prod(batch))), length), kind)
            if value.shape[:-1] not in (batch, ()) or value.shape[-1] not in (length, steps):
                raise Unfit(f"{name} of another shape than rewards")
            return np.broadcast_to(value, (*batch, value.shape[-1])).reshape(-1, value.shape[-1]).copy()

        values = rows("values", rewards.dtype, steps + 1)
        if values.shape[-1] == steps:  # a convention took the last one away
            values = np.concatenate([values, np.zeros_like(values[:, :1])], -1)
        if given.get("values") is None and given.get("bootstrap") is not None:
            values[:, -1] = np.ravel(given["bootstrap"])
        onward = values[:, 1:].copy()
        if given.get("next_values") is not None:
            onward = rows("next_values", rewards.dtype, steps)
        return cls(
            rewards.reshape(-1, steps),
            values,
            onward,
            rows("terminated", bool, steps),
            rows("truncated", bool, steps),
            given,
            batch,
        )


def arrange(binding: Binding, given: Mapping[str, Any]) -> Arrays:
    """Values by place.

    Args:
        given: the formula's arguments, as of ``rlcalc.<formula>``.

    Raises:
        Unfit: the binding has no place for what is given.
    """
    rows = Sequences.of(_in_time(given))
    if binding.layout in ONE_ROW and rows.batch:
        raise Unfit("one sequence a call, no batches")
    found: Arrays = {}
    for path, role in binding.meant.items():
        value = _value(binding, rows, role)
        if path.count("[]") == 1 and not path.endswith(("()", "[]")):
            value = _each(value, rows.rewards.shape[-1])
        found[path] = value
    return found


def _in_time(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """One transition as a sequence of one step."""
    if given.get("rewards") is not None:
        return given
    reward, value, after = (np.asarray(given[name]) for name in ("reward", "value", "next_value"))
    values = np.stack([value, after], -1)
    return {**given, "rewards": reward[..., None], "values": values, "next_values": after[..., None]}


def _each(value: Any, steps: int) -> Any:
    """Entries for a list of records."""
    if isinstance(value, list):
        return value
    if not hasattr(value, "ndim"):
        return [value] * steps
    return [part if getattr(part, "ndim", 0) else part.item() for part in value]


def _value(binding: Binding, rows: Sequences, role: str) -> Any:
    steps, kind = rows.rewards.shape[-1], rows.rewards.dtype
    over = rows.terminated | rows.truncated if binding.merged else rows.terminated
    match role:
        case "rewards":
            return _lay(binding, rows, rows.rewards)
        case "values":
            whole = rows.values.copy()
            whole[:, -1] = rows.onward[:, -1]
            return _lay(binding, rows, whole if binding.values == "T+1" else whole[:, :-1])
        case "next_values":
            return _lay(binding, rows, rows.onward)
        case "last_value" | "critic":
            return _one(binding, rows, rows.onward[:, -1])
        case "gamma" | "lam":
            if np.ndim(rows.given[role]):
                raise Unfit(f"one {role} a call")
            return float(rows.given[role])
        case "n":
            return _count(float(rows.given["n"]), steps)
        case "terminated":
            return _lay(binding, rows, _flag(binding, rows.terminated, kind))
        case "truncated":
            return _lay(binding, rows, _flag(binding, rows.truncated, kind))
        case "done" | "mask":
            if binding.ends == "observation":
                over = np.concatenate([np.zeros_like(over[:, :1]), over], -1)
                over = over if binding.values == "T+1" and not _lasts(binding) else over[:, :-1]
            return _lay(binding, rows, _flag(binding, over if role == "done" else ~over, kind))
        case "first":
            starts = np.pad(over, ((0, 0), (1, 0)))
            return _lay(binding, rows, _flag(binding, starts[:, :-1] if _lasts(binding) else starts, kind))
        case "discounts":
            gamma = _spread(rows.given["gamma"], rows)
            # flags that have a place of their own are not told by the discounts as well: who forgets to
            # mask with them would be right
            own = bool(binding.roles & ENDINGS)
            return _lay(binding, rows, (gamma if own else np.where(over, 0, gamma)).astype(kind))
        case "last_done":
            return _one(binding, rows, _flag(binding, over[:, -1], kind))
        case "last_mask":
            return _one(binding, rows, _flag(binding, ~over[:, -1], kind))
        case "td_errors":
            gamma = _spread(rows.given["gamma"], rows)
            after = np.where(rows.terminated, 0, rows.onward)
            return _lay(binding, rows, (rows.rewards + gamma * after - rows.values[:, :-1]).astype(kind))
        case "valid":
            valid = rows.given.get(VALID)
            return _lay(binding, rows, _flag(binding, np.ones_like(over) if valid is None else valid, kind))
        case "observations":
            return _lay(binding, rows, np.zeros_like(rows.rewards))
        case "advantages_buffer":
            return _lay(binding, rows, np.zeros_like(rows.rewards))
        case "returns_buffer":
            wide = rows.values if binding.values == "T+1" else rows.rewards
            return _lay(binding, rows, np.zeros_like(wide))
        case "length":
            return steps
        case "batch_size":
            return len(rows.rewards)
        case "device":
            return "cpu"
        case "on" | "off":
            return role == "on"
        case "zero":
            return 0
        case "none":
            return None
    given = rows.given.get(role)
    if given is None or isinstance(given, str):
        raise Unfit(f"nothing is known of the role {role}")
    return _lay(binding, rows, _spread(given, rows).astype(kind)) if np.ndim(given) else float(given)


def _count(n: float, steps: int) -> int:
    """Steps of a window: all that there are for endlessly many, and no number that a loop never counts to."""
    return steps if n == float("inf") else int(min(n, max(steps + 1, LARGEST_COUNT)))


def _lasts(binding: Binding) -> bool:
    return bool(binding.roles & {"last_done", "last_mask"})


def _spread(gamma: Any, rows: Sequences) -> Any:
    return np.broadcast_to(gamma, (*rows.batch, rows.rewards.shape[-1])).reshape(rows.rewards.shape)


def _flag(binding: Binding, flags: Any, kind: Any) -> Any:
    return flags if binding.flags == "bool" else flags.astype(kind if binding.flags == "float" else np.int64)


def _lay(binding: Binding, rows: Sequences, array: Any) -> Any:
    """Rows [B, T] in the layout of a binding."""
    if binding.form == "list":
        return (array if binding.layout == "[B, T]" else array[0]).tolist()
    if binding.form == "steps":
        return list(np.ascontiguousarray(array.T))
    match binding.layout:
        case "[T, B]":
            return np.ascontiguousarray(array.T)
        case "[B, T]":
            return array
        case "[T]":
            return array[0]
        case "[T, 1]":
            return array[0][:, None]
        case "[T, B, 1]":
            return np.ascontiguousarray(array.T)[:, :, None]
        case "[B, T, 1]":
            return array[:, :, None]
    return array.reshape(*rows.batch, array.shape[-1])


def _one(binding: Binding, rows: Sequences, array: Any) -> Any:
    """One number a row."""
    if binding.form == "list" and binding.layout == "[B, T]":
        return array.tolist()
    if binding.form == "list" or binding.layout in ONE_ROW:
        return array[0].item() if binding.single == "plain" else array
    if binding.single == "column" or (binding.layout.endswith("1]") and binding.single == "plain"):
        return array[:, None]
    if binding.single == "row":
        return array[None]
    if binding.layout == CANONICAL and not rows.batch:
        return array[0].item()
    return array.reshape(rows.batch) if binding.layout == CANONICAL else array


def restore(binding: Binding, array: Any, given: Mapping[str, Any]) -> Any:
    """An output in the formula's layout; unchanged where its shape says that it is something else."""
    if given.get("rewards") is None:
        found = restore(binding, array, _in_time(given))
        return found[..., 0] if found.ndim and found.shape[-1] == 1 else found
    batch, steps = given["rewards"].shape[:-1], given["rewards"].shape[-1]
    rows = max(1, int(np.prod(batch)))
    if binding.layout == "[B, T]" and binding.form == "list" and array.shape == (rows * steps,):
        return array.reshape(*batch, steps)  # of a list of episodes one list of all answers
    time_first = binding.layout.startswith("[T")
    column = array.ndim > 1 and array.shape[-1] == 1
    if column and (binding.layout.endswith("1]") or (array.ndim == 3 and binding.layout != CANONICAL)):
        array = array[..., 0]
    axis = 0 if time_first else array.ndim - 1
    if array.ndim and array.shape[axis] == steps + 1:
        array = array[:-1] if time_first else array[..., :-1]
    if array.ndim == 1 and rows == 1 and array.shape[0] == steps:
        return array.reshape(*batch, steps)
    if array.ndim == 2 and array.shape == ((steps, rows) if time_first else (rows, steps)):
        return (array.T if time_first else array).reshape(*batch, steps)
    return array


# what is tried


def variations(binding: Binding, backends: tuple[str, ...], lists_first: bool = False) -> Iterator[Binding]:
    """Every way to lay out the arrays of a binding whose roles are known, the likeliest first."""
    roles = binding.roles
    values = ["T+1", "T"] if "values" in roles else ["T"]
    if "values" in roles and roles & {"last_value", "next_values", "critic"}:
        values.reverse()
    flags = ["float", "bool", "int"] if roles & FLAGS or "valid" in roles else ["bool"]
    if roles & FLAGS <= {"terminated", "truncated"}:
        flags.sort()  # under these names they are what the formula itself takes
    singles = ["plain", "column", "row"] if roles & {"last_value", "last_done", "last_mask"} else ["plain"]
    ends = ["step"]
    if roles & {"last_done", "last_mask"}:
        ends = ["observation", "step"]
    elif roles & {"done", "mask"}:
        ends = ["step", "observation"]
    merged = [False, True] if roles & {"terminated", "truncated"} and roles & {"done", "mask"} else [False]
    layouts = sorted(LAYOUTS, key=lambda pair: pair[1] != "list") if lists_first else LAYOUTS
    for backend, (layout, form) in product(backends, layouts):
        if form == "list" and backend != backends[0]:
            continue
        for single, end, length, over, flag in product(singles, ends, values, merged, flags):
            if single == "row" and (form == "list" or layout in ONE_ROW):
                continue
            if end == "observation" and not roles & {"last_done", "last_mask"} and length == "T":
                continue
            changes: dict[str, Any] = {
                "backend": backend,
                "layout": layout,
                "form": form,
                "values": length,
                "flags": flag,
                "ends": end,
                "single": single,
                "merged": over,
            }
            yield replace(binding, **changes)


def conveys(binding: Binding) -> frozenset[str]:
    """The formula's own parameters that a binding has a place for."""
    roles = binding.roles
    own = {"gamma", "lam", "n", "truncated", "next_values", "terminated"}
    found: set[str] = set(roles & own)
    if "values" in roles and "truncated" not in roles:
        # but for truncated steps the next value is the value of the next step
        found.discard("next_values")
    if roles & {"done", "mask", "discounts", "first"}:
        found.add("terminated")
    if roles & {"discounts", "td_errors"}:
        found.add("gamma")
    if roles & {"values", "last_value", "next_values", "td_errors"}:
        found.add("values")
    if "td_errors" in roles:
        found |= {"next_values", "rewards"}
    if roles & {"last_value", "critic"}:
        found.add("bootstrap")
    return frozenset(found | {"rewards"}) | binding.fixed.keys()


def probes(binding: Binding) -> list[Arrays]:
    """Arguments that tell readings apart: unequal axes, flags in the middle and at the end, γ ≠ λ."""
    roles = binding.roles
    flagged = bool(roles & {"done", "mask", "terminated", "discounts", "first"})
    found = []
    for number, (gamma, lam) in enumerate(((0.75, 0.5), (0.5, 0.875), (0.875, 0.25))):
        rewards = numbers(2, 5, 7 + number)
        given: Arrays = {
            "rewards": rewards,
            "values": numbers(2, 6, 31 + 5 * number),
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
        if "truncated" in roles and number != 1:
            cut = np.zeros((2, 5), bool)
            cut[0, 0] = cut[1, 3] = True
            given["truncated"] = cut & ~(given["terminated"] if flagged else False)
        if "next_values" in roles:
            given["next_values"] = given["values"][:, 1:].copy()
            if given["truncated"] is not None:  # the state after a cut is not the one that comes next
                given["next_values"] += 0.5 * given["truncated"]
        found.append(given)
    if binding.layout in ONE_ROW:
        return [{n: v[k] if np.ndim(v) == 2 else v for n, v in p.items()} for p in found for k in (0, 1)]
    if binding.layout == CANONICAL:
        found.append({name: value[0] if np.ndim(value) == 2 else value for name, value in found[0].items()})
    return found


def numbers(rows: int, columns: int, seed: int) -> Any:
    """Sixteenths without a pattern."""
    return (
        np.array([(seed * 29 + k * k * 23 + 47 * k) % 101 - 50 for k in range(rows * columns)]).reshape(
            rows, columns
        )
        / 16
    )
