"""Faults of the combined loss."""

from __future__ import annotations

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, argument_fault


@argument_fault("sign", "LuEE-C/PPO-Keras issue #4", "DLR-RM/stable-baselines3 issue #127")
def entropy_sign(arrays: Arrays) -> Arrays:
    """Subtracts the entropy from the objective, so that a certain policy is rewarded.

    Shown when: An entropy and a coefficient c2 that are not 0.
    Cause: Between entropy, entropy loss and estimates from log-probabilities a sign was changed once too
        often.
    Fix: objective = … + c2·H; loss = … − c2·H. H of a discrete policy is at least 0: print it.
    - loss = -clip_objective + c1 * critic_loss + c2 * entropy
    + loss = -clip_objective + c1 * critic_loss - c2 * entropy
    """
    return {"c2": -arrays["c2"]}


@argument_fault("sign")
def critic_sign(arrays: Arrays) -> Arrays:
    """Adds the critic's loss to the objective, so that the critic is trained away from its targets.

    Shown when: A critic loss and a coefficient c1 that are not 0.
    Cause: All parts were summed as losses, and the sum negated as a whole.
    Fix: objective = L_clip − c1·L_critic + c2·H; only L_clip and H change their signs in the loss.
    - loss = -(clip_objective + c1 * critic_loss + c2 * entropy)
    + loss = -clip_objective + c1 * critic_loss - c2 * entropy
    """
    return {"c1": -arrays["c1"]}


@argument_fault("weighting", "google/brax issue #583")
def critic_halved_again(arrays: Arrays) -> Arrays:
    """Weights the critic's loss with c1/2.

    Shown when: A critic loss and a coefficient c1 that are not 0.
    Cause: One half stands in the squared error and another one in the sum, next to or instead of the
        coefficient.
    Fix: Put one half in one place, and say which.
    - loss = -clip_objective + 0.5 * c1 * critic_loss - c2 * entropy
    + loss = -clip_objective + c1 * critic_loss - c2 * entropy
    """
    return {"c1": arrays["c1"] / 2}


@argument_fault("ignored")
def critic_unweighted(arrays: Arrays) -> Arrays:
    """Takes the critic's loss as it is, whatever c1.

    Shown when: A critic loss that is not 0, with c1 other than 1.
    Cause: The coefficient is read from the settings and never used.
    Fix: Multiply the critic's loss by c1.
    - loss = -clip_objective + critic_loss - c2 * entropy
    + loss = -clip_objective + c1 * critic_loss - c2 * entropy
    """
    return {"c1": np.ones_like(arrays["c1"])}


@argument_fault("swapped")
def coefficients_swapped(arrays: Arrays) -> Arrays:
    """Weights the critic with c2 and the entropy with c1.

    Shown when: Coefficients that differ.
    Cause: Two unnamed numbers are passed in the wrong order; papers and libraries number them differently.
    Fix: Pass them by name.
    - loss = -clip_objective + c2 * critic_loss - c1 * entropy
    + loss = -clip_objective + c1 * critic_loss - c2 * entropy
    """
    return {"c1": arrays["c2"], "c2": arrays["c1"]}


@argument_fault("weighting")
def bonus_weighted_twice(arrays: Arrays) -> Arrays:
    """Weights the entropy with c1·c2.

    Shown when: An entropy and a c2 that are not 0, with c1 other than 1.
    Cause: A parenthesis too wide: c1·(L_critic − c2·H).
    Fix: Each coefficient belongs to its own part only.
    - loss = -clip_objective + c1 * (critic_loss - c2 * entropy)
    + loss = -clip_objective + c1 * critic_loss - c2 * entropy
    """
    return {"c2": arrays["c1"] * arrays["c2"]}
