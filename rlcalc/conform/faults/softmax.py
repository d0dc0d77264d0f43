"""Faults of the softmax policy."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, given, sets


@fault("precision")
def largest_not_subtracted(form: Form, **arrays: Any) -> Outputs:
    """Divides exp(θ_a) by the sum of exp(θ_b) as they stand: nan where an exponential overflows, or where all
    of them are 0.

    Shown when: A preference above about 709 (88 in float32), or all of them below −745 (−103).
    Cause: The definition was written down as it is.
    Fix: Subtract the largest θ from all of them first; the quotient stays the same.
    - powers = np.exp(theta)
    + powers = np.exp(theta - theta.max())
      policy = powers / powers.sum()
    """
    powers = np.exp(arrays["theta"] / given(arrays, "temperature", 1.0))
    return {"policy": powers / powers.sum(axis=-1, keepdims=True)}


@fault("normalisation")
def largest_subtracted_above_only(form: Form, **arrays: Any) -> Outputs:
    """Subtracts the largest θ in the numerator and not in the sum, so that the probabilities do not sum to 1.

    Shown when: A largest preference other than 0.
    Cause: The shift was added after an overflow, in the line that had raised it.
    Fix: Use the same shifted exponentials above and below.
    - policy = np.exp(theta - theta.max()) / np.exp(theta).sum()
    + powers = np.exp(theta - theta.max())
    + policy = powers / powers.sum()
    """
    theta = arrays["theta"]
    powers = np.exp(theta - theta.max(axis=-1, keepdims=True))
    return {"policy": powers / np.exp(theta).sum(axis=-1, keepdims=True)}


@argument_fault("sign")
def sign_of_preferences(arrays: Arrays) -> Arrays:
    """Gives the softmax of −θ: the least preferred action is the most probable.

    Shown when: Two preferences that differ.
    Cause: Preferences are passed as costs, or as energies of a Boltzmann distribution.
    Fix: exp(+θ_a): a larger preference means a larger probability.
    - powers = np.exp(-theta)
    + powers = np.exp(theta)
      policy = powers / powers.sum()
    """
    return {"theta": -arrays["theta"]}


@sets("ignored", temperature=None)
def temperature_forgotten() -> None:
    """Gives the policy at temperature 1, whatever the temperature is.

    Shown when: A temperature other than 1, and preferences that differ.
    Cause: The softmax of a library is called on the preferences as they are.
    Fix: Divide the preferences by the temperature first.
    - policy = softmax(theta)
    + policy = softmax(theta / temperature)
    """


@argument_fault("swapped")
def temperature_multiplied(arrays: Arrays) -> Arrays:
    """Multiplies the preferences by the temperature: a high one makes the policy greedier.

    Shown when: A temperature other than 1, and preferences that differ.
    Cause: The temperature is taken for its reciprocal β, the inverse temperature.
    Fix: Divide by the temperature.
    - policy = softmax(theta * temperature)
    + policy = softmax(theta / temperature)
    """
    given = arrays["temperature"]
    return {"temperature": None if given is None else 1 / given}
