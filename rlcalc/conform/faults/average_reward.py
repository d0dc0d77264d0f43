"""Faults of the average reward of a policy."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, fault, output_fault, sets
from rlcalc.formulas.policy_eval import uniform_rows


@sets("ignored", policy="uniform")
def policy_ignored() -> None:
    """Takes all actions for equally likely, whatever the policy.

    Shown when: A policy that is not uniform.
    Cause: mean() over the actions.
    Fix: Weigh the actions with the probabilities of the policy.
    - P, r = P.mean(axis=1), r.mean(axis=1)
    + P, r = np.einsum("sa,sat->st", policy, P), (policy * r).sum(axis=1)
    """


@fault("weighting")
def states_weighed_alike(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the mean of the expected rewards over the states, however often each is visited.

    Shown when: States that are visited unequally often and pay differently.
    Cause: The stationary distribution is left out.
    Fix: Weigh the states with how often the policy visits them in the long run.
    - rate = r.mean()
    + rate = stationary @ r
    """
    mdp, policy = arrays["mdp"], arrays["policy"]
    rows = uniform_rows(np, mdp) if isinstance(policy, str) else policy
    paid = (rows * mdp.r).sum(-1)
    return {**form(**arrays), "rate": np.broadcast_to(paid, (*paid.shape[:-1], len(mdp.mdp.states))).mean(-1)}


@output_fault("sign")
def values_of_the_wrong_sign(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives −h: what a state is behind, not ahead.

    Shown when: Differential values other than 0.
    Cause: ρ − R is written for R − ρ.
    Fix: h(s) = R − ρ + Σ P·h(s').
    - h = np.linalg.solve(A, rate - r)
    + h = np.linalg.solve(A, r - rate)
    """
    return {**found, "values": -found["values"]}
