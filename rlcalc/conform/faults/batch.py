"""Faults of batch learning."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, sets
from rlcalc.conform.faults import _learning as shared
from rlcalc.conform.faults import mc
from rlcalc.formulas import load_forms
from rlcalc.formulas.batch import moves

discount_missing = shared.discount_missing
reward_discounted = mc.reward_discounted


@sets("swapped", method="mc")
def returns_in_place_of_the_chain() -> None:
    """Gives the mean returns, Monte Carlo's answer, where TD's is asked for.

    Shown when: Batch TD, and a state after which the episodes seen are not typical of its successor.
    Cause: Both methods fit the same data, and are thought to agree in the end.
    Fix: Solve V(s) = r(s) + γ Σ N(s, s')/N(s) V(s').
    - values = {s: np.mean(returns[s]) for s in states}
    + values = np.linalg.solve(np.eye(n) - gamma * P, r)
    """


@sets("swapped", method="td")
def chain_in_place_of_the_returns() -> None:
    """Gives the values of the estimated chain, TD's answer, where Monte Carlo's is asked for.

    Shown when: Batch Monte Carlo, and a state after which the episodes seen are not typical of its successor.
    Cause: Both methods fit the same data, and are thought to agree in the end.
    Fix: The mean of the returns that followed the state.
    - values = np.linalg.solve(np.eye(n) - gamma * P, r)
    + values = {s: np.mean(returns[s]) for s in states}
    """


@argument_fault("ignored")
def immediate_rewards_only(arrays: Arrays) -> Arrays:
    """Gives the mean reward on leaving a state, without what follows.

    Shown when: γ above 0 and a state after which something else is paid.
    Cause: The right-hand side of the system is taken for its solution.
    Fix: Add γ times the values of the states that follow.
    - values = r
    + values = np.linalg.solve(np.eye(n) - gamma * P, r)
    """
    return {"gamma": arrays["gamma"] * 0}


@fault("counting")
def ends_left_out_of_the_counts(form: Form, /, **arrays: Any) -> Outputs:
    """Divides moves by the visits that went on, as if no visit had ended the episode.

    Shown when: Batch TD, and a state that ends some episodes and goes on in others.
    Cause: The rows of the counted transitions are made to add up to 1.
    Fix: N(s) counts all visits: what ends is a move to a state that is worth 0.
    - P = counts / counts.sum(axis=1, keepdims=True)
    + P = counts / visits[:, None]
    """
    found, seen = dict(form(**arrays)), shared.experience(arrays)
    if arrays["method"] != "td":
        return found
    gamma, chain = arrays["gamma"], moves(seen)
    onward = [[chain[s][t] / max(1, sum(chain[s].values())) for t in seen.left] for s in seen.left]
    paid = form(**{**arrays, "gamma": gamma * 0})["state_values"]
    values = np.linalg.solve(np.eye(len(onward)) - gamma * np.array(onward), paid)
    return {**found, "state_values": values.astype(paid.dtype)}


@fault("counting")
def first_visits_only(form: Form, /, **arrays: Any) -> Outputs:
    """Counts the return of the first visit in each episode only.

    Shown when: Batch Monte Carlo, and a state that comes twice in an episode.
    Cause: The first-visit method is the better known one.
    Fix: Batch Monte Carlo with a constant step size settles at the mean of all returns.
    - if s not in states[:t]:
    -     returns[s].append(g)
    + returns[s].append(g)
    """
    found = dict(form(**arrays))
    if arrays["method"] == "mc":
        given = {name: arrays[name] for name in ("steps", "episodes", "gamma")}
        first = load_forms("mc").numpy_form(**given, visit="first", values=None, alpha=None)
        found["state_values"] = first["state_values"]
    return found
