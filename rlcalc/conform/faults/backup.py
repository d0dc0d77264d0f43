"""Faults of one backup."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, output_fault
from rlcalc.conform.faults import _learning
from rlcalc.conform.faults import _sequence_faults as sequences

discount_missing, reward_discounted = _learning.discount_missing, sequences.reward_discounted


@argument_fault("ignored")
def reward_left_out(arrays: Arrays) -> Arrays:
    """Takes the discounted values alone.

    Shown when: A reward other than 0.
    Cause: Example grids have no reward but at their goal.
    Fix: R + γ·v.
    - q = (p * gamma * v).sum()
    + q = (p * (r + gamma * v)).sum()
    """
    return {"rewards": arrays["rewards"] * 0}


@argument_fault("ignored")
def next_values_left_out(arrays: Arrays) -> Arrays:
    """Takes the expected reward alone.

    Shown when: γ above 0 and a successor whose value is not 0.
    Cause: The first sweep from 0 is done as the later ones.
    Fix: R + γ·v.
    - q = (p * r).sum()
    + q = (p * (r + gamma * v)).sum()
    """
    return {"next_values": arrays["next_values"] * 0}


@output_fault("swapped")
def mean_over_actions(found: Outputs, arrays: Arrays) -> Outputs:
    """Takes the mean over the actions, not the largest: a uniform policy.

    Shown when: Two actions of different value.
    Cause: The expectation equation stands for the optimality equation.
    Fix: max_a q_a.
    - value = q.mean()
    + value = q.max()
    """
    return {**found, "value": found["q_values"].mean(-1)}


@output_fault("swapped")
def smallest_action_value(found: Outputs, arrays: Arrays) -> Outputs:
    """Takes the smallest action value.

    Shown when: Two actions of different value.
    Cause: Rewards are read as costs.
    Fix: Rewards are maximised: max_a q_a.
    - value = q.min()
    + value = q.max()
    """
    return {**found, "value": found["q_values"].min(-1)}


@fault("swapped")
def best_successor(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the best successor, as if the agent chose it, where chance does.

    Shown when: Successors of different value that an action leads to by chance.
    Cause: The maximum over actions is taken over states.
    Fix: Weigh the successors with their probabilities; only actions are chosen.
    - q = (r + gamma * v).max()
    + q = (p * (r + gamma * v)).sum()
    """
    gains, probs = arrays["rewards"] + arrays["gamma"] * arrays["next_values"], arrays["probs"]
    if probs is None:
        return dict(form(**{**arrays, "max": True}))
    q_values = np.where(probs > 0, gains[..., None, :], -np.inf).max(-1)
    return {"value": q_values.max(-1), "q_values": q_values}


@fault("ignored")
def probabilities_ignored(form: Form, /, **arrays: Any) -> Outputs:
    """Takes all successors of an action for equally likely.

    Shown when: Probabilities of one action that differ.
    Cause: mean() in place of the weighted sum.
    Fix: Weigh the successors with their probabilities.
    - q = (r + gamma * v).mean()
    + q = (p * (r + gamma * v)).sum()
    """
    probs = arrays["probs"]
    if probs is None:
        return dict(form(**arrays))
    there = (probs > 0).astype(probs.dtype)
    return dict(form(**{**arrays, "probs": there / there.sum(-1, keepdims=True)}))


@output_fault("reduction")
def successors_summed(found: Outputs, arrays: Arrays) -> Outputs:
    """Sums over equally likely successors without dividing by their number.

    Shown when: An expected backup of two successors or more without probabilities.
    Cause: The weight 1/N is left out.
    Fix: Divide by the number of successors.
    - value = (r + gamma * v).sum()
    + value = (r + gamma * v).mean()
    """
    if arrays["probs"] is not None or arrays["max"]:
        return found
    return {name: value * arrays["next_values"].shape[-1] for name, value in found.items()}
