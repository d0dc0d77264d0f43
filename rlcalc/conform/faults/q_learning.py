"""Faults of the table of Q-learning."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import argument_fault, fault
from rlcalc.conform.faults import _learning as shared
from rlcalc.conform.forms import Arrays, Form, Outputs
from rlcalc.formulas import load_forms

discount_missing = shared.discount_missing
reward_discounted = shared.reward_discounted
never_bootstraps = shared.never_bootstraps
step_size_of_the_old_value = shared.step_size_of_the_old_value
away_from_target = shared.away_from_target
old_value_not_subtracted = shared.old_value_not_subtracted
step_size_on_the_reward_alone = shared.step_size_on_the_reward_alone
initial_values_throughout = shared.initial_values_throughout
terminal_value_bootstrapped = shared.terminal_value_bootstrapped
next_episode_bootstrapped = shared.next_episode_bootstrapped
own_state_bootstrapped = shared.own_state_bootstrapped
all_steps_counted = shared.all_steps_counted
n_step_discounted_once = shared.n_step_discounted_once
traces_decay_without_discount = shared.traces_decay_without_discount
traces_survive_the_end = shared.traces_survive_the_end


@fault("next-action-taken", "swapped")
def next_action_taken(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the action that was chosen next, not the best one: the target of SARSA.

    Shown when: A next action that is not the best.
    Cause: The update of an on-policy method is copied.
    Fix: max_a Q(S', a), whichever action follows.
    Diff:
        - target = r + gamma * q[s2, a2]
        + target = r + gamma * q[s2].max()
    """
    if any(step.after is not None and not step.then for step in arrays["steps"].steps):
        return dict(form(**arrays))
    return dict(load_forms("sarsa").numpy_form(**arrays))


@fault("mean-over-next-actions", "swapped")
def mean_over_next_actions(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the mean of the next action values, not the largest.

    Shown when: Next actions of different value.
    Cause: The expectation under a uniform policy stands where the maximum belongs.
    Fix: max_a Q(S', a).
    Diff:
        - target = r + gamma * q[s2].mean()
        + target = r + gamma * q[s2].max()
    """
    given = dict(arrays)
    if given.pop("lam") is not None:
        return dict(form(**arrays))
    given.pop("replacing")
    return dict(load_forms("expected_sarsa").numpy_form(epsilon=np.ones_like(arrays["gamma"]), **given))


@argument_fault("traces-never-cut", "termination")
def traces_never_cut(arrays: Arrays) -> Arrays:
    """Keeps the traces after an action that is not greedy: naive Q(λ).

    Shown when: λ above 0, and a step after an action that is not the best.
    Cause: The traces of SARSA(λ) are taken over.
    Fix: Set all traces to 0 where the next action is not greedy.
    Diff:
        - trace *= gamma * lam
        + trace *= gamma * lam if q[s2, a2] == q[s2].max() else 0
    """
    return shared.with_steps(arrays, lambda t, step: replace(step, then=""))
