"""Faults of the ε-greedy policy."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault


def _best(arrays: Arrays) -> Any:
    return arrays["q"] == arrays["q"].max(-1, keepdims=True)


def _outputs(arrays: Arrays, policy: Any) -> Outputs:
    policy = np.broadcast_to(policy, arrays["q"].shape).astype(arrays["q"].dtype)
    return {"policy": policy, "value": (policy * arrays["q"]).sum(-1)}


def _greedy(arrays: Arrays) -> Any:
    best = _best(arrays)
    return (1 - arrays["epsilon"][..., None]) * best / best.sum(-1, keepdims=True)


@fault("weighting", "terrence-ou/Reinforcement-Learning-2nd-Edition-Notes-Codes issue #1")
def epsilon_for_every_action(form: Form, /, **arrays: Any) -> Outputs:
    """Gives every action the probability ε, and the best one 1 − ε besides: they sum to more than 1.

    Shown when: ε above 0 and two actions or more.
    Cause: The division by the number of actions is missing.
    Fix: ε divided by the number of actions.
    - probs = np.full(n_actions, epsilon)
    + probs = np.full(n_actions, epsilon / n_actions)
      probs[best] += 1 - epsilon
    """
    return _outputs(arrays, arrays["epsilon"][..., None] + _greedy(arrays))


@fault("weighting")
def best_action_without_its_share(form: Form, /, **arrays: Any) -> Outputs:
    """Gives the best action 1 − ε, without its share of ε: the probabilities sum to less than 1.

    Shown when: ε above 0.
    Cause: The probability is set where it has to be added.
    Fix: 1 − ε + ε/A for the best action.
      probs = np.full(n_actions, epsilon / n_actions)
    - probs[best] = 1 - epsilon
    + probs[best] += 1 - epsilon
    """
    explored = arrays["epsilon"][..., None] / arrays["q"].shape[-1]
    return _outputs(arrays, np.where(_best(arrays), 0, explored) + _greedy(arrays))


@fault("weighting")
def explores_the_others_only(form: Form, /, **arrays: Any) -> Outputs:
    """Shares ε among the other actions: a random choice never falls on the best one.

    Shown when: ε above 0, two actions or more, and one of them not the best.
    Cause: "With probability ε another action" is read into the rule.
    Fix: ε/A for every action, the best included.
    - probs = np.full(n_actions, epsilon / (n_actions - 1))
    - probs[best] = 1 - epsilon
    + probs = np.full(n_actions, epsilon / n_actions)
    + probs[best] += 1 - epsilon
    """
    best = _best(arrays)
    others = np.maximum((~best).sum(-1, keepdims=True), 1)
    return _outputs(arrays, np.where(best, 0, arrays["epsilon"][..., None] / others) + _greedy(arrays))


@fault("normalisation")
def ties_counted_twice(form: Form, /, **arrays: Any) -> Outputs:
    """Gives 1 − ε to each of several best actions.

    Shown when: Two equal best values.
    Cause: The best actions are found by comparing with the maximum, and their number is not looked at.
    Fix: Divide 1 − ε by the number of best actions.
    - probs[q == q.max()] += 1 - epsilon
    + best = q == q.max()
    + probs[best] += (1 - epsilon) / best.sum()
    """
    explored = arrays["epsilon"][..., None] / arrays["q"].shape[-1]
    return _outputs(arrays, explored + _best(arrays) * (1 - arrays["epsilon"][..., None]))


@argument_fault("swapped")
def epsilon_is_the_greedy_one(arrays: Arrays) -> Arrays:
    """Explores with probability 1 − ε.

    Shown when: ε other than 1/2.
    Cause: The comparison with the random number is the other way round.
    Fix: Explore where the random number is below ε.
    - if random.random() > epsilon:
    + if random.random() < epsilon:
          return random.randrange(n_actions)
    """
    return {"epsilon": 1 - arrays["epsilon"]}


@fault("swapped", stage="inputs")
def smallest_action(form: Form, /, **arrays: Any) -> Outputs:
    """Prefers the worst action.

    Shown when: Action values that differ.
    Cause: Code for costs, which are minimised, is used with rewards.
    Fix: The largest value.
    - best = q.argmin()
    + best = q.argmax()
    """
    return _outputs(arrays, form(**{**arrays, "q": -arrays["q"]})["policy"])
