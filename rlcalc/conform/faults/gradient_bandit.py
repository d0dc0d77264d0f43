"""Faults of the gradient bandit."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import NUMPY
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault


def _run(arrays: Arrays, slope: Any) -> Outputs:
    """All pulls with another slope of the logarithm: a function of the policy and of what was pulled."""
    rewards, baseline = arrays["rewards"], arrays["baseline"]
    if isinstance(baseline, str):
        means = np.cumsum(rewards, -1) / np.arange(1, rewards.shape[-1] + 1, dtype=rewards.dtype)
        before = np.concatenate([rewards[..., :1], means[..., :-1]], -1)
        means = means if baseline == "with" else before
    else:
        means = baseline + np.zeros_like(rewards)
    held = arrays["preferences"] + 0 * rewards[..., :1]
    for k in range(rewards.shape[-1]):
        chosen = np.arange(held.shape[-1]) == arrays["actions"][..., k, None]
        gain = arrays["alpha"] * (rewards[..., k] - means[..., k])
        held = held + gain[..., None] * slope(NUMPY.softmax(held, -1), chosen)
    held = held.astype(rewards.dtype)
    return {"preferences": held, "policy": NUMPY.softmax(held, -1), "baselines": means.astype(rewards.dtype)}


@fault("ignored")
def other_arms_unchanged(form: Form, /, **arrays: Any) -> Outputs:
    """Moves the preference of the pulled arm alone.

    Shown when: A reward that differs from its baseline, and two arms or more.
    Cause: Only the first of the two lines of the update is written.
    Fix: Every other arm moves by −α (R − B) π(b).
    - H[a] += alpha * (r - baseline) * (1 - pi[a])
    + H -= alpha * (r - baseline) * pi
    + H[a] += alpha * (r - baseline)
    """
    return _run(arrays, lambda policy, chosen: np.where(chosen, 1 - policy, 0))


@fault("weighting")
def probability_missing(form: Form, /, **arrays: Any) -> Outputs:
    """Moves the pulled arm by the whole α (R − B), and the others not at all.

    Shown when: A reward that differs from its baseline.
    Cause: The preferences are taken for values.
    Fix: [a = b] − π(b).
    - H[a] += alpha * (r - baseline)
    + H += alpha * (r - baseline) * (one_hot(a) - pi)
    """
    return _run(arrays, lambda policy, chosen: chosen * np.ones_like(policy))


@fault("sign")
def others_raised(form: Form, /, **arrays: Any) -> Outputs:
    """Raises the preferences of the arms that were not pulled.

    Shown when: A reward that differs from its baseline, and two arms or more.
    Cause: The minus of the second line of the update is lost.
    Fix: The other arms lose what the pulled one gains.
    - H[others] += alpha * (r - baseline) * pi[others]
    + H[others] -= alpha * (r - baseline) * pi[others]
    """
    return _run(arrays, lambda policy, chosen: np.where(chosen, 1 - policy, policy))


@argument_fault("sign")
def descends(arrays: Arrays) -> Arrays:
    """Goes down: what pays becomes less likely.

    Shown when: A reward that differs from its baseline.
    Cause: The step of a loss is used for an objective.
    Fix: Add the step.
    - H -= alpha * (r - baseline) * (one_hot(a) - pi)
    + H += alpha * (r - baseline) * (one_hot(a) - pi)
    """
    return {"alpha": -arrays["alpha"]}


@argument_fault("ignored")
def baseline_missing(arrays: Arrays) -> Arrays:
    """Takes the reward as it is, without a baseline.

    Shown when: A baseline other than 0.
    Cause: The baseline changes no expectation, and is left out.
    Fix: Subtract the running mean.
    - H += alpha * r * (one_hot(a) - pi)
    + H += alpha * (r - mean_reward) * (one_hot(a) - pi)
    """
    return {"baseline": np.zeros((), arrays["rewards"].dtype)}


@argument_fault("indexing")
def baseline_starts_at_zero(arrays: Arrays) -> Arrays:
    """Lets the mean start with a reward of 0 that was never paid.

    Shown when: A running mean and a first reward other than 0.
    Cause: The mean is initialised with 0 and counted as a reward.
    Fix: The first baseline is the first reward, or 0 is no part of the later means.
    - mean_reward, count = 0.0, 1
    + mean_reward, count = 0.0, 0
    """
    if not isinstance(arrays["baseline"], str):
        return {}
    rewards = arrays["rewards"]
    paid = np.concatenate([rewards[..., :1] * 0, rewards], -1)
    means = np.cumsum(paid, -1) / np.arange(1, paid.shape[-1] + 1, dtype=rewards.dtype)
    means = means[..., 1:] if arrays["baseline"] == "with" else means[..., :-1]
    return {"rewards": rewards - means, "baseline": np.zeros((), rewards.dtype)}
