"""Faults of the target of expected SARSA."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault
from rlcalc.conform.faults import _targets as shared

of_every_target = shared.OF_EVERY_TARGET


def _weighted(arrays: dict[str, Any], explored: Any, exploited: Any) -> Arrays:
    """Other weights in the place of an ε-greedy policy."""
    if arrays.get("epsilon") is None:
        return {}
    best = arrays["q_values"] == arrays["q_values"].max(-1, keepdims=True)
    greedy = best * exploited / best.sum(-1, keepdims=True)
    return {"policy": (explored + greedy).astype(arrays["q_values"].dtype), "epsilon": None}


@argument_fault("weighting", "terrence-ou/Reinforcement-Learning-2nd-Edition-Notes-Codes issue #1")
def epsilon_for_every_action(arrays: Arrays) -> Arrays:
    """Gives every action the probability ε, and the best one 1 − ε besides: they sum to more than 1.

    Shown when: ε above 0 and two actions or more.
    Cause: The division by the number of actions is missing.
    Fix: ε divided by the number of actions.
    - probs = np.full(n_actions, epsilon)
    + probs = np.full(n_actions, epsilon / n_actions)
      probs[best] += 1 - epsilon
    """
    epsilon = arrays.get("epsilon")
    return {} if epsilon is None else _weighted(arrays, epsilon, 1 - epsilon)


@argument_fault("weighting")
def best_action_without_its_share(arrays: Arrays) -> Arrays:
    """Gives the best action 1 − ε, without its share of ε: the probabilities sum to less than 1.

    Shown when: ε above 0 and a best value other than 0.
    Cause: The probability is set where it has to be added.
    Fix: 1 − ε + ε/A for the best action.
      probs = np.full(n_actions, epsilon / n_actions)
    - probs[best] = 1 - epsilon
    + probs[best] += 1 - epsilon
    """
    epsilon = arrays.get("epsilon")
    if epsilon is None:
        return {}
    best = arrays["q_values"] == arrays["q_values"].max(-1, keepdims=True)
    return _weighted(arrays, np.where(best, 0, epsilon / best.shape[-1]), 1 - epsilon)


@argument_fault("swapped")
def best_next_action(arrays: Arrays) -> Arrays:
    """Takes the best next action, whatever the policy: the target of Q-learning.

    Shown when: A policy that does not take the best action for certain.
    Cause: The update of Q-learning is copied.
    Fix: Weigh the action values with the probabilities of the policy.
    - target = r + gamma * (1 - done) * q[s2].max()
    + target = r + gamma * (1 - done) * (pi[s2] * q[s2]).sum()
    """
    q = arrays["q_values"]
    return {"q_values": np.broadcast_to(q.max(-1, keepdims=True), q.shape)}


@argument_fault("ignored")
def uniform_policy(arrays: Arrays) -> Arrays:
    """Takes the mean of the next action values, whatever the policy.

    Shown when: A policy that is not uniform.
    Cause: mean() in place of the weighted sum.
    Fix: Weigh the action values with the probabilities of the policy.
    - expected = next_q.mean(dim=1)
    + expected = (next_policy * next_q).sum(dim=1)
    """
    q = arrays["q_values"]
    return {"q_values": np.broadcast_to(q.mean(-1, keepdims=True), q.shape)}


@fault("reduction")
def averaged_over_actions(form: Form, /, **arrays: Any) -> Outputs:
    """Divides the expectation by the number of actions: the weighted values are averaged, not summed.

    Shown when: Two actions or more, and an expectation other than 0.
    Cause: mean() over terms that the policy weighs already.
    Fix: Sum them.
    - expected = (next_policy * next_q).mean(dim=1)
    + expected = (next_policy * next_q).sum(dim=1)
    """
    q = arrays["q_values"]
    return dict(form(**{**arrays, "q_values": q / q.shape[-1]}))


@argument_fault("swapped")
def likeliest_action_alone(arrays: Arrays) -> Arrays:
    """Takes the value of the likeliest next action, and not the expectation over all.

    Shown when: A policy that is not certain, with action values that differ.
    Cause: argmax of the policy, as if it were to act.
    Fix: Weigh the action values with the probabilities of the policy.
    - next_value = next_q[range(n), policy.argmax(1)]
    + next_value = (policy * next_q).sum(1)
    """
    q, policy = arrays["q_values"], arrays.get("policy")
    if policy is None:
        return {}
    q, policy = np.broadcast_arrays(q, policy)
    taken = np.take_along_axis(q, policy.argmax(-1)[..., None], -1)
    return {"q_values": np.broadcast_to(taken, q.shape)}
