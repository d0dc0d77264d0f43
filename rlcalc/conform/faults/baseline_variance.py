"""Faults of the gradient's variance under a baseline."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, fault, output_fault


def _from_scores(scores: Any, weights: Any, returns: Any, subtracted: Any) -> Outputs:
    """Mean and variance of the one-sample gradients, whose outcomes have these weights."""
    gradients = (returns - np.asarray(subtracted)[..., None])[..., None] * scores
    mean = (weights[..., None] * gradients).sum(axis=-2)
    spread = np.square(gradients - mean[..., None, :]).sum(axis=-1)
    return {"mean_gradient": mean, "variance": (weights * spread).sum(axis=-1)}


@fault("weighting")
def policy_missing_in_score(form: Form, policy: Any, returns: Any, baseline: Any) -> Outputs:
    """Takes the unit vector of the action for its score: e_a instead of e_a − π.

    Shown when: A baseline that does not fit every action; the mean gradient then depends on the baseline.
    Cause: The derivative of the chosen logit was taken, and that of the normalisation forgotten.
    Fix: For a softmax policy ∇ log π(a) = e_a − π; its mean under π is 0, which keeps a baseline unbiased.
    - scores = np.eye(n)
    + scores = np.eye(n) - policy
    """
    subtracted = form(policy=policy, returns=returns, baseline=baseline)["subtracted"]
    scores = np.eye(policy.shape[-1], dtype=policy.dtype)
    return _from_scores(scores, policy, returns, subtracted)


@fault("weighting")
def actions_not_weighted(form: Form, policy: Any, returns: Any, baseline: Any) -> Outputs:
    """Averages over all actions alike.

    Shown when: A policy that is not uniform.
    Cause: np.mean was used for an expectation.
    Fix: Weight every action with its probability, in the mean and in the variance.
    - mean = gradients.mean(axis=0)
    + mean = (policy[:, None] * gradients).sum(axis=0)
    """
    subtracted = form(policy=policy, returns=returns, baseline=baseline)["subtracted"]
    scores = np.eye(policy.shape[-1], dtype=policy.dtype) - policy[..., None, :]
    even = np.full_like(policy, 1 / policy.shape[-1])
    return _from_scores(scores, even, returns, subtracted)


@fault("weighting")
def baseline_from_the_mean_only(form: Form, policy: Any, returns: Any, baseline: Any) -> Outputs:
    """Subtracts the baseline from the mean gradient, instead of from each return.

    Shown when: Any baseline other than 0.
    Cause: The baseline was put after the parenthesis: score·G − b.
    Fix: score·(G − b): the baseline is multiplied with the score, and vanishes only in the mean.
    - gradients = scores * returns[:, None]
    - mean = (policy[:, None] * gradients).sum(axis=0) - baseline
    + gradients = scores * (returns - baseline)[:, None]
    + mean = (policy[:, None] * gradients).sum(axis=0)
    """
    found = form(policy=policy, returns=returns, baseline=baseline)
    return {"mean_gradient": found["mean_gradient"] - found["subtracted"][..., None]}


@fault("sign", stage="inputs")
def baseline_added(form: Form, policy: Any, returns: Any, baseline: Any) -> Outputs:
    """Adds the baseline to the returns.

    Shown when: Any baseline other than 0 under a policy that is not certain, by the variance; the mean is
        right.
    Cause: A sign was changed twice, in a loss and in the advantage.
    Fix: G − b. As the mean gradient is right either way, look at the variance.
    - gradients = scores * (returns + baseline)[:, None]
    + gradients = scores * (returns - baseline)[:, None]
    """
    subtracted = form(policy=policy, returns=returns, baseline=baseline)["subtracted"]
    found = form(policy=policy, returns=returns, baseline=-subtracted)
    return {name: found[name] for name in ("mean_gradient", "variance")}


@output_fault("normalisation")
def mean_not_subtracted(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the mean of the squared gradient instead of its variance.

    Shown when: A mean gradient other than 0.
    Cause: For a mean of 0 both are the same, and the score has mean 0; its product with the return has not.
    Fix: Subtract the mean gradient before squaring.
    - variance = (policy[:, None] * gradients ** 2).sum(axis=0)
    + variance = (policy[:, None] * (gradients - mean) ** 2).sum(axis=0)
    """
    return {**found, "variance": found["variance"] + np.square(found["mean_gradient"]).sum(axis=-1)}
