"""Faults of Monte Carlo updates."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, output_fault


def _counts(arrays: dict[str, Any]) -> Any:
    """1, 2, 3, … for the returns."""
    return np.arange(1, arrays["returns"].shape[-1] + 1).astype(arrays["returns"].dtype)


def _with_values(values: Any) -> Outputs:
    return {"value": values[..., -1], "values": values}


@output_fault("counting")
def start_counted_as_a_return(found: Outputs, arrays: Arrays) -> Outputs:
    """With step size 1/k, divides by k + 1: the starting value counts as one return more.

    Shown when: Step size 1/k, and a starting value that differs from the mean of the returns.
    Cause: The counter begins at 1 and is raised before the division.
    Fix: Raise the counter from 0 to 1 with the first return, which then replaces the starting value.
    - count = 1
    + count = 0
      for g in returns:
          count += 1
          value += (g - value) / count
    """
    if not isinstance(arrays["alpha"], str):
        return found
    counts, start = _counts(arrays), arrays["value"][..., None]
    return _with_values((found["values"] * counts + start) / (counts + 1))


@argument_fault("ignored")
def start_forgotten(arrays: Arrays) -> Arrays:
    """With a constant step size, begins from 0 whatever the starting value is.

    Shown when: A constant step size below 1 and a starting value other than 0.
    Cause: The table of values is created again for each call.
    Fix: Begin from the value that was passed; its share after K returns is (1−α)^K.
    - value = 0.0
    + value = start
      for g in returns:
          value += alpha * (g - value)
    """
    return {"value": arrays["value"] * 0}


@fault("indexing")
def errors_against_the_start(form: Form, **arrays: Any) -> Outputs:
    """Adds α_k·(G_k − V_0) for every return: all errors are taken against the starting value.

    Shown when: Two returns or more, the second other than the starting value or the first.
    Cause: The old value is read once, before the loop, or the updates are computed in one array operation.
    Fix: Take each error against the value left by the update before it, or use the closed form with
        (1−α)^(K−k).
    - value += alpha * (g - start)
    + value += alpha * (g - value)
    """
    alpha, start = arrays["alpha"], arrays["value"][..., None]
    step_size = 1 / _counts(arrays) if isinstance(alpha, str) else alpha
    moved = np.cumsum(step_size * (arrays["returns"] - start), axis=-1)
    return _with_values((start + moved).astype(arrays["returns"].dtype))


@output_fault("indexing")
def last_return_left_out(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the values as they stood before each return: the last return is never used.

    Shown when: A last return that differs from the value before it.
    Cause: The value is recorded at the top of the loop, ahead of the update.
    Fix: Record the value after the update.
    - values.append(value)
      value += alpha * (g - value)
    + values.append(value)
    """
    values = found["values"]
    first = np.broadcast_to(arrays["value"][..., None], (*values.shape[:-1], 1))
    return _with_values(np.concatenate([first, values[..., :-1]], axis=-1).astype(values.dtype))


@argument_fault("indexing")
def oldest_weighs_most(arrays: Arrays) -> Arrays:
    """Gives the first return the largest weight, as if it had come last.

    Shown when: A constant step size below 1 and returns that differ.
    Cause: The weights α·(1−α)^k of the closed form are counted from the oldest return on.
    Fix: The last return weighs α, the one before it α·(1−α), and so on back.
    - weights = alpha * (1 - alpha) ** np.arange(K)
    + weights = alpha * (1 - alpha) ** np.arange(K - 1, -1, -1)
    """
    return {} if isinstance(arrays["alpha"], str) else {"returns": arrays["returns"][..., ::-1]}
