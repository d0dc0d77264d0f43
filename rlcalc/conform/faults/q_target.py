"""Faults of the target of Q-learning and DQN."""

from __future__ import annotations

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, argument_fault
from rlcalc.conform.faults import _targets as shared

of_every_target = shared.OF_EVERY_TARGET


@argument_fault("reduction")
def largest_of_the_batch(arrays: Arrays) -> Arrays:
    """Takes the largest value of all rows together for every step.

    Shown when: Two steps or more whose largest values differ.
    Cause: max() without an axis; the sum with the rewards broadcasts without a word.
    Fix: Give the axis of the actions: max(dim=1).values, max(axis=-1).
    - target = rewards + gamma * (1 - dones) * next_q.max()
    + target = rewards + gamma * (1 - dones) * next_q.max(dim=1).values
    """
    return {"next_q": np.broadcast_to(arrays["next_q"].max(), arrays["next_q"].shape)}


@argument_fault("reduction")
def largest_along_the_batch(arrays: Arrays) -> Arrays:
    """Takes the largest value of each action over the batch, not the largest of each row.

    Shown when: As many rows as actions; of any other number of rows the sum with the rewards raises.
    Cause: max(0), which is right for the values of a single state, stayed when batches came.
    Fix: Give the axis of the actions: max(dim=1).values, max(axis=-1).
    - target = rewards + gamma * (1 - dones) * next_q.max(0)[0]
    + target = rewards + gamma * (1 - dones) * next_q.max(1)[0]
    """
    rewards, next_q = arrays["rewards"], arrays["next_q"]
    count = next_q.shape[-1]
    best = next_q.reshape(-1, count).max(0)
    # one reward is added to the values of all actions; of several, as many as there are actions
    np.broadcast_shapes((rewards.size,), (count,))
    if rewards.size > 1:
        best = np.broadcast_to(best, (rewards.size,)).reshape(rewards.shape)
        return {"next_q": np.broadcast_to(best[..., None], next_q.shape)}
    over = arrays.get("terminated")
    steps = {"rewards": rewards, "gamma": arrays["gamma"]} | ({} if over is None else {"terminated": over})
    many = {name: np.broadcast_to(np.reshape(value, -1), (count,)) for name, value in steps.items()}
    return {**many, "next_q": best[:, None]}


@argument_fault("weighting")
def mean_over_actions(arrays: Arrays) -> Arrays:
    """Takes the mean of the next action values.

    Shown when: Action values of a state that differ.
    Cause: The value of a uniform policy is taken for that of the best action.
    Fix: The maximum over the actions.
    - target = rewards + gamma * (1 - dones) * next_q.mean(dim=1)
    + target = rewards + gamma * (1 - dones) * next_q.max(dim=1).values
    """
    return {"next_q": arrays["next_q"].mean(-1, keepdims=True)}


@argument_fault("swapped")
def smallest_action(arrays: Arrays) -> Arrays:
    """Takes the smallest of the next action values.

    Shown when: Action values of a state that differ.
    Cause: Code for costs, which are minimised, is used with rewards.
    Fix: The maximum over the actions.
    - target = rewards + gamma * (1 - dones) * next_q.min(dim=1).values
    + target = rewards + gamma * (1 - dones) * next_q.max(dim=1).values
    """
    return {"next_q": arrays["next_q"].min(-1, keepdims=True)}


@argument_fault("clipping")
def never_below_zero(arrays: Arrays) -> Arrays:
    """Takes 0 where all next action values are negative.

    Shown when: A state all of whose actions are worth less than 0.
    Cause: The maximum is searched from 0 on, or impossible actions are multiplied by 0 and not set to −∞.
    Fix: Start from the first value; give impossible actions −∞ before the maximum.
    - best = (next_q * legal).max(dim=1).values
    + best = next_q.masked_fill(~legal, -torch.inf).max(dim=1).values
    """
    return {"next_q": np.maximum(arrays["next_q"], 0)}
