"""Faults of the table of expected SARSA."""

from __future__ import annotations

from typing import Any

from rlcalc.backends import NUMPY
from rlcalc.conform.fault import argument_fault, fault
from rlcalc.conform.faults import _learning as shared
from rlcalc.conform.forms import Arrays, Form, Outputs
from rlcalc.formulas import _learning_arrays as learning
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


@argument_fault("best-next-action", "swapped")
def best_next_action(arrays: Arrays) -> Arrays:
    """Takes the best next action, whatever ε is: the target of Q-learning.

    Shown when: ε above 0 and next actions of different value.
    Cause: The update of Q-learning is copied.
    Fix: Weigh the action values with the probabilities of the policy.
    Diff:
        - target = r + gamma * q[s2].max()
        + target = r + gamma * (pi[s2] * q[s2]).sum()
    """
    return {"epsilon": arrays["epsilon"] * 0}


@argument_fault("uniform-policy", "ignored")
def uniform_policy(arrays: Arrays) -> Arrays:
    """Takes the mean of the next action values, whatever ε is.

    Shown when: ε below 1 and next actions of different value.
    Cause: mean() in place of the weighted sum.
    Fix: Weigh the action values with the probabilities of the policy.
    Diff:
        - target = r + gamma * q[s2].mean()
        + target = r + gamma * (pi[s2] * q[s2]).sum()
    """
    return {"epsilon": arrays["epsilon"] * 0 + 1}


@fault("next-action-taken", "swapped")
def next_action_taken(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the action that was chosen next: the target of SARSA.

    Shown when: A next action whose value is not the expected one.
    Cause: The update of SARSA is copied.
    Fix: The expectation over all next actions.
    Diff:
        - target = r + gamma * q[s2, a2]
        + target = r + gamma * (pi[s2] * q[s2]).sum()
    """
    if any(step.after is not None and not step.then for step in arrays["steps"].steps):
        return dict(form(**arrays))
    given = {name: value for name, value in arrays.items() if name != "epsilon"}
    return dict(load_forms("sarsa").numpy_form(**given))


def _actions(arrays: dict[str, Any]) -> int:
    return len(learning.universe(arrays["steps"], [arrays["q"]], arrays["actions"]).actions)


@argument_fault("epsilon-among-the-others", "weighting")
def epsilon_among_the_others(arrays: Arrays) -> Arrays:
    """Shares ε among the other actions only: 1 − ε for the best one, ε/(A − 1) for each other.

    Shown when: ε above 0 and next actions of different value.
    Cause: Exploring is read as taking another action than the best one.
    Fix: Exploring takes any action: 1 − ε + ε/A for the best one, ε/A for each other.
    Diff:
        - probs = np.full(n_actions, epsilon / (n_actions - 1))
        - probs[best] = 1 - epsilon
        + probs = np.full(n_actions, epsilon / n_actions)
        + probs[best] += 1 - epsilon
    """
    count = _actions(
        arrays
    )  # (1 − ε)·max + ε·(sum − max)/(A − 1), with an ε that is A/(A − 1) times as large
    return {"epsilon": arrays["epsilon"] * count / (count - 1)} if count > 1 else {}


@fault("best-action-without-its-share", "weighting")
def best_action_without_its_share(form: Form, /, **arrays: Any) -> Outputs:
    """Gives the best action 1 − ε, without its share of ε: the probabilities sum to less than 1.

    Shown when: ε above 0 and a best value other than 0.
    Cause: The probability is set where it has to be added.
    Fix: 1 − ε + ε/A for the best action.
    Diff:
          probs = np.full(n_actions, epsilon / n_actions)
        - probs[best] = 1 - epsilon
        + probs[best] += 1 - epsilon
    """
    share = arrays["epsilon"] / _actions(arrays)

    def less(**given: Any) -> Outputs:
        window = given["steps"].steps
        end = shared.end_of(window)
        target = form(**given)["target"][0]
        if window[end].after is not None:
            values = learning.action_values(given["q"].values, window[end].after, given["actions"])
            target = target - given["gamma"] ** (end + 1) * share * NUMPY.amax(NUMPY.stack(values), -1)
        return {"target": [target]}

    return shared.stepwise(less, arrays)
