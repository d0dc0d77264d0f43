"""Faults of the target of SARSA."""

from __future__ import annotations

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, argument_fault
from rlcalc.conform.faults import _targets as shared

of_every_target = shared.OF_EVERY_TARGET


@argument_fault("swapped")
def best_next_action(arrays: Arrays) -> Arrays:
    """Takes the best next action, not the one that was taken: the target of Q-learning.

    Shown when: The next action was not the best one.
    Cause: The update of Q-learning is copied.
    Fix: The value of the next action, drawn from the policy before the update.
    - target = r + gamma * (1 - done) * q[s2].max()
    + target = r + gamma * (1 - done) * q[s2, a2]
    """
    return {"next_q": arrays["next_q"].max(-1, keepdims=True).repeat(arrays["next_q"].shape[-1], -1)}


@argument_fault("indexing")
def action_of_this_step(arrays: Arrays) -> Arrays:
    """Values the next state with the action of this step.

    Shown when: Two steps or more, with different actions.
    Cause: Rows of a batch hold A_t; A_{t+1} stands in the next row, or was never stored.
    Fix: Store the next action with the transition.
    - next_value = next_q.gather(1, actions).squeeze(1)
    + next_value = next_q.gather(1, next_actions).squeeze(1)
    """
    actions = arrays["next_actions"]
    return {"next_actions": np.concatenate([actions[..., :1], actions[..., :-1]], -1)}


@argument_fault("weighting")
def mean_over_actions(arrays: Arrays) -> Arrays:
    """Takes the mean of the next action values.

    Shown when: Action values of a state that differ.
    Cause: The value of a uniform policy is taken for that of the action.
    Fix: The value of the next action.
    - target = rewards + gamma * (1 - dones) * next_q.mean(dim=1)
    + target = rewards + gamma * (1 - dones) * next_q.gather(1, next_actions).squeeze(1)
    """
    mean = arrays["next_q"].mean(-1, keepdims=True)
    return {"next_q": np.broadcast_to(mean, arrays["next_q"].shape)}
