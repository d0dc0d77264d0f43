"""Faults that dynamic programming by sweeps has, until the answer or a number of times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import NUMPY
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault
from rlcalc.formulas._sweeps import sweep_arrays

# sweeps of a formula that asks for the answer
ENOUGH = 1000


def swept(arrays: dict[str, Any], join: Callable[[Any, Any], Any], **inputs: Any) -> Outputs:
    """The sweeps with another way to make a value of action values.

    Args:
        join: of action values, −∞ for those that a state lacks, and the rewards in their shape.
        inputs: what is given otherwise than to the formula.
    """
    mdp = arrays["mdp"]
    rewards = mdp.r if mdp.allowed is None else np.where(mdp.allowed, mdp.r, -np.inf)
    usual = {"sweeps": ENOUGH, "values": None, "in_place": None, "order": None}
    given: dict[str, Any] = {name: inputs.get(name, arrays.get(name, value)) for name, value in usual.items()}
    now, q_values = sweep_arrays(
        NUMPY,
        mdp,
        arrays["gamma"],
        **given,
        join=lambda q, s: join(q, rewards if s is None else rewards[s]),
    )
    return {"values": now, "q_values": q_values}


@fault("sign")
def smallest_action_value(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the smallest action value of every state.

    Shown when: A state with actions that are not equally good.
    Cause: Rewards are read as costs.
    Fix: Rewards are maximised: V(s) = max_a Q(s, a).
    - values = (rewards + gamma * P @ values).min(axis=-1)
    + values = (rewards + gamma * P @ values).max(axis=-1)
    """
    return swept(arrays, lambda q, rewards: np.where(np.isfinite(q), q, np.inf).min(-1))


@fault("indexing")
def greedy_for_the_reward(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the action with the largest reward, and then adds what follows it.

    Shown when: A best action whose reward is not the largest.
    Cause: The maximum is taken before γ·P·V is added.
    Fix: max over the whole bracket, R + γ·P·V.
    - best = rewards.argmax(axis=-1)
    + best = (rewards + gamma * P @ values).argmax(axis=-1)
    """

    def chosen(q: Any, rewards: Any) -> Any:
        best = np.broadcast_to(rewards.argmax(-1)[..., None], (*q.shape[:-1], 1))
        return np.take_along_axis(q, best, -1)[..., 0]

    return swept(arrays, chosen)


@fault("counting")
def one_sweep_in_place(form: Form, /, **arrays: Any) -> Outputs:
    """Stops after the first sweep in place from 0.

    Shown when: γ above 0 and a state that leads to one before it.
    Cause: The old table is the new one under another name, so that nothing seems to change.
    Fix: old = values.copy().
    - old = values
    + old = values.copy()
      for s in states:
          values[s] = (rewards[s] + gamma * P[s] @ old).max()
    """
    return swept(arrays, lambda q, rewards: q.max(-1), sweeps=1, in_place=True)


@argument_fault("indexing")
def transitions_transposed(arrays: Arrays) -> Arrays:
    """Reads P[s', a, s]: a state is worth what the states are that lead to it.

    Shown when: γ above 0 and transitions that are not the same both ways.
    Cause: The axes of P are in another order than the code has them in, or P.T @ V stands for P @ V.
    Fix: Sum over the last axis, that of the state that is reached; the rows of P add up to 1.
    - q = rewards[s, a] + gamma * P[:, a, s] @ values
    + q = rewards[s, a] + gamma * P[s, a, :] @ values
    """
    mdp = arrays["mdp"]
    return {"mdp": replace(mdp, p=np.swapaxes(mdp.p, 0, 2))}


@argument_fault("discounting")
def gamma_twice(arrays: Arrays) -> Arrays:
    """Discounts by γ² at every step.

    Shown when: γ between 0 and 1, and a value of a successor that is not 0.
    Cause: P holds γ already, or the values that are looked up do.
    Fix: Multiply by γ in one place.
    - q = rewards + gamma * (gamma * P) @ values
    + q = rewards + gamma * P @ values
    """
    return {"gamma": arrays["gamma"] * arrays["gamma"]}


OF_EVERY_PROCESS = transitions_transposed, gamma_twice
