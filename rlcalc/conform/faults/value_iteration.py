"""Faults of value iteration, sweep by sweep."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault
from rlcalc.conform.faults import _learning, _processes, bellman

discount_missing, reward_discounted = _learning.discount_missing, bellman.reward_discounted
smallest_action_value = _processes.smallest_action_value
greedy_for_the_reward = _processes.greedy_for_the_reward
of_every_process = _processes.OF_EVERY_PROCESS


@fault("swapped")
def mean_over_actions(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the mean over actions instead of the largest: sweeps of policy evaluation.

    Shown when: A state with actions that are not equally good.
    Cause: The expectation equation stands for the optimality equation.
    Fix: V(s) = max_a Q(s, a).
    - values = (rewards + gamma * P @ values).mean(axis=-1)
    + values = (rewards + gamma * P @ values).max(axis=-1)
    """

    def mean(q: Any, rewards: Any) -> Any:
        there = np.isfinite(q)
        return np.where(there, q, 0).sum(-1) / there.sum(-1)

    return _processes.swept(arrays, mean)


@argument_fault("termination")
def terminal_value_kept(arrays: Arrays) -> Arrays:
    """Lets a terminal state keep the value that it is given at the start.

    Shown when: Initial values other than 0 for a terminal state.
    Cause: All states begin with the same value, the terminal ones too.
    Fix: Nothing follows a terminal state: its value is 0.
    - values = np.full(n_states, start)
    + values = np.where(terminal, 0, start)
    """
    mdp, values = arrays["mdp"], arrays["values"]
    if values is None:
        return {}
    kept = np.where(np.asarray(mdp.mdp.terminal), values, 0)
    return {"mdp": replace(mdp, r=mdp.r + arrays["gamma"] * (mdp.p @ kept))}


@argument_fault("counting")
def one_sweep_more(arrays: Arrays) -> Arrays:
    """Sweeps once more than it was asked to.

    Shown when: Values that the last sweep still changes.
    Cause: A loop over range(n + 1), or one that looks at its counter before it counts.
    Fix: So many sweeps as were asked for: V_n.
    - for _ in range(sweeps + 1):
    + for _ in range(sweeps):
    """
    return {"sweeps": arrays["sweeps"] + 1}


@fault("counting")
def one_sweep_fewer(form: Form, /, **arrays: Any) -> Outputs:
    """Sweeps once less than it was asked to.

    Shown when: Values that the last sweep still changes.
    Cause: A loop over range(1, n), or one that counts the values that it begins with.
    Fix: So many sweeps as were asked for: V_n.
    - for _ in range(1, sweeps):
    + for _ in range(sweeps):
    """
    if arrays["sweeps"] > 1:
        return {**form(**{**arrays, "sweeps": arrays["sweeps"] - 1})}
    start, terminal = arrays["values"], np.asarray(arrays["mdp"].mdp.terminal)
    found = form(**arrays)
    first = np.zeros_like(found["values"]) if start is None else np.where(terminal, 0, start)
    return {**found, "values": first + np.zeros_like(found["values"])}
