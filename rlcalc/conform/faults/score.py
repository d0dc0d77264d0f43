"""Faults of the score of a softmax policy."""

from __future__ import annotations

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Outputs, output_fault
from rlcalc.conform.faults._sequence import mapped


@output_fault("sign")
def sign_flipped(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives π(b) − [a = b], the gradient of −log π(a).

    Shown when: Two actions that both have a chance.
    Cause: Taken from the cross-entropy loss of a classifier, which is minimised.
    Fix: [a = b] − π(b): the entry of the action taken is positive.
    - score = policy - one_hot(action)
    + score = one_hot(action) - policy
    """
    return mapped(found, "score", lambda score: -score)


@output_fault("weighting")
def chosen_entry_only(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives 1 − π(a) at the action taken and 0 elsewhere.

    Shown when: Two actions that both have a chance.
    Cause: The derivative by the preference of the action taken was worked out, and the others were forgotten;
        each of them lowers π(a) through the sum.
    Fix: −π(b) at every other action, so that the entries sum to 0.
    - score = one_hot(action) * (1 - policy)
    + score = one_hot(action) - policy
    """
    chosen = np.arange(found["score"].shape[-1]) == arrays["action"][..., None]
    return mapped(found, "score", lambda score: np.where(chosen, score, np.zeros_like(score)))


@output_fault("weighting")
def policy_not_subtracted(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives 1 at the action taken and 0 elsewhere.

    Shown when: Any policy; with one action the score is 0.
    Cause: log π(a) was taken to be θ_a, without the logarithm of the sum.
    Fix: Subtract the policy: [a = b] − π(b).
    - score = one_hot(action)
    + score = one_hot(action) - policy
    """
    return mapped(found, "score", lambda score: score + found["policy"])


@output_fault("logarithm")
def gradient_of_the_probability(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives π(a)·([a = b] − π(b)), the gradient of π(a) instead of log π(a).

    Shown when: Two actions that both have a chance.
    Cause: The logarithm is missing in front of the derivative; sampling with π(a) already puts that factor
        in.
    Fix: Differentiate log π(a): divide by π(a).
    - score = policy[action] * (one_hot(action) - policy)
    + score = one_hot(action) - policy
    """
    index = np.broadcast_to(np.asarray(arrays["action"])[..., None], (*found["policy"].shape[:-1], 1))
    chance = np.take_along_axis(found["policy"], index, axis=-1)
    return mapped(found, "score", lambda score: chance * score)
