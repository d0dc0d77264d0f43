"""Faults of one update of a value."""

from __future__ import annotations

from rlcalc.conform.fault import argument_fault, output_fault
from rlcalc.conform.forms import Arrays, Outputs


@argument_fault("away-from-target", "sign")
def away_from_target(arrays: Arrays) -> Arrays:
    """Gives V − α·(target − V): every update moves away from the target.

    Shown when: A target other than the old value.
    Cause: The step of gradient descent is taken with the error target − V, whose sign has already been
        turned.
    Fix: V + α·(target − V).
    Diff:
        - value -= alpha * (target - value)
        + value += alpha * (target - value)
    """
    return {"alpha": -arrays["alpha"]}


@argument_fault("step-size-of-the-old-value", "swapped")
def step_size_of_the_old_value(arrays: Arrays) -> Arrays:
    """Gives α·V + (1−α)·target.

    Shown when: A target other than the old value, and α other than 1/2.
    Cause: α is read as what is kept, as in a running average with a decay.
    Fix: (1−α)·V + α·target: a small α moves little.
    Diff:
        - value = alpha * value + (1 - alpha) * target
        + value = (1 - alpha) * value + alpha * target
    """
    return {"alpha": 1 - arrays["alpha"]}


@output_fault("old-value-not-subtracted", "weighting")
def old_value_not_subtracted(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives V + α·target.

    Shown when: An old value other than 0.
    Cause: V += α·target was written for an average that starts at 0.
    Fix: V += α·(target − V).
    Diff:
        - value += alpha * target
        + value += alpha * (target - value)
    """
    return {**found, "value": found["value"] + arrays["alpha"] * arrays["value"]}
