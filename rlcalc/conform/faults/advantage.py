"""Faults of the advantage."""

from __future__ import annotations

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Outputs, argument_fault, output_fault


@output_fault("sign")
def difference_reversed(found: Outputs, arrays: Arrays) -> Outputs:
    """Subtracts the return, or the target, from the value.

    Shown when: Any advantage other than 0: good actions become less likely.
    Cause: The error of the critic, prediction minus target, was used for the advantage as well.
    Fix: What came minus what was expected.
    - adv = value - target
    + adv = target - value
    """
    return {"advantage": -found["advantage"]}


@argument_fault("discounting")
def discount_missing(arrays: Arrays) -> Arrays:
    """Adds the next value without γ.

    Shown when: The one-step form with γ below 1 and a next value other than 0.
    Cause: With γ = 0.99 it is hardly noticed, and tests with γ = 1 do not show it.
    Fix: reward + γ·next value − value.
    - adv = reward + next_value - value
    + adv = reward + gamma * next_value - value
    """
    gamma = arrays["gamma"]
    return {"gamma": None if gamma is None else np.ones_like(gamma)}


@argument_fault("indexing")
def bootstraps_from_own_value(arrays: Arrays) -> Arrays:
    """Takes the value of the state itself for that of its successor.

    Shown when: The one-step form with values that differ and γ above 0.
    Cause: Both values are read at the same index, or the critic is called with the old observation twice.
    Fix: Evaluate the critic at the next observation, before an automatic reset replaces it.
    - adv = reward + gamma * critic(obs) - critic(obs)
    + adv = reward + gamma * critic(next_obs) - critic(obs)
    """
    next_value = arrays["next_value"]
    return {"next_value": None if next_value is None else arrays["value"]}


@argument_fault("discounting")
def own_value_discounted_as_well(arrays: Arrays) -> Arrays:
    """Computes reward + γ·(next value − value).

    Shown when: The one-step form with γ below 1 and a value other than 0.
    Cause: A parenthesis too wide; the difference of two values looks like one term.
    Fix: Only what lies one step ahead is discounted.
    - adv = reward + gamma * (next_value - value)
    + adv = reward + gamma * next_value - value
    """
    gamma = arrays["gamma"]
    return {"value": arrays["value"] * (1 if gamma is None else gamma)}


@argument_fault("discounting")
def reward_discounted_as_well(arrays: Arrays) -> Arrays:
    """Computes γ·(reward + next value) − value.

    Shown when: The one-step form with γ below 1 and a reward other than 0.
    Cause: The reward belongs to the next time step by its index, and was discounted with it.
    Fix: In this convention of indices R_{t+1} is the immediate reward, with weight 1.
    - adv = gamma * (reward + next_value) - value
    + adv = reward + gamma * next_value - value
    """
    reward = arrays["reward"]
    return {"reward": None if reward is None else arrays["gamma"] * reward}


@argument_fault("swapped")
def value_not_subtracted(arrays: Arrays) -> Arrays:
    """Gives the return, or the target of the critic, instead of the advantage.

    Shown when: Any value other than 0.
    Cause: One name is used for both, and the wrong one of the two arrays is passed on.
    Fix: Subtract the value of the state that the action was taken in.
    - adv = reward + gamma * next_value
    + adv = reward + gamma * next_value - value
    """
    return {"value": arrays["value"] * 0}
