"""Faults of the table of expected SARSA."""

from __future__ import annotations

from typing import Any

from rlcalc.backends import NUMPY
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault
from rlcalc.conform.faults import _learning as shared
from rlcalc.formulas import _learning_arrays as learning
from rlcalc.formulas import load_forms

of_one_table = shared.OF_ONE_TABLE


@argument_fault("swapped")
def best_next_action(arrays: Arrays) -> Arrays:
    """Takes the best next action, whatever ε is: the target of Q-learning.

    Shown when: ε above 0 and next actions of different value.
    Cause: The update of Q-learning is copied.
    Fix: Weigh the action values with the probabilities of the policy.
    - target = r + gamma * q[s2].max()
    + target = r + gamma * (pi[s2] * q[s2]).sum()
    """
    return {"epsilon": arrays["epsilon"] * 0}


@argument_fault("ignored")
def uniform_policy(arrays: Arrays) -> Arrays:
    """Takes the mean of the next action values, whatever ε is.

    Shown when: ε below 1 and next actions of different value.
    Cause: mean() in place of the weighted sum.
    Fix: Weigh the action values with the probabilities of the policy.
    - target = r + gamma * q[s2].mean()
    + target = r + gamma * (pi[s2] * q[s2]).sum()
    """
    return {"epsilon": arrays["epsilon"] * 0 + 1}


@fault("swapped")
def next_action_taken(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the action that was chosen next: the target of SARSA.

    Shown when: A next action whose value is not the expected one.
    Cause: The update of SARSA is copied.
    Fix: The expectation over all next actions.
    - target = r + gamma * q[s2, a2]
    + target = r + gamma * (pi[s2] * q[s2]).sum()
    """
    if any(step.after is not None and not step.then for step in arrays["steps"].steps):
        return dict(form(**arrays))
    given = {name: value for name, value in arrays.items() if name != "epsilon"}
    return dict(load_forms("sarsa").numpy_form(**given))


def _actions(arrays: dict[str, Any]) -> int:
    return len(learning.universe(arrays["steps"], [arrays["q"]], arrays["actions"]).actions)


@argument_fault("weighting")
def epsilon_among_the_others(arrays: Arrays) -> Arrays:
    """Shares ε among the other actions only: 1 − ε for the best one, ε/(A − 1) for each other.

    Shown when: ε above 0 and next actions of different value.
    Cause: Exploring is read as taking another action than the best one.
    Fix: Exploring takes any action: 1 − ε + ε/A for the best one, ε/A for each other.
    - probs = np.full(n_actions, epsilon / (n_actions - 1))
    - probs[best] = 1 - epsilon
    + probs = np.full(n_actions, epsilon / n_actions)
    + probs[best] += 1 - epsilon
    """
    count = _actions(
        arrays
    )  # (1 − ε)·max + ε·(sum − max)/(A − 1), with an ε that is A/(A − 1) times as large
    return {"epsilon": arrays["epsilon"] * count / (count - 1)} if count > 1 else {}


@fault("weighting")
def best_action_without_its_share(form: Form, /, **arrays: Any) -> Outputs:
    """Gives the best action 1 − ε, without its share of ε: the probabilities sum to less than 1.

    Shown when: ε above 0 and a best value other than 0.
    Cause: The probability is set where it has to be added.
    Fix: 1 − ε + ε/A for the best action.
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
