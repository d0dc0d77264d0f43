"""Faults of a REINFORCE step."""

from __future__ import annotations

from rlcalc._lazy import np
from rlcalc.backends import NUMPY
from rlcalc.conform.fault import Arrays, Outputs, argument_fault, output_fault


@argument_fault("sign")
def descent(arrays: Arrays) -> Arrays:
    """Subtracts α·(G − b)·score: a good return makes the action less probable.

    Shown when: Two actions that both have a chance, and a return other than the baseline.
    Cause: An optimiser that minimises was given the objective.
    Fix: Add the step, or pass the negative of the objective to the optimiser.
    - theta = theta - alpha * (g - baseline) * score
    + theta = theta + alpha * (g - baseline) * score
    """
    return {"alpha": -arrays["alpha"]}


@argument_fault("sign")
def baseline_added(arrays: Arrays) -> Arrays:
    """Weights the score with G + b.

    Shown when: A baseline other than 0.
    Cause: The baseline was kept as a negative number, or a sign was lost when the loss was negated.
    Fix: Weight with G − b: a return as good as the baseline moves nothing.
    - theta = theta + alpha * (g + baseline) * score
    + theta = theta + alpha * (g - baseline) * score
    """
    return {"baseline": -arrays["baseline"]}


@argument_fault("ignored")
def baseline_left_out(arrays: Arrays) -> Arrays:
    """Weights the score with G, whatever the baseline is.

    Shown when: A baseline other than 0.
    Cause: The advantage is computed and logged, and the return is used in the update.
    Fix: Weight with G − b.
    - theta = theta + alpha * g * score
    + theta = theta + alpha * (g - baseline) * score
    """
    return {"baseline": arrays["baseline"] * 0}


@argument_fault("ignored")
def return_left_out(arrays: Arrays) -> Arrays:
    """Adds α·score: every action taken becomes more probable, whatever its return.

    Shown when: A return above the baseline other than 1, and two actions that both have a chance.
    Cause: The log-probability alone is differentiated, as in imitation of an expert.
    Fix: Weight the score with G − b.
    - theta = theta + alpha * score
    + theta = theta + alpha * (g - baseline) * score
    """
    zero = arrays["baseline"] * 0
    return {"baseline": zero, "return_": arrays["return_"] * 0 + 1}


@output_fault("weighting")
def chosen_preference_only(found: Outputs, arrays: Arrays) -> Outputs:
    """Moves the preference of the action taken and leaves the others where they are.

    Shown when: Two actions that both have a chance, and a return other than the baseline.
    Cause: The update was copied from tables of values, where one entry is one action.
    Fix: Every preference moves: the others by −α·(G − b)·π(b).
    - theta[action] += alpha * (g - baseline) * score[action]
    + theta += alpha * (g - baseline) * score
    """
    chosen = np.arange(found["theta"].shape[-1]) == arrays["action"][..., None]
    moved = np.where(chosen, found["theta"], arrays["theta"])
    return {**found, "theta": moved, "policy": NUMPY.softmax(moved, -1)}
