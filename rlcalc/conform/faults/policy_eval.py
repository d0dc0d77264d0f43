"""Faults of policy evaluation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import argument_fault, fault, output_fault
from rlcalc.conform.forms import Arrays, Form, Outputs
from rlcalc.errors import InputError
from rlcalc.formulas import load_forms
from rlcalc.formulas._tabular import row_of_state
from rlcalc.formulas.policy_eval import uniform_rows

SWEEPS = 1000


@argument_fault("policy-ignored", "ignored")
def policy_ignored(arrays: Arrays) -> Arrays:
    """Evaluates the uniform policy, whichever is given.

    Shown when: A policy that is not uniform, where actions differ.
    Cause: Transitions are averaged over actions with mean() instead of a sum weighted with the policy.
    Fix: P_π(s'|s) = Σ_a π(a|s)·P(s'|s, a), and R_π in the same way.
    Diff:
        - moves = P.mean(axis=1)
        + moves = (policy[:, :, None] * P).sum(axis=1)
    """
    return {"policy": "uniform"}


@fault("best-action-taken", "swapped")
def best_action_taken(form: Form, **arrays: Any) -> Outputs:
    """Takes the largest Q of each state: the values of an optimal policy.

    Shown when: A policy that is not optimal.
    Cause: The optimality equation was implemented instead of the expectation equation.
    Fix: V(s) = Σ_a π(a|s)·Q(s, a).
    Diff:
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


@argument_fault("reward-discounted", "discounting")
def reward_discounted(arrays: Arrays) -> Arrays:
    """Solves V = γ·(R + P·V): the reward of the step is discounted as well.

    Shown when: γ below 1 and a reward other than 0.
    Cause: The bracket is drawn around the reward and the value that follows.
    Fix: R + γ·P·V.
    Diff:
        - values = gamma * (rewards + moves @ values)
        + values = rewards + gamma * moves @ values
    """
    mdp = arrays["mdp"]
    return {"mdp": replace(mdp, r=mdp.r * arrays["gamma"])}


@output_fault("q-without-discount", "discounting")
def q_without_discount(found: Outputs, arrays: Arrays) -> Outputs:
    """The values are right; Q is R + P·V, without γ.

    Shown when: γ below 1 and a successor whose value is not 0.
    Cause: γ is part of the matrix that is inverted for V, and Q is computed from the bare transitions.
    Fix: Q(s, a) = R + γ·Σ P(s'|s, a)·V(s'); then Σ_a π(a|s)·Q(s, a) is V(s) again.
    Diff:
        - q = rewards + P @ values
        + q = rewards + gamma * P @ values
    """
    mdp = arrays["mdp"]
    return {**found, "q_values": mdp.r + np.einsum("sat,...t->...sa", mdp.p, found["values"])}


@fault("stops-at-a-small-change", "counting")
def stops_at_a_small_change(form: Form, **arrays: Any) -> Outputs:
    """Sweeps from 0 until no value changes by 1/1000, and takes the last sweep for the answer.

    Shown when: Values that more than a few sweeps approach.
    Cause: The change of one sweep is read as the distance to the answer, which is up to γ/(1 − γ) times it.
    Fix: Solve the linear system, or sweep until the change is below (1 − γ)/γ times the accuracy.
    Diff:
        - while change > 1e-3:
        + while change > (1 - gamma) / gamma * accuracy:
              new = rewards + gamma * moves @ values
              change, values = np.abs(new - values).max(), new
    """
    mdp, policy = arrays["mdp"], arrays["policy"]
    if isinstance(policy, str):
        rows = uniform_rows(np, mdp)
    else:
        rows = policy[..., row_of_state(mdp.mdp, policy.shape[-2], "policy"), :]
    paid = (rows * mdp.r).sum(-1)
    values = paid * 0
    for _ in range(SWEEPS):
        q_values = mdp.r + arrays["gamma"] * np.einsum("sat,...t->...sa", mdp.p, values)
        before, values = values, (rows * q_values).sum(-1)
        if np.abs(values - before).max() < 1e-3:
            break
    return {**form(**arrays), "values": values}
