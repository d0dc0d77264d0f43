"""Faults of the table of SARSA."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rlcalc.conform.fault import argument_fault, fault
from rlcalc.conform.faults import _learning as shared
from rlcalc.conform.forms import Arrays, Form, Outputs
from rlcalc.experience import Step
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


@fault("best-next-action", "swapped")
def best_next_action(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the best next action, not the one that was chosen: the target of Q-learning.

    Shown when: A next action that is not the best.
    Cause: The update of an off-policy method is copied.
    Fix: Q(S', A') of the action that is taken next.
    Diff:
        - target = r + gamma * q[s2].max()
        + target = r + gamma * q[s2, a2]
    """
    if arrays.get("lam") is not None:  # and without Watkins's cut
        arrays = {**arrays, **shared.with_steps(arrays, lambda t, step: replace(step, then=""))}
    return dict(load_forms("q_learning").numpy_form(**arrays))


@argument_fault("same-action-again", "indexing")
def same_action_again(arrays: Arrays) -> Arrays:
    """Takes Q(S', A) of the action that was just taken, not Q(S', A').

    Shown when: A next action other than the last one, and of another value.
    Cause: The index of the action is not moved on.
    Fix: The action goes with its state: both of the next step.
    Diff:
        - target = r + gamma * q[s2, a]
        + target = r + gamma * q[s2, a2]
    """

    def again(t: int, step: Step) -> Step:
        return step if step.after is None else replace(step, then=step.action)

    return shared.with_steps(arrays, again)
