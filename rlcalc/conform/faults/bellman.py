"""Faults of the Bellman optimality equation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault
from rlcalc.conform.faults import _processes
from rlcalc.formulas import load_forms

smallest_action_value = _processes.smallest_action_value
greedy_for_the_reward = _processes.greedy_for_the_reward
one_sweep_in_place = _processes.one_sweep_in_place
of_every_process = _processes.OF_EVERY_PROCESS


@fault("swapped")
def mean_over_actions(form: Form, **arrays: Any) -> Outputs:
    """Takes the mean over actions instead of the largest: the values of the uniform policy.

    Shown when: A state with actions that are not equally good.
    Cause: The expectation equation was implemented instead of the optimality equation.
    Fix: V(s) = max_a Q(s, a).
    - values = (rewards + gamma * P @ values).mean(axis=-1)
    + values = (rewards + gamma * P @ values).max(axis=-1)
    """
    return dict(load_forms("policy_eval").numpy_form(policy="uniform", **arrays))


@argument_fault("discounting")
def reward_discounted(arrays: Arrays) -> Arrays:
    """Discounts the reward of the step as well: γ·(R + P·V).

    Shown when: γ below 1 and a reward other than 0.
    Cause: The bracket is drawn around the reward and the value that follows.
    Fix: R + γ·P·V.
    - q = gamma * (rewards + P @ values)
    + q = rewards + gamma * P @ values
    """
    mdp = arrays["mdp"]
    return {"mdp": replace(mdp, r=mdp.r * arrays["gamma"])}


@argument_fault("counting")
def one_sweep_only(arrays: Arrays) -> Arrays:
    """Stops after the first sweep from 0: values are the largest immediate rewards.

    Shown when: γ above 0 and a reward that is two steps away.
    Cause: The change is compared with the tolerance before it is computed, or the old table is the new one
        under another name.
    Fix: Sweep into a copy, until the largest change is below (1 − γ)/γ times the accuracy.
    - values = (rewards + gamma * P @ values).max(axis=-1)
    + while np.abs(new - values).max() > tolerance:
    +     values, new = new, (rewards + gamma * P @ new).max(axis=-1)
    """
    return {"gamma": arrays["gamma"] * 0}
