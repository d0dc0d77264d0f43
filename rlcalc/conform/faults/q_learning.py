"""Faults of the table of Q-learning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault
from rlcalc.conform.faults import _eligibility as eligibility
from rlcalc.conform.faults import _learning as shared
from rlcalc.formulas import load_forms

with_traces = eligibility.WITH_TRACES


def _instead_of_the_best(form: Form, arrays: dict[str, Any], of: Callable[[list[Any]], Any]) -> Outputs:
    """Updates towards another number of the next row; of one step each and without traces alone."""
    if arrays["n"] != 1 or arrays["lam"] is not None:
        return dict(form(**arrays))

    def target(**given: Any) -> Outputs:
        step = given["steps"].steps[0]
        if step.after is None:
            return dict(form(**given))
        row = [given["q"].get((step.after, action)) for action in given["actions"]]
        return {"target": [step.reward + given["gamma"] * of(row)]}

    return shared.stepwise(target, arrays)


@fault("swapped")
def next_action_taken(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the action that was chosen next, not the best one: the target of SARSA.

    Shown when: A next action that is not the best.
    Cause: The update of an on-policy method is copied.
    Fix: max_a Q(S', a), whichever action follows.
    - target = r + gamma * q[s2, a2]
    + target = r + gamma * q[s2].max()
    """
    if any(step.after is not None and not step.then for step in arrays["steps"].steps):
        return dict(form(**arrays))
    return dict(load_forms("sarsa").numpy_form(**arrays))


@fault("swapped")
def mean_over_next_actions(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the mean of the next action values, not the largest.

    Shown when: Next actions of different value.
    Cause: The expectation under a uniform policy stands where the maximum belongs.
    Fix: max_a Q(S', a).
    - target = r + gamma * q[s2].mean()
    + target = r + gamma * q[s2].max()
    """
    given = dict(arrays)
    if given.pop("lam") is not None:
        return dict(form(**arrays))
    given.pop("replacing")
    return dict(load_forms("expected_sarsa").numpy_form(epsilon=np.ones_like(arrays["gamma"]), **given))


@fault("swapped")
def index_of_the_best_action(form: Form, /, **arrays: Any) -> Outputs:
    """Adds γ times the number of the best next action, not its value.

    Shown when: A next state whose best action has another value than its number.
    Cause: argmax is written for max.
    Fix: max_a Q(S', a); argmax says which action that is.
    - target = r + gamma * q[s2].argmax()
    + target = r + gamma * q[s2].max()
    """
    return _instead_of_the_best(form, arrays, lambda row: int(np.argmax(row)))


@fault("swapped")
def smallest_next_value(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the smallest of the next action values, not the largest.

    Shown when: Next actions of different value.
    Cause: Costs became rewards, and min stayed; or max and min are mixed up.
    Fix: max_a Q(S', a).
    - target = r + gamma * q[s2].min()
    + target = r + gamma * q[s2].max()
    """
    return _instead_of_the_best(form, arrays, min)


@argument_fault("termination")
def traces_never_cut(arrays: Arrays) -> Arrays:
    """Keeps the traces after an action that is not greedy: naive Q(λ).

    Shown when: λ above 0, and a step after an action that is not the best.
    Cause: The traces of SARSA(λ) are taken over.
    Fix: Set all traces to 0 where the next action is not greedy.
    - trace *= gamma * lam
    + trace *= gamma * lam if q[s2, a2] == q[s2].max() else 0
    """
    return shared.with_steps(arrays, lambda t, step: replace(step, then=""))
