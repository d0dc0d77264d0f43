"""Faults of policy iteration."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault
from rlcalc.conform.faults import bellman
from rlcalc.formulas import load_forms
from rlcalc.mdp.planning import first_policy

reward_discounted = bellman.reward_discounted


def _valued(arrays: dict[str, Any], policy: Any) -> Outputs:
    """Values of a policy [S, A], or by name."""
    return dict(load_forms("policy_eval").numpy_form(arrays["mdp"], policy=policy, gamma=arrays["gamma"]))


def _first(arrays: dict[str, Any]) -> Any:
    if arrays["policy"] is not None:
        return arrays["policy"]
    mdp = arrays["mdp"]
    return np.eye(mdp.r.shape[-1], dtype=mdp.r.dtype)[[a or 0 for a in first_policy(mdp.mdp)]]


def _greedy(arrays: dict[str, Any], worth: Any) -> Any:
    """The policy that takes the action of the largest worth."""
    mdp = arrays["mdp"]
    there = worth if mdp.allowed is None else np.where(mdp.allowed, worth, -np.inf)
    return np.eye(mdp.r.shape[-1], dtype=mdp.r.dtype)[there.argmax(-1)]


@fault("counting")
def first_policy_kept(form: Form, /, **arrays: Any) -> Outputs:
    """Gives the values of the first policy, which is never improved.

    Shown when: A first policy that is not the best.
    Cause: Policy evaluation is taken for policy iteration.
    Fix: Improve and evaluate in turn, until the policy stays.
    - values = evaluate(policy)
    + while not stable:
    +     values = evaluate(policy)
    +     policy, stable = improve(policy, values)
    """
    return _valued(arrays, _first(arrays))


@fault("counting")
def stops_after_one_improvement(form: Form, /, **arrays: Any) -> Outputs:
    """Improves the first policy once, and gives the values of that one.

    Shown when: A first policy that takes two improvements.
    Cause: The loop is left when the policy was changed, not when it stays.
    Fix: Go on until an improvement changes nothing.
    - policy = improve(evaluate(policy))
    + while not stable:
    +     policy, stable = improve(policy, evaluate(policy))
    """
    return _valued(arrays, _greedy(arrays, _valued(arrays, _first(arrays))["q_values"]))


@fault("indexing")
def greedy_for_the_reward(form: Form, /, **arrays: Any) -> Outputs:
    """Gives the values of the policy that takes the largest reward in every state.

    Shown when: A best action whose reward is not the largest.
    Cause: The improvement looks at rewards, not at R + γ·P·V.
    Fix: The greedy action is that of the largest action value.
    - policy = rewards.argmax(axis=-1)
    + policy = (rewards + gamma * P @ values).argmax(axis=-1)
    """
    return _valued(arrays, _greedy(arrays, arrays["mdp"].r))


@argument_fault("ignored")
def immediate_rewards_only(arrays: Arrays) -> Arrays:
    """Gives the largest immediate rewards: nothing follows.

    Shown when: γ above 0 and a reward that is two steps away.
    Cause: The values are read off after one improvement from 0.
    Fix: The values of the last policy solve V = R + γ·P·V.
    - values = rewards.max(axis=-1)
    + values = evaluate(policy)
    """
    return {"gamma": arrays["gamma"] * 0}
