"""What the faults of the sequence formulas share: reading the arguments, and what several of them do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.catalogue import Arrays, Form, Outputs, argument_fault, fault

# below this a weight (γλ)^k is left out by an implementation with a convolution
THRESHOLD = 1e-7


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


def bootstraps(arrays: Mapping[str, Any]) -> Any:
    """Value of the successor of every step, 0 after a terminated one."""
    return np.where(flags(arrays, "terminated"), arrays["rewards"].dtype.type(0), next_values(arrays))


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


# what several formulas have in the same way


def recursion_crosses_ends(arrays: Arrays) -> Arrays:
    """Flags take the bootstrap away and do nothing else."""
    return {"next_values": bootstraps(arrays), "terminated": None, "truncated": None}


def bootstrap_after_terminal(arrays: Arrays) -> Arrays:
    """A terminated step is handled as a truncated one."""
    return {} if arrays.get("terminated") is None else {"terminated": None, "truncated": cut(arrays)}


def raises_at_zero(decay: Any) -> Arrays:
    """A kernel of the powers of a factor is empty, or its logarithm is taken."""
    if not np.ndim(decay) and decay == 0:
        raise IndexError("tuple index out of range")
    return {}


@argument_fault("next-value-of-reset-state", "termination")
def next_value_of_reset_state(arrays: Arrays) -> Arrays:
    """Reads V' from values[t + 1] at every step, although next values are given.

    Shown when: Next values that differ from values, as those of truncated steps do.
    Cause: The environment resets by itself, and the final observation is not kept.
    Fix: Bootstrap from the value of the true successor.
    """
    return {"next_values": None}


@argument_fault("discounts-in-float32", "precision", reported_in=["pytorch/rl"], rounds="inputs")
def discounts_in_float32(arrays: Arrays) -> Arrays:
    """Rounds γ to float32 before it meets float64 data: seven digits, in an answer that is float64.

    Shown when: One γ for all steps, such as 9/10, in float64.
    Cause: A Python float times an integer or boolean tensor is a tensor of Torch's default dtype:
        gamma * (~done).int().
    Fix: Give the mask the dtype of the data, (~done).to(rewards.dtype), or multiply the data by γ first.
    """
    return {"gamma": narrow_discount(arrays["gamma"])}


@fault("computes-in-float32", "precision", stage="inputs", rounds="sums")
def computes_in_float32(form: Form, /, **arrays: Any) -> Outputs:
    """Computes in float32 whatever it is given: float64 inputs are answered with seven digits.

    Shown when: float64 inputs that float32 does not hold, such as 9/10, or 2^24 + 1.
    Cause: A buffer or a cast with a fixed dtype, torch.tensor(list) with the default one, or JAX without
        jax_enable_x64.
    Fix: Take dtype and device from the inputs: zeros_like(rewards), torch.as_tensor(x, dtype=rewards.dtype).
    """
    (kind,) = {value.dtype for value in arrays.values() if _floating(value)}
    single = {name: value.astype(np.float32) if _floating(value) else value for name, value in arrays.items()}
    return {name: value.astype(kind) for name, value in form(**single).items() if value is not None}


def _floating(value: Any) -> bool:
    return getattr(getattr(value, "dtype", None), "kind", "") == "f"
