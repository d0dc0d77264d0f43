"""Faults of upper confidence bounds."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault


def _scores(arrays: Arrays, width: Any) -> Outputs:
    """Scores of means and widths; the first largest is chosen, an arm without a pull before all others."""
    pulled = arrays["counts"] > 0
    with np.errstate(all="ignore"):
        found = arrays["q"] + arrays["c"] * width
    found = np.where(pulled, found, np.inf).astype(arrays["q"].dtype)
    return {"scores": found, "action": found.argmax(-1).astype(arrays["q"].dtype)}


def _log(arrays: Arrays, later: int = 0) -> Any:
    time = arrays["counts"].sum(-1)[..., None] if arrays["t"] is None else arrays["t"]
    return np.log(np.maximum(time + later, 1))


def _pulls(arrays: Arrays) -> Any:
    return np.maximum(arrays["counts"], 1)


@fault("logarithm")
def logarithm_missing(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the root of t/N: exploration never ends.

    Shown when: Two pulls or more.
    Cause: The formula is written from memory.
    Fix: sqrt(log t / N).
    - bonus = c * np.sqrt(t / counts)
    + bonus = c * np.sqrt(np.log(t) / counts)
    """
    time = arrays["counts"].sum(-1)[..., None] if arrays["t"] is None else arrays["t"]
    return _scores(arrays, np.sqrt(time / _pulls(arrays)))


@fault("clipping")
def root_missing(form: Form, /, **arrays: Any) -> Outputs:
    """Adds c·log t / N without the root.

    Shown when: Any pulled arm whose width is neither 0 nor 1.
    Cause: A call of sqrt is lost.
    Fix: sqrt(log t / N).
    - bonus = c * np.log(t) / counts
    + bonus = c * np.sqrt(np.log(t) / counts)
    """
    return _scores(arrays, _log(arrays) / _pulls(arrays))


@fault("clipping")
def root_of_the_logarithm_only(form: Form, /, **arrays: Any) -> Outputs:
    """Divides sqrt(log t) by N, not by its root.

    Shown when: An arm with two pulls or more.
    Cause: A bracket that closes too early.
    Fix: sqrt(log t / N).
    - bonus = c * np.sqrt(np.log(t)) / counts
    + bonus = c * np.sqrt(np.log(t) / counts)
    """
    return _scores(arrays, np.sqrt(_log(arrays)) / _pulls(arrays))


@fault("logarithm")
def logarithm_to_the_base_10(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the logarithm to the base 10.

    Shown when: Two pulls or more.
    Cause: log means another thing in a calculator or a spreadsheet.
    Fix: The natural logarithm.
    - bonus = c * np.sqrt(np.log10(t) / counts)
    + bonus = c * np.sqrt(np.log(t) / counts)
    """
    return _scores(arrays, np.sqrt(_log(arrays) / np.log(10) / _pulls(arrays)))


@fault("counting")
def one_pull_added(form: Form, /, **arrays: Any) -> Outputs:
    """Divides by N + 1, so that an arm that was never pulled is no longer first.

    Shown when: Any arm.
    Cause: A small number is added against a division by 0.
    Fix: Choose arms without a pull first; divide by N.
    - bonus = c * np.sqrt(np.log(t) / (counts + 1))
    + bonus = np.where(counts > 0, c * np.sqrt(np.log(t) / counts), np.inf)
    """
    found = arrays["q"] + arrays["c"] * np.sqrt(_log(arrays) / (arrays["counts"] + 1))
    found = found.astype(arrays["q"].dtype)
    return {"scores": found, "action": found.argmax(-1).astype(found.dtype)}


@fault("counting")
def last_pull_not_counted(form: Form, /, **arrays: Any) -> Outputs:
    """Takes log(t − 1): the last pull is in the counts, but not in t.

    Shown when: Two pulls or more, and c above 0.
    Cause: t is counted from 0.
    Fix: t is the number of all pulls so far, the sum of the counts, or one more with the pull to come.
    - for t in range(1, steps):
    + for t in range(1, steps + 1):
          bonus = c * np.sqrt(np.log(t) / counts)
    """
    return _scores(arrays, np.sqrt(_log(arrays, -1) / _pulls(arrays)))


@argument_fault("sign")
def width_subtracted(arrays: Arrays) -> Arrays:
    """Subtracts the width: the lower confidence bound.

    Shown when: A width above 0.
    Cause: The sign is carried over from the minimisation of costs.
    Fix: Add it.
    - score = q - c * np.sqrt(np.log(t) / counts)
    + score = q + c * np.sqrt(np.log(t) / counts)
    """
    return {"c": -arrays["c"]}


@argument_fault("ignored")
def c_missing(arrays: Arrays) -> Arrays:
    """Adds the width once, whatever c is.

    Shown when: c other than 1.
    Cause: The constant of a lecture, 1 or √2, is written into the formula.
    Fix: Multiply by c.
    - score = q + np.sqrt(np.log(t) / counts)
    + score = q + c * np.sqrt(np.log(t) / counts)
    """
    return {"c": arrays["c"] * 0 + 1}


@fault("logarithm")
def logarithm_to_the_base_2(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the logarithm to the base 2.

    Shown when: Two pulls or more.
    Cause: log2 of information theory.
    Fix: The natural logarithm.
    - bonus = c * np.sqrt(np.log2(t) / counts)
    + bonus = c * np.sqrt(np.log(t) / counts)
    """
    return _scores(arrays, np.sqrt(_log(arrays) / np.log(2) / _pulls(arrays)))


@fault("swapped")
def counts_and_time_swapped(form: Form, /, **arrays: Any) -> Outputs:
    """Takes log N / t: the more an arm was pulled, the more it is explored.

    Shown when: An arm whose pulls are not all there are.
    Cause: The two numbers under the root changed places.
    Fix: sqrt(log t / N).
    - bonus = c * np.sqrt(np.log(counts) / t)
    + bonus = c * np.sqrt(np.log(t) / counts)
    """
    time = arrays["counts"].sum(-1)[..., None] if arrays["t"] is None else arrays["t"]
    return _scores(arrays, np.sqrt(np.log(_pulls(arrays)) / np.maximum(time, 1)))
