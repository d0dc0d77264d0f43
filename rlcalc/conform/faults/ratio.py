"""Faults of the probability ratio."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, output_fault


@argument_fault("swapped")
def ratio_inverted(arrays: Arrays) -> Arrays:
    """Divides the old probability by the new one.

    Shown when: Any two probabilities that differ.
    Cause: The difference of the logs was written as old − new, as in an estimate of the divergence.
    Fix: exp(log π_new − log π_old): an action that became more likely has a ratio above 1.
    - ratio = np.exp(old_log_prob - log_prob)
    + ratio = np.exp(log_prob - old_log_prob)
    """
    swapped = {"new": "old", "old": "new", "new_log": "old_log", "old_log": "new_log"}
    return {name: arrays[other] for name, other in swapped.items()}


@output_fault("logarithm")
def exponential_missing(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the difference of the logs, which is 0 where the ratio is 1.

    Shown when: Every input.
    Cause: Log-probabilities are stored, and their difference was taken for the ratio.
    Fix: Exponentiate the difference.
    - ratio = log_prob - old_log_prob
    + ratio = np.exp(log_prob - old_log_prob)
    """
    return {**found, "ratio": found["log_ratio"]}


@fault("logarithm")
def logs_divided(form: Form, **arrays: Any) -> Outputs:
    """Divides the log-probabilities by each other.

    Shown when: Any two log-probabilities that differ; equal ones give 1 by coincidence.
    Cause: Code for probabilities was given log-probabilities.
    Fix: A quotient of probabilities is a difference of logs: subtract, then exponentiate.
    - ratio = log_prob / old_log_prob
    + ratio = np.exp(log_prob - old_log_prob)
    """
    if arrays["new_log"] is None:
        return dict(form(**arrays))
    return {"ratio": arrays["new_log"] / arrays["old_log"]}


@fault("precision")
def exponentials_divided(form: Form, **arrays: Any) -> Outputs:
    """Exponentiates both logs and divides: 0/0, and so not a number, once both underflow.

    Shown when: Log-probabilities below −745 in double precision, below −104 in single.
    Cause: It is the definition, written down literally; whole answers of many tokens are that unlikely.
    Fix: Subtract the logs first and exponentiate last.
    - ratio = np.exp(log_prob) / np.exp(old_log_prob)
    + ratio = np.exp(log_prob - old_log_prob)
    """
    if arrays["new_log"] is None:
        return dict(form(**arrays))
    return {"ratio": np.exp(arrays["new_log"]) / np.exp(arrays["old_log"])}


@fault("normalisation")
def divisor_padded(form: Form, **arrays: Any) -> Outputs:
    """Adds 1e-10 to the old probability before dividing.

    Shown when: Small old probabilities: with 1e-10 the ratio is already halved; ratios of equal policies are
        below 1.
    Cause: A guard against division by 0, which the old policy cannot cause for an action that it took.
    Fix: Leave it out, or work with log-probabilities.
    - ratio = prob / (old_prob + 1e-10)
    + ratio = prob / old_prob
    """
    new, old = arrays["new"], arrays["old"]
    if new is None:
        new, old = np.exp(arrays["new_log"]), np.exp(arrays["old_log"])
    return {"ratio": new / (old + new.dtype.type(1e-10))}


@output_fault("ignored", "meta-pytorch/torchforge PR #571", "tensorforce/tensorforce issue #312")
def ratio_always_one(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives 1 whatever the old policy was: its log-probabilities are never used.

    Shown when: Any two probabilities that differ.
    Cause: The ratio is exp(new − stop_gradient(new)), as it is for data of the policy itself; it has the
        right gradient in the first update only, and nothing is ever clipped.
    Fix: Subtract the log-probabilities that were stored when the action was taken.
    - ratio = torch.exp(log_prob - log_prob.detach())
    + ratio = torch.exp(log_prob - old_log_prob)
    """
    return {**found, "ratio": np.ones_like(found["ratio"]), "log_ratio": np.zeros_like(found["log_ratio"])}
