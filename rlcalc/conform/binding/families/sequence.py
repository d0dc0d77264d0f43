"""Sequence formulas: rewards, values and flags in the layouts that people keep them in.

Everything starts from the formula's own arrays, ``[..., T]``, and is made
into what a binding says: transposed, with another axis, as lists, with T or
T + 1 values, flags of the step or of the observation that follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.families.base import PLAIN, Arrays, Unfit, flagged
from rlcalc.conform.binding.model import CANONICAL, Binding
from rlcalc.conform.target.objects import GIVEN

ONE_ROW = ("[T]", "[T, 1]")
# one transition a call
ONE = "[]"
ENDINGS = frozenset({"done", "terminated", "mask", "first", "ends"})
# the value of the state that the first n rewards lead to, for the return of the first step alone
WINDOW_VALUE = "value_after_n"
# a mask of tokens that is not all on; no parameter of a formula, which looks at valid tokens only
VALID = "valid tokens"
LARGEST_COUNT = 1000
# the step that a call asks about, where a function answers for one; no parameter of a formula either
AT_STEP = "step of the answer"
MOST_ASKED = 64
# formulas without an answer that is one number a sequence
ONE_A_STEP = frozenset({"td_error"})
# action values of a state around the one that counts: what was taken, or what is best
BESIDE, BELOW = (0.0, 1.5, -0.75), (0.0, -0.5, -1.25)
# what keeps from dividing by 0, where a function insists on such a number
SMALL = 1e-8
# of every action: the weight in a loss does not depend on it
LOG_PROB = -0.75


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
    if binding.layout == ONE and (rows.rewards.size != 1 or rows.batch):
        raise Unfit("one transition a call")
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
            # a flag of all ends says nothing of what is worth nothing: the caller has masked it
            masked = "ends" in binding.roles and "terminated" not in binding.roles
            return _lay(binding, rows, np.where(rows.terminated & masked, 0, rows.onward).astype(kind))
        case "q_rows":
            return _of_actions(binding, rows, rows.values[:, :-1], BESIDE)
        case "next_q_rows":
            return _of_actions(binding, rows, rows.onward, BELOW)
        case "actions_taken":
            return _lay(binding, rows, _places(rows.rewards))
        case "last_value" | "critic":
            return _one(binding, rows, rows.onward[:, -1])
        case "value_after_n":
            last = _count(float(rows.given["n"]), steps)
            return _one(binding, rows, rows.onward[:, min(last, steps) - 1])
        case "gamma" | "lam":
            if np.ndim(rows.given[role]):
                raise Unfit(f"one {role} a call")
            return float(rows.given[role])
        case "n":
            return _count(float(rows.given["n"]), steps)
        case "terminated":
            return _lay(binding, rows, flagged(binding, rows.terminated, kind))
        case "truncated":
            return _lay(binding, rows, flagged(binding, rows.truncated, kind))
        case "ends":
            return _lay(binding, rows, flagged(binding, rows.terminated | rows.truncated, kind))
        case "done" | "mask":
            if binding.ends == "observation":
                over = np.concatenate([np.zeros_like(over[:, :1]), over], -1)
                over = over if binding.values == "T+1" and not lasts(binding) else over[:, :-1]
            return _lay(binding, rows, flagged(binding, over if role == "done" else ~over, kind))
        case "uncut":
            cut = rows.truncated
            if binding.values == "T+1" and binding.ends == "observation":
                cut = np.concatenate([np.zeros_like(cut[:, :1]), cut], -1)
            return _lay(binding, rows, flagged(binding, ~cut, kind))
        case "first":
            starts = np.pad(over, ((0, 0), (1, 0)))
            return _lay(binding, rows, flagged(binding, starts[:, :-1] if lasts(binding) else starts, kind))
        case "discounts":
            gamma = _spread(rows.given["gamma"], rows)
            # flags that have a place of their own are not told by the discounts as well: who forgets to
            # mask with them would be right
            own = bool(binding.roles & ENDINGS)
            return _lay(binding, rows, (gamma if own else np.where(over, 0, gamma)).astype(kind))
        case "last_done" | "last_mask":
            last = over[:, -1] & (not _said_twice(binding))
            return _one(binding, rows, flagged(binding, last if role == "last_done" else ~last, kind))
        case "td_errors":
            gamma = _spread(rows.given["gamma"], rows)
            after = np.where(rows.terminated, 0, rows.onward)
            return _lay(binding, rows, (rows.rewards + gamma * after - rows.values[:, :-1]).astype(kind))
        case "valid":
            valid = rows.given.get(VALID)
            return _lay(binding, rows, flagged(binding, np.ones_like(over) if valid is None else valid, kind))
        case "observations":
            return _seen(binding, rows, rows.values if binding.values == "T+1" else rows.values[:, :-1])
        case "next_observations":
            return _seen(binding, rows, rows.onward)
        case "network":
            return GIVEN
        case "log_probs":
            if binding.backend != "torch" or binding.form == "steps":
                raise Unfit("weights of log-probabilities are derivatives, which tensors have")
            return _lay(binding, rows, np.full_like(rows.rewards, LOG_PROB))
        case "parameters":
            return []
        case "advantages_buffer":
            return _lay(binding, rows, np.zeros_like(rows.rewards))
        case "returns_buffer":
            wide = rows.values if binding.values == "T+1" else rows.rewards
            return _lay(binding, rows, np.zeros_like(wide))
        case "at":
            if steps > MOST_ASKED:
                raise Unfit(f"at most {MOST_ASKED} steps, one a call")
            return rows.given.get(AT_STEP, 0)
        case "length":
            return steps
        case "batch_size":
            return len(rows.rewards)
        case "zero" | "small":
            return SMALL if role == "small" else 0
    if role in PLAIN:
        return PLAIN[role]
    given = rows.given.get(role)
    if given is None or isinstance(given, str):
        raise Unfit(f"nothing is known of the role {role}")
    return _lay(binding, rows, _spread(given, rows).astype(kind)) if np.ndim(given) else float(given)


def _count(n: float, steps: int) -> int:
    """Steps of a window: all that there are for endlessly many, and no number that a loop never counts to."""
    return steps if n == float("inf") else int(min(n, max(steps + 1, LARGEST_COUNT)))


def _places(like: Any) -> Any:
    """An action a step, so that each of them comes."""
    return (np.arange(like.size).reshape(like.shape) * 2 + 1) % len(BESIDE)


def _of_actions(binding: Binding, rows: Sequences, values: Any, others: tuple[float, ...]) -> Any:
    """Action values a step, of which the one at ``_places`` is the value and others are beside it."""
    if binding.form != "array" or not (binding.layout in ONE_ROW or binding.layout == CANONICAL):
        raise Unfit("action values of steps one below the other alone")
    turns = (np.arange(len(others)) - _places(values)[..., None]) % len(others)
    table = (values[..., None] + np.asarray(others)[turns]).astype(values.dtype)
    return table[0] if binding.layout in ONE_ROW else table.reshape(*rows.batch, *table.shape[1:])


def lasts(binding: Binding) -> bool:
    return bool(binding.roles & {"last_done", "last_mask"})


def _said_twice(binding: Binding) -> bool:
    """Whether the flags of the steps say how the last one ended: who asks for it elsewhere is late."""
    return binding.ends == "step" and bool(binding.roles & {"done", "mask"})


def _spread(gamma: Any, rows: Sequences) -> Any:
    return np.broadcast_to(gamma, (*rows.batch, rows.rewards.shape[-1])).reshape(rows.rewards.shape)


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
        case "[]":
            if array.size != 1:
                raise Unfit("one value a call")
            return array.item()
        case "[T, B, 1]":
            return np.ascontiguousarray(array.T)[:, :, None]
        case "[B, T, 1]":
            return array[:, :, None]
    return array.reshape(*rows.batch, array.shape[-1])


def _seen(binding: Binding, rows: Sequences, values: Any) -> Any:
    """Observations, each of which is the value of its state where a network makes values of them."""
    if "network" not in binding.roles:
        return _lay(binding, rows, np.zeros_like(rows.rewards))
    found = _lay(binding, rows, values)
    if binding.single != "column":
        return found
    if isinstance(found, list):
        raise Unfit("observations with an axis of their own in an array alone")
    return np.asarray(found)[..., None]


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
    if binding.layout == "[B, T]" and rows > 1 and array.shape == (rows * steps,):
        return array.reshape(*batch, steps)  # of all episodes one list of answers
    time_first = binding.layout.startswith("[T")
    column = array.ndim > 1 and array.shape[-1] == 1
    if column and (binding.layout.endswith("1]") or (array.ndim == 3 and binding.layout != CANONICAL)):
        array = array[..., 0]
    axis = 0 if time_first else array.ndim - 1
    if array.ndim and array.shape[axis] == steps + 1:
        array = array[:-1] if time_first else array[..., :-1]
    if array.ndim == 1 and rows == 1 and array.shape[0] == steps:
        return array.reshape(*batch, steps)
    if binding.formula in ONE_A_STEP and min(rows, steps) == 1 and array.size == rows * steps:
        return array.reshape(*batch, steps)  # who squeezes takes axes of one entry away
    if array.shape == (1,) and rows == 1 and binding.layout not in ONE_ROW:
        return array.reshape(batch)  # one number for each sequence, of one sequence
    if array.ndim == 2 and array.shape == ((steps, rows) if time_first else (rows, steps)):
        return (array.T if time_first else array).reshape(*batch, steps)
    return array
