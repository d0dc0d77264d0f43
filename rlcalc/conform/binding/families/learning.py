"""Updates of networks: the batch that they learn from, and what networks say of its states, one by one.

A function that asks networks about states and about what comes next gets
observations that are numbered, and networks that answer by these numbers.
What it learns is where its loss is least (``target.networks``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.families.base import Arrays, Unfit, unlike
from rlcalc.conform.binding.families.sequence import ONE
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.binding.words.names import TRANSITIONS
from rlcalc.conform.target.networks import ANYTHING, NEXT, NOW, numbered
from rlcalc.conform.target.source import RECEIVERS

# what networks say of next states, and of the states before them
OF_NEXT = frozenset(
    "next_q next_critic next_q_online next_q_target next_q1 next_q2 next_log_probs q_values".split()  # noqa: SIM905
)
PREDICTED = "prediction"
_KEPT_AS_ROWS = ("observations", "next_observations", "taken", "taken_column")
# what has the shape of a prediction, and a number that nobody should ask for
PREDICTED_AS = ("next_q", "next_q_target", "q1_values", "next_q1", "q_values", "rewards")
UNASKED = 77.0
# from here on a loss that is no square far away has no digit left to be least at
LARGEST = 2.0**16


def learns(binding: Binding) -> bool:
    """Whether networks are asked about states and next states, which they must tell apart."""
    return {"observations", "next_observations"} <= binding.roles


def ends_with_none(binding: Binding) -> bool:
    """Whether nothing but a missing next state says that a step was the last one, in records of steps."""
    ends = {"done", "mask", "discounts", "terminated"}
    records = [path for path in binding.places_of("next_observations") if "[]" in path]
    return bool(records) and not binding.roles & ends


def networks_of(binding: Binding) -> list[str]:
    """Places of networks that tell observations apart."""
    if binding.formula not in TRANSITIONS or not learns(binding):
        return []
    return [path for path in binding.places_of(*OF_NEXT, PREDICTED) if "()" in path]


def with_networks(binding: Binding, found: Arrays, given: Mapping[str, Any]) -> Arrays:
    """Values by place, of which those of networks are two: of a batch before its steps, and after them."""
    rewards, over = given["rewards"], given.get("terminated")
    for path, role in binding.meant.items():
        rows = "[]" in path and binding.layout == "[N, 1]" and role in _KEPT_AS_ROWS
        found[path] = found[path][:, None] if rows else found[path]  # what is kept is a batch of one each
        if role == "next_observations" and ends_with_none(binding) and over is not None:
            if over.all() or over.ndim > 1 or binding.layout == ONE:
                raise Unfit("of a batch that ends everywhere there is no next state")
            found[path] = [None if end else row for end, row in zip(over.ravel(), found[path], strict=True)]
    for number, path in enumerate(networks_of(binding)):
        later = np.asarray(found[path])
        if max(np.abs(later).max(), np.abs(rewards).max()) > LARGEST:
            raise Unfit("numbers too large to be learnt")
        if binding.layout == ONE:
            later = later[None]
        if binding.single == "column" and later.ndim == 1:
            later = later[:, None]
        predicted = unlike(later.shape, number + 5) + 1 / 64  # which no target is
        found[path] = {NOW: predicted.astype(rewards.dtype), NEXT: later}
    # the method's own object has whatever it is asked for
    return {path: ANYTHING if v is None else v for path, v in found.items() if not _of_itself(path, v)}


def observed(binding: Binding, rewards: Any, after: bool) -> Any:
    """Observations of a batch, before its steps or after them."""
    rows = numbered(rewards.size, after).astype(rewards.dtype)
    if binding.layout == ONE:
        return rows[0]
    return rows.reshape((*rewards.shape, 2)) if binding.layout == "[..., T]" else rows


def taken(binding: Binding, rewards: Any, like: Any, column: bool) -> Any:
    """The actions of a batch: numbers where values come in rows, vectors where they do not."""
    if like.ndim == rewards.ndim:
        return np.zeros((rewards.size, 1), rewards.dtype)
    actions = (np.arange(rewards.size) * 7 + 3) % like.shape[-1]
    if binding.layout == ONE:
        return int(actions[0])
    return actions[:, None] if column or binding.layout == "[N, 1]" else actions


def of_one(binding: Binding, given: Mapping[str, Any]) -> bool:
    """Whether a batch has one transition, which no update has: squeeze() takes its axis away."""
    return learns(binding) and binding.layout != ONE and bool(given["rewards"].size == 1)


def twice(given: Mapping[str, Any]) -> Arrays:
    """The same transition two times."""
    shape = given["rewards"].shape
    return {
        name: np.repeat(value, 2, len(shape) - 1) if np.shape(value)[: len(shape)] == shape else value
        for name, value in given.items()
    }


def _of_itself(path: str, value: Any) -> bool:
    """Whether it is a part of the method's own object of which nothing is known."""
    return value is None and path.partition(".")[0] in RECEIVERS and "[" not in path
