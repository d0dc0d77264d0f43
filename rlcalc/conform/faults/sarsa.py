"""Faults of the table of SARSA."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault
from rlcalc.conform.faults import _eligibility as eligibility
from rlcalc.conform.faults import _learning as shared
from rlcalc.experience import Step
from rlcalc.formulas import load_forms

with_traces = eligibility.WITH_TRACES


@fault("swapped")
def best_next_action(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the best next action, not the one that was chosen: the target of Q-learning.

    Shown when: A next action that is not the best.
    Cause: The update of an off-policy method is copied.
    Fix: Q(S', A') of the action that is taken next.
    - target = r + gamma * q[s2].max()
    + target = r + gamma * q[s2, a2]
    """
    if arrays.get("lam") is not None:  # and without Watkins's cut
        arrays = {**arrays, **shared.with_steps(arrays, lambda t, step: replace(step, then=""))}
    return dict(load_forms("q_learning").numpy_form(**arrays))


@argument_fault("indexing")
def same_action_again(arrays: Arrays) -> Arrays:
    """Takes Q(S', A) of the action that was just taken, not Q(S', A').

    Shown when: A next action other than the last one, and of another value.
    Cause: The index of the action is not moved on.
    Fix: The action goes with its state: both of the next step.
    - target = r + gamma * q[s2, a]
    + target = r + gamma * q[s2, a2]
    """

    def again(t: int, step: Step) -> Step:
        return step if step.after is None else replace(step, then=step.action)

    return shared.with_steps(arrays, again)
