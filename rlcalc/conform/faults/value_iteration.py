"""Faults of value iteration, sweep by sweep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import NUMPY
from rlcalc.conform.fault import argument_fault, fault
from rlcalc.conform.faults import bellman
from rlcalc.conform.forms import Arrays, Form, Outputs
from rlcalc.formulas._sweeps import sweep_arrays

reward_discounted = bellman.reward_discounted


def _swept(arrays: dict[str, Any], join: Callable[[Any, Any], Any]) -> Outputs:
    """The sweeps with another way to make a value of action values.

    Args:
        join: of action values, −∞ for those that a state lacks, and the rewards in their shape.
    """
    mdp = arrays["mdp"]
    rewards = mdp.r if mdp.allowed is None else np.where(mdp.allowed, mdp.r, -np.inf)
    inputs = {name: arrays[name] for name in ("gamma", "sweeps", "values", "in_place", "order")}
    now, q_values = sweep_arrays(
        NUMPY, mdp, **inputs, join=lambda q, s: join(q, rewards if s is None else rewards[s])
    )
    return {"values": now, "q_values": q_values}


@argument_fault("discount-missing", "discounting")
def discount_missing(arrays: Arrays) -> Arrays:
    """Adds the values of the sweep before without γ.

    Shown when: γ below 1, from the second sweep on or from values other than 0.
    Cause: Values are copied from the table as they stand.
    Fix: R + γ·P·V.
    Diff:
        - values = (rewards + P @ values).max(axis=-1)
        + values = (rewards + gamma * P @ values).max(axis=-1)
    """
    return {"gamma": np.ones_like(arrays["gamma"])}


@fault("mean-over-actions", "swapped")
def mean_over_actions(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the mean over actions instead of the largest: sweeps of policy evaluation.

    Shown when: A state with actions that are not equally good.
    Cause: The expectation equation stands for the optimality equation.
    Fix: V(s) = max_a Q(s, a).
    Diff:
        - values = (rewards + gamma * P @ values).mean(axis=-1)
        + values = (rewards + gamma * P @ values).max(axis=-1)
    """

    def mean(q: Any, rewards: Any) -> Any:
        there = np.isfinite(q)
        return np.where(there, q, 0).sum(-1) / there.sum(-1)

    return _swept(arrays, mean)


@fault("smallest-action-value", "sign")
def smallest_action_value(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the smallest action value of every state.

    Shown when: A state with actions that are not equally good.
    Cause: Rewards are read as costs.
    Fix: Rewards are maximised: V(s) = max_a Q(s, a).
    Diff:
        - values = (rewards + gamma * P @ values).min(axis=-1)
        + values = (rewards + gamma * P @ values).max(axis=-1)
    """
    return _swept(arrays, lambda q, rewards: np.where(np.isfinite(q), q, np.inf).min(-1))


@fault("greedy-for-the-reward", "indexing")
def greedy_for_the_reward(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the action with the largest reward, and then adds what follows it.

    Shown when: A best action whose reward is not the largest.
    Cause: The maximum is taken before γ·P·V is added.
    Fix: max over the whole bracket, R + γ·P·V.
    Diff:
        - best = rewards.argmax(axis=-1)
        + best = (rewards + gamma * P @ values).argmax(axis=-1)
    """

    def chosen(q: Any, rewards: Any) -> Any:
        best = np.broadcast_to(rewards.argmax(-1)[..., None], (*q.shape[:-1], 1))
        return np.take_along_axis(q, best, -1)[..., 0]

    return _swept(arrays, chosen)


@argument_fault("terminal-value-kept", "termination")
def terminal_value_kept(arrays: Arrays) -> Arrays:
    """Lets a terminal state keep the value that it is given at the start.

    Shown when: Initial values other than 0 for a terminal state.
    Cause: All states begin with the same value, the terminal ones too.
    Fix: Nothing follows a terminal state: its value is 0.
    Diff:
        - values = np.full(n_states, start)
        + values = np.where(terminal, 0, start)
    """
    mdp, values = arrays["mdp"], arrays["values"]
    if values is None:
        return {}
    kept = np.where(np.asarray(mdp.mdp.terminal), values, 0)
    return {"mdp": replace(mdp, r=mdp.r + arrays["gamma"] * (mdp.p @ kept))}
