"""Faults of returns by importance sampling."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, output_fault


@argument_fault("ignored")
def ratios_ignored(arrays: Arrays) -> Arrays:
    """Averages the returns as if the policy itself had acted.

    Shown when: A ratio other than 1.
    Cause: Episodes of a buffer are taken for the policy's own.
    Fix: Multiply every return by its ratio.
    - value = returns.mean()
    + value = (ratios * returns).mean()
    """
    return {name: np.ones_like(arrays[name]) for name in _given(arrays)}


@argument_fault("swapped")
def ratios_inverted(arrays: Arrays) -> Arrays:
    """Divides the behaviour's probability by the policy's.

    Shown when: A ratio other than 1.
    Cause: The arguments of the quotient were mixed up.
    Fix: π/μ.
    - ratios = behaviour_probs / target_probs
    + ratios = target_probs / behaviour_probs
    """
    with np.errstate(divide="ignore"):
        return {name: 1 / arrays[name] for name in _given(arrays)}


def _given(arrays: Arrays) -> list[str]:
    return [name for name in ("ratios", "step_ratios") if arrays.get(name) is not None]


@output_fault("normalisation")
def weights_not_normalised(found: Outputs, arrays: Arrays) -> Outputs:
    """Divides the weighted estimate by the number of episodes, which makes it the ordinary one.

    Shown when: Ratios that do not average 1.
    Cause: mean() where the ratios have to be summed.
    Fix: Divide by the sum of the ratios.
    - weighted = (ratios * returns).mean()
    + weighted = (ratios * returns).sum() / ratios.sum()
    """
    return {**found, "weighted": found["ordinary"]}


@output_fault("swapped")
def estimates_swapped(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the weighted estimate as the ordinary one, and the other way round.

    Shown when: Ratios that do not average 1.
    Cause: Ordinary and weighted are mixed up: both have weights.
    Fix: Ordinary divides by the number of episodes.
    - ordinary = (ratios * returns).sum() / ratios.sum()
    + ordinary = (ratios * returns).sum() / len(returns)
    """
    return {**found, "ordinary": found["weighted"], "weighted": found["ordinary"]}


@fault("indexing")
def last_ratio_only(form: Form, /, **arrays: Any) -> Outputs:
    """Weighs an episode with the ratio of its last step, and each decision with its own ratio alone.

    Shown when: Steps whose earlier ratios are not 1.
    Cause: The product over the steps is overwritten, not multiplied.
    Fix: The product of the ratios of all steps.
    - rho = pi[t] / mu[t]
    + rho *= pi[t] / mu[t]
    """
    ratios = arrays.get("step_ratios")
    if ratios is None:
        return dict(form(**arrays))
    powers = arrays["gamma"] ** np.arange(ratios.shape[-1], dtype=ratios.dtype)
    alone = (powers * ratios * arrays["rewards"]).sum(-1).mean(-1)
    return {**form(**arrays), **_reweighted(arrays, ratios[..., -1]), "per_decision": alone}


@fault("reduction")
def mean_of_the_ratios(form: Form, /, **arrays: Any) -> Outputs:
    """Weighs an episode with the mean of the ratios of its steps.

    Shown when: Steps whose ratios differ.
    Cause: mean() for a product, which stays small and wrong.
    Fix: The product of the ratios of all steps.
    - rho = (pi / mu).mean(axis=-1)
    + rho = (pi / mu).prod(axis=-1)
    """
    ratios = arrays.get("step_ratios")
    if ratios is None:
        return dict(form(**arrays))
    return {**form(**arrays), **_reweighted(arrays, ratios.mean(-1))}


def _returns(arrays: Arrays) -> Any:
    rewards = arrays["rewards"]
    powers = arrays["gamma"] ** np.arange(rewards.shape[-1], dtype=rewards.dtype)
    return (powers * rewards).sum(-1)


def _reweighted(arrays: Arrays, ratios: Any) -> Outputs:
    parts, whole = ratios * _returns(arrays), ratios.sum(-1)
    safe = np.where(whole > 0, whole, 1)
    weighted = np.where(whole > 0, parts.sum(-1) / safe, 0)
    kind = arrays["rewards"].dtype
    return {"ordinary": parts.mean(-1).astype(kind), "weighted": weighted.astype(kind)}


@fault("indexing")
def ratio_one_late(form: Form, /, **arrays: Any) -> Outputs:
    """Weighs a reward per decision without the ratio of the action that earned it.

    Shown when: Steps with a reward and a ratio other than 1.
    Cause: The product is multiplied after the reward was added.
    Fix: The ratios up to and including the step of the reward.
    - total += gamma**t * rho * r
      rho *= pi[t] / mu[t]
    + total += gamma**t * rho * r
    """
    ratios = arrays.get("step_ratios")
    found = dict(form(**arrays))
    if ratios is None:
        return found
    late = np.concatenate([np.ones_like(ratios[..., :1]), ratios[..., :-1]], -1)
    return {**found, "per_decision": form(**{**arrays, "step_ratios": late})["per_decision"]}


@output_fault("weighting")
def whole_ratio_for_every_reward(found: Outputs, arrays: Arrays) -> Outputs:
    """Weighs every reward per decision with the ratio of the whole episode: the ordinary estimate again.

    Shown when: A reward before a step whose ratio is not 1.
    Cause: The product is formed before the loop over the rewards.
    Fix: A reward carries only the ratios up to its own step.
    - value += gamma**t * ratios.prod() * rewards[t]
    + value += gamma**t * ratios[: t + 1].prod() * rewards[t]
    """
    return {**found, "per_decision": found["ordinary"]} if "per_decision" in found else found
