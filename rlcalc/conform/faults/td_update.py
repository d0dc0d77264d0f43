"""Faults of one update of a value."""

from __future__ import annotations

from rlcalc._lazy import np
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


@argument_fault("discount-missing", "discounting")
def discount_missing(arrays: Arrays) -> Arrays:
    """Makes the target of the reward and the whole next value.

    Shown when: The one-step form with γ below 1 and a next value other than 0.
    Cause: The discount was 1 in the first example, or is left out where values are looked up.
    Fix: reward + γ·next value.
    Diff:
        - value += alpha * (reward + next_value - value)
        + value += alpha * (reward + gamma * next_value - value)
    """
    gamma = arrays["gamma"]
    return {"gamma": None if gamma is None else np.ones_like(gamma)}


@argument_fault("reward-discounted-as-well", "discounting")
def reward_discounted_as_well(arrays: Arrays) -> Arrays:
    """Makes the target of γ·(reward + next value).

    Shown when: The one-step form with γ below 1 and a reward other than 0.
    Cause: The reward has the index of the next time step, and was discounted with it.
    Fix: R_{t+1} is the immediate reward, with weight 1.
    Diff:
        - value += alpha * (gamma * (reward + next_value) - value)
        + value += alpha * (reward + gamma * next_value - value)
    """
    reward = arrays["reward"]
    return {"reward": None if reward is None else arrays["gamma"] * reward}


@argument_fault("never-bootstraps", "ignored")
def never_bootstraps(arrays: Arrays) -> Arrays:
    """Moves towards the reward alone.

    Shown when: The one-step form with γ above 0 and a next value other than 0.
    Cause: The rule of a bandit, whose only return is the reward, was taken over.
    Fix: reward + γ·next value, and the reward alone only after a terminal step.
    Diff:
        - value += alpha * (reward - value)
        + value += alpha * (reward + gamma * next_value - value)
    """
    later = arrays["next_value"]
    return {"next_value": None if later is None else np.zeros_like(later)}
