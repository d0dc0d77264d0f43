"""Faults of the gradient's variance under a baseline."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form

Outputs = dict[str, Any]


def _from_scores(scores: Any, weights: Any, returns: Any, subtracted: Any) -> Outputs:
    """Mean and variance of the one-sample gradients, whose outcomes have these weights."""
    import numpy as np

    gradients = (returns - np.asarray(subtracted)[..., None])[..., None] * scores
    mean = (weights[..., None] * gradients).sum(axis=-2)
    spread = np.square(gradients - mean[..., None, :]).sum(axis=-1)
    return {"mean_gradient": mean, "variance": (weights * spread).sum(axis=-1)}


def policy_missing_in_score(form: Form, policy: Any, returns: Any, baseline: Any) -> Outputs:
    import numpy as np

    subtracted = form(policy=policy, returns=returns, baseline=baseline)["subtracted"]
    scores = np.eye(policy.shape[-1], dtype=policy.dtype)
    return _from_scores(scores, policy, returns, subtracted)


def actions_not_weighted(form: Form, policy: Any, returns: Any, baseline: Any) -> Outputs:
    import numpy as np

    subtracted = form(policy=policy, returns=returns, baseline=baseline)["subtracted"]
    scores = np.eye(policy.shape[-1], dtype=policy.dtype) - policy[..., None, :]
    even = np.full_like(policy, 1 / policy.shape[-1])
    return _from_scores(scores, even, returns, subtracted)


def baseline_from_the_mean_only(form: Form, policy: Any, returns: Any, baseline: Any) -> Outputs:
    """b is subtracted from E[score·G], whose true counterpart E[score·b] is 0."""
    found = form(policy=policy, returns=returns, baseline=baseline)
    return {"mean_gradient": found["mean_gradient"] - found["subtracted"][..., None]}


def baseline_added(form: Form, policy: Any, returns: Any, baseline: Any) -> Outputs:
    subtracted = form(policy=policy, returns=returns, baseline=baseline)["subtracted"]
    found = form(policy=policy, returns=returns, baseline=-subtracted)
    return {name: found[name] for name in ("mean_gradient", "variance")}


def mean_not_subtracted(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    found = dict(form(**arrays))
    return {**found, "variance": found["variance"] + np.square(found["mean_gradient"]).sum(axis=-1)}
