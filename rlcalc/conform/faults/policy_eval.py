"""Faults of policy evaluation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, output_fault, sets
from rlcalc.conform.faults import _processes, bellman
from rlcalc.errors import InputError
from rlcalc.formulas import load_forms
from rlcalc.formulas._tabular import row_of_state
from rlcalc.formulas.policy_eval import uniform_rows

reward_discounted = bellman.reward_discounted
of_every_process = _processes.OF_EVERY_PROCESS

SWEEPS = 1000


def _rows(arrays: Arrays) -> Any:
    """The policy, a row a state."""
    mdp, policy = arrays["mdp"], arrays["policy"]
    if isinstance(policy, str):
        return uniform_rows(np, mdp)
    return policy[..., row_of_state(mdp.mdp, policy.shape[-2], "policy"), :]


@sets("ignored", policy="uniform")
def policy_ignored() -> None:
    """Evaluates the uniform policy, whichever is given.

    Shown when: A policy that is not uniform, where actions differ.
    Cause: Transitions are averaged over actions with mean() instead of a sum weighted with the policy.
    Fix: P_π(s'|s) = Σ_a π(a|s)·P(s'|s, a), and R_π in the same way.
    - moves = P.mean(axis=1)
    + moves = (policy[:, :, None] * P).sum(axis=1)
    """


@fault("swapped")
def best_action_taken(form: Form, **arrays: Any) -> Outputs:
    """Takes the largest Q of each state: the values of an optimal policy.

    Shown when: A policy that is not optimal.
    Cause: The optimality equation was implemented instead of the expectation equation.
    Fix: V(s) = Σ_a π(a|s)·Q(s, a).
    - values = q.max(axis=-1)
    + values = (policy * q).sum(axis=-1)
    """
    mdp, gamma = arrays["mdp"], arrays["gamma"]
    try:
        return dict(load_forms("bellman").numpy_form(mdp=mdp, gamma=gamma))
    except InputError:
        q_values = mdp.r
        for _ in range(SWEEPS):
            q_values = mdp.r + gamma * np.einsum("sat,t->sa", mdp.p, q_values.max(axis=-1))
        return {"values": q_values.max(axis=-1), "q_values": q_values}


@output_fault("discounting")
def q_without_discount(found: Outputs, arrays: Arrays) -> Outputs:
    """The values are right; Q is R + P·V, without γ.

    Shown when: γ below 1 and a successor whose value is not 0.
    Cause: γ is part of the matrix that is inverted for V, and Q is computed from the bare transitions.
    Fix: Q(s, a) = R + γ·Σ P(s'|s, a)·V(s'); then Σ_a π(a|s)·Q(s, a) is V(s) again.
    - q = rewards + P @ values
    + q = rewards + gamma * P @ values
    """
    mdp = arrays["mdp"]
    return {**found, "q_values": mdp.r + np.einsum("sat,...t->...sa", mdp.p, found["values"])}


@fault("counting")
def stops_at_a_small_change(form: Form, **arrays: Any) -> Outputs:
    """Sweeps from 0 until no value changes by 1/1000, and takes the last sweep for the answer.

    Shown when: Values that more than a few sweeps approach.
    Cause: The change of one sweep is read as the distance to the answer, which is up to γ/(1 − γ) times it.
    Fix: Solve the linear system, or sweep until the change is below (1 − γ)/γ times the accuracy.
    - while change > 1e-3:
    + while change > (1 - gamma) / gamma * accuracy:
          new = rewards + gamma * moves @ values
          change, values = np.abs(new - values).max(), new
    """
    mdp, rows = arrays["mdp"], _rows(arrays)
    paid = (rows * mdp.r).sum(-1)
    values = paid * 0
    for _ in range(SWEEPS):
        q_values = mdp.r + arrays["gamma"] * np.einsum("sat,...t->...sa", mdp.p, values)
        before, values = values, (rows * q_values).sum(-1)
        if np.abs(values - before).max() < 1e-3:
            break
    return {**form(**arrays), "values": values}


@output_fault("counting")
def one_sweep_only(found: Outputs, arrays: Arrays) -> Outputs:
    """Stops after the first sweep from 0: values are the rewards that are expected at once.

    Shown when: γ above 0 and a reward that is two steps away.
    Cause: The change is compared with the tolerance before it is computed, or is not taken without its sign.
    Fix: Sweep until the largest change in size is below (1 − γ)/γ times the accuracy.
    - values = (policy * (rewards + gamma * P @ values)).sum(axis=-1)
    + while np.abs(new - values).max() > tolerance:
    +     values, new = new, (policy * (rewards + gamma * P @ new)).sum(axis=-1)
    """
    return {**found, "values": (_rows(arrays) * arrays["mdp"].r).sum(-1)}


@output_fault("counting")
def one_sweep_in_place(found: Outputs, arrays: Arrays) -> Outputs:
    """Stops after the first sweep in place from 0.

    Shown when: γ above 0 and a state that leads to one before it.
    Cause: The loop is left before the change is looked at, or the change is not taken without its sign.
    Fix: Sweep until the largest change in size is below (1 − γ)/γ times the accuracy.
    - change = max(change, old - values[s])
    + change = max(change, abs(old - values[s]))
    """
    mdp, rows, values = arrays["mdp"], _rows(arrays), np.zeros_like(found["values"])
    for s in range(values.shape[-1]):
        worth = mdp.r[s] + arrays["gamma"] * np.einsum("at,...t->...a", mdp.p[s], values)
        values[..., s] = (rows[..., s, :] * worth).sum(-1)
    return {**found, "values": values}


@argument_fault("weighting")
def rewards_not_weighted(arrays: Arrays) -> Arrays:
    """Adds up the rewards of all actions; only what follows is weighted with the policy.

    Shown when: A state with two actions.
    Cause: A bracket is missing in Σ_a π(a|s)·(R + γ·P·V).
    Fix: Weight the whole bracket.
    - values[s] = sum(R[s, a] + policy[s, a] * gamma * P[s, a] @ values for a in actions)
    + values[s] = sum(policy[s, a] * (R[s, a] + gamma * P[s, a] @ values) for a in actions)
    """
    mdp = arrays["mdp"]
    return {"mdp": replace(mdp, r=np.broadcast_to(mdp.r.sum(-1, keepdims=True), mdp.r.shape))}
