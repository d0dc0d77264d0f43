"""Faults of the trust region."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import NUMPY
from rlcalc.conform.fault import Arrays, Form, Outputs, fault, output_fault


def _stepped(arrays: Arrays, direction: Any, factor: Any) -> Outputs:
    """What follows from another direction and length of the step."""
    theta = arrays["theta"]
    moved = (theta + factor[..., None] * direction).astype(theta.dtype)
    old, new = NUMPY.softmax(theta, -1), NUMPY.softmax(moved, -1)
    kl = (old * (np.log(old) - np.log(new))).sum(-1)
    return {"kl": kl, "theta_new": moved, "policy": new, "direction": direction.astype(theta.dtype)}


def _natural(arrays: Arrays) -> Any:
    raw = arrays["gradient"] / NUMPY.softmax(arrays["theta"], -1)
    return raw - raw.mean(-1, keepdims=True)


def _length(arrays: Arrays, direction: Any, numerator: Any) -> Any:
    """sqrt(numerator / gᵀx), 0 where there is no gradient."""
    whole = (arrays["gradient"] * direction).sum(-1)
    return np.where(whole > 0, np.sqrt(numerator / np.where(whole > 0, whole, 1)), 0)


def _is_step(arrays: Arrays) -> bool:
    return arrays.get("theta") is not None


@fault("ignored")
def plain_gradient(form: Form, /, **arrays: Any) -> Outputs:
    """Steps along the gradient itself: the Fisher information is left out.

    Shown when: A step whose policy is not uniform, or whose length is looked at.
    Cause: The solve F x = g did not run, or returned its first guess.
    Fix: Solve F x = g first.
    - direction = gradient
    + direction = conjugate_gradient(fisher_vector_product, gradient)
    """
    if not _is_step(arrays):
        return dict(form(**arrays))
    g = arrays["gradient"]
    return _stepped(arrays, g, _length(arrays, g, 2 * arrays["radius"]))


@fault("weighting")
def two_missing(form: Form, /, **arrays: Any) -> Outputs:
    """Takes sqrt(δ / gᵀx) for the length of the step.

    Shown when: A step with a gradient other than 0.
    Cause: The half of the second-order divergence is forgotten.
    Fix: sqrt(2δ / gᵀx).
    - step = np.sqrt(delta / (g @ x)) * x
    + step = np.sqrt(2 * delta / (g @ x)) * x
    """
    if not _is_step(arrays):
        return dict(form(**arrays))
    x = _natural(arrays)
    return _stepped(arrays, x, _length(arrays, x, arrays["radius"]))


@fault("clipping")
def root_missing(form: Form, /, **arrays: Any) -> Outputs:
    """Takes 2δ / gᵀx for the length of the step.

    Shown when: A step for which 2δ / gᵀx is neither 0 nor 1.
    Cause: A call of sqrt is lost.
    Fix: sqrt(2δ / gᵀx).
    - step = 2 * delta / (g @ x) * x
    + step = np.sqrt(2 * delta / (g @ x)) * x
    """
    if not _is_step(arrays):
        return dict(form(**arrays))
    x = _natural(arrays)
    return _stepped(arrays, x, np.square(_length(arrays, x, 2 * arrays["radius"])))


@fault("swapped")
def length_of_the_direction(form: Form, /, **arrays: Any) -> Outputs:
    """Divides by xᵀx where gᵀx belongs.

    Shown when: A step with a gradient other than 0.
    Cause: The step is normalised as a vector, not in the metric of the policy.
    Fix: sqrt(2δ / gᵀx), or with xᵀF x, which is the same.
    - step = np.sqrt(2 * delta / (x @ x)) * x
    + step = np.sqrt(2 * delta / (x @ fisher_vector_product(x))) * x
    """
    if not _is_step(arrays):
        return dict(form(**arrays))
    x = _natural(arrays)
    return _stepped(arrays, x, _length({**arrays, "gradient": x}, x, 2 * arrays["radius"]))


@fault("sign")
def descends(form: Form, /, **arrays: Any) -> Outputs:
    """Steps against the gradient of the objective.

    Shown when: A step with a gradient other than 0.
    Cause: The gradient is that of a loss, and its sign is changed once too often.
    Fix: Add the step for an objective.
    - theta = theta - step
    + theta = theta + step
    """
    if not _is_step(arrays):
        return dict(form(**arrays))
    x = _natural(arrays)
    return _stepped(arrays, x, -_length(arrays, x, 2 * arrays["radius"]))


@output_fault("reduction")
def mean_over_actions(found: Outputs, arrays: Arrays) -> Outputs:
    """Averages the terms of the divergence over the actions.

    Shown when: Policies that differ, of two actions or more.
    Cause: mean() over terms that the old policy weighs already.
    Fix: Sum them.
    - kl = (old * (old.log() - new.log())).mean(-1)
    + kl = (old * (old.log() - new.log())).sum(-1)
    """
    given = arrays["theta"] if _is_step(arrays) else arrays["old"]
    return {**found, "kl": found["kl"] / given.shape[-1]}


@output_fault("sign")
def divergence_negative(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the divergence with a minus: every step is inside.

    Shown when: Policies that differ.
    Cause: log(new/old) is averaged where log(old/new) belongs.
    Fix: A divergence is never negative.
    - kl = (old * (new.log() - old.log())).sum(-1)
    + kl = (old * (old.log() - new.log())).sum(-1)
    """
    return {**found, "kl": -found["kl"]}
