"""Faults of one update of a value."""

from __future__ import annotations

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Outputs, argument_fault, output_fault
from rlcalc.conform.faults import _learning as shared

away_from_target, step_size_of_the_old_value = shared.away_from_target, shared.step_size_of_the_old_value


@output_fault("weighting")
def old_value_not_subtracted(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives V + α·target.

    Shown when: An old value other than 0.
    Cause: V += α·target was written for an average that starts at 0.
    Fix: V += α·(target − V).
    - value += alpha * target
    + value += alpha * (target - value)
    """
    return {**found, "value": found["value"] + arrays["alpha"] * arrays["value"]}


@output_fault("weighting")
def bracket_closed_early(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives V + α·target − V, which is α·target: the old value is subtracted outside of the bracket.

    Shown when: α below 1 and an old value other than 0.
    Cause: The bracket after α is closed before − V.
    Fix: V + α·(target − V).
    - value = value + alpha * target - value
    + value = value + alpha * (target - value)
    """
    return {**found, "value": found["value"] - (1 - arrays["alpha"]) * arrays["value"]}


@argument_fault("discounting")
def discount_missing(arrays: Arrays) -> Arrays:
    """Makes the target of the reward and the whole next value.

    Shown when: The one-step form with γ below 1 and a next value other than 0.
    Cause: The discount was 1 in the first example, or is left out where values are looked up.
    Fix: reward + γ·next value.
    - value += alpha * (reward + next_value - value)
    + value += alpha * (reward + gamma * next_value - value)
    """
    gamma = arrays["gamma"]
    return {"gamma": None if gamma is None else np.ones_like(gamma)}


@argument_fault("discounting")
def reward_discounted_as_well(arrays: Arrays) -> Arrays:
    """Makes the target of γ·(reward + next value).

    Shown when: The one-step form with γ below 1 and a reward other than 0.
    Cause: The reward has the index of the next time step, and was discounted with it.
    Fix: R_{t+1} is the immediate reward, with weight 1.
    - value += alpha * (gamma * (reward + next_value) - value)
    + value += alpha * (reward + gamma * next_value - value)
    """
    reward = arrays["reward"]
    return {"reward": None if reward is None else arrays["gamma"] * reward}


@argument_fault("ignored")
def never_bootstraps(arrays: Arrays) -> Arrays:
    """Moves towards the reward alone.

    Shown when: The one-step form with γ above 0 and a next value other than 0.
    Cause: The rule of a bandit, whose only return is the reward, was taken over.
    Fix: reward + γ·next value, and the reward alone only after a terminal step.
    - value += alpha * (reward - value)
    + value += alpha * (reward + gamma * next_value - value)
    """
    later = arrays["next_value"]
    return {"next_value": None if later is None else np.zeros_like(later)}
