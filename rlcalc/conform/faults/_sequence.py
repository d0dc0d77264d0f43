"""What the faults of the sequence formulas share: reading the arguments, and what several of them do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.forms import Outputs

# below this a weight (γλ)^k is left out by an implementation with a convolution
THRESHOLD = 1e-7
FLAGS = ("terminated", "truncated")
# what a last step that does not end its episode may add
VALUED = ("values", "bootstrap", "next_values")


def flags(arrays: Mapping[str, Any], name: str) -> Any:
    """``terminated`` or ``truncated``, all off where it is absent."""
    given = arrays.get(name)
    return np.zeros(arrays["rewards"].shape, bool) if given is None else given


def next_values(arrays: Mapping[str, Any]) -> Any:
    """Value of the successor of every step."""
    given = arrays.get("next_values")
    if given is not None:
        return given
    values = arrays.get("values")
    return np.zeros_like(arrays["rewards"]) if values is None else values[..., 1:]


def own_values(arrays: Mapping[str, Any]) -> Any:
    """V(S_t) of every step."""
    values = arrays.get("values")
    return np.zeros_like(arrays["rewards"]) if values is None else values[..., :-1]


def bootstraps(arrays: Mapping[str, Any]) -> Any:
    """Value of the successor of every step, 0 after a terminated one."""
    after = next_values(arrays)
    if arrays.get("bootstrap") is not None:
        after = np.where(last_step(arrays), np.asarray(arrays["bootstrap"])[..., None], after)
    return np.where(
        flags(arrays, "terminated"), arrays["rewards"].dtype.type(0), after.astype(arrays["rewards"].dtype)
    )


def last_step(arrays: Mapping[str, Any]) -> Any:
    """True at the last step of the sequence."""
    steps = arrays["rewards"].shape[-1]
    return np.arange(steps) == steps - 1


def cut(arrays: Mapping[str, Any]) -> Any:
    """True where an episode ends for any reason but the end of the data."""
    return flags(arrays, "terminated") | flags(arrays, "truncated")


def discounts(arrays: Mapping[str, Any]) -> Any:
    """One discount per step."""
    return np.broadcast_to(arrays["gamma"], arrays["rewards"].shape)


def late(series: Any) -> Any:
    """Entry t − 1 where t is looked for; 0 in front."""
    moved = np.zeros_like(series)
    moved[..., 1:] = series[..., :-1]
    return moved


def early(series: Any) -> Any:
    """Entry t + 1 where t is looked for; 0 at the end."""
    moved = np.zeros_like(series)
    moved[..., :-1] = series[..., 1:]
    return moved


def early_but_the_last(series: Any) -> Any:
    """Entry t + 1 where t is looked for; the last entry is its own."""
    moved = early(series)
    moved[..., -1] = series[..., -1]
    return moved


def late_but_the_last(series: Any) -> Any:
    """Entry t − 1 where t is looked for; the last entry is its own."""
    moved = late(series)
    moved[..., -1] = series[..., -1]
    return moved


def cut_off(arrays: Mapping[str, Any]) -> Any:
    """True at a truncated step, unless it is a terminated one."""
    return flags(arrays, "truncated") & ~flags(arrays, "terminated")


def narrow_discount(gamma: Any) -> Any:
    """A discount rounded to float32; one per step is an array with the dtype of the data, and stays so."""
    return gamma if np.ndim(gamma) else narrow(gamma)


def narrow(numbers: Any) -> Any:
    """Rounded to float32, in the dtype that they had."""
    return np.asarray(numbers, np.float32).astype(numbers.dtype)


def convolved(base: Any, decay: Any, onward: Any) -> Any:
    """Σ_k decay^k·base_{t+k} inside an episode, without the powers below the threshold.

    Raises:
        IndexError: where not even the power 0 is left.
    """
    kept = int(math.log(THRESHOLD) / math.log(decay)) if decay > 0 else 0
    if not kept:
        raise IndexError("index 0 is out of bounds for dimension 0 with size 0")
    total = term = base
    for _ in range(1, min(kept, base.shape[-1])):
        term = decay * onward * early(term)
        total = total + term
    return total


def fades(decay: Any) -> bool:
    """Whether a decay is one number below 1, so that its powers make a kernel that may be cut off."""
    return not np.ndim(decay) and bool(decay < 1)


def mapped(found: Mapping[str, Any], name: str, change: Callable[[Any], Any]) -> Outputs:
    """Outputs with one of them changed."""
    return {**found, name: change(found[name])}


def with_returns(found: Mapping[str, Any], arrays: Mapping[str, Any], returns: Any) -> Outputs:
    """Outputs with other returns, and with the update that follows from them."""
    alpha = arrays.get("alpha")
    changed = {**found, "returns": returns}
    if alpha is not None:
        old = arrays["values"][..., 0]
        changed["updated"] = old + alpha * (returns[..., 0] - old)
    return changed
