"""Faults of the entropy."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, output_fault, sets


@output_fault("precision", spared="positive-probabilities")
def zero_gives_nan(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives not a number as soon as one action has probability 0.

    Shown when: A policy with an impossible action, such as a masked one.
    Cause: In floating point 0·log 0 is 0·(−∞), which is not a number; the limit, and the definition, is 0.
    Fix: Take the logarithm of 1 where the probability is 0 (or xlogy), so that the gradient stays finite as
        well.
    - entropy = -(p * np.log(p)).sum(-1)
    + entropy = -(p * np.log(np.where(p > 0, p, 1))).sum(-1)
    """
    impossible = (arrays["p"] == 0).any(axis=-1)
    return {"entropy": np.where(impossible, np.nan, found["entropy"]).astype(arrays["p"].dtype)}


@sets("logarithm", base="e")
def base_ignored() -> None:
    """Always gives nats.

    Shown when: Any base other than e.
    Cause: The natural logarithm is used and the division by log b forgotten.
    Fix: Divide by log b.
    - return -(p * np.log(p)).sum(-1)
    + return -(p * np.log(p)).sum(-1) / np.log(base)
    """


@argument_fault("logarithm")
def softmax_twice(arrays: Arrays) -> Arrays:
    """Takes the softmax of the probabilities first: nearly the entropy of a uniform policy, whatever it is.

    Shown when: A policy that is not uniform.
    Cause: The network ends in a softmax, or one was taken, before a distribution that takes its own.
    Fix: Hand the logits over as logits, or probabilities as probs.
    - entropy = Categorical(logits=torch.softmax(logits, -1)).entropy()
    + entropy = Categorical(logits=logits).entropy()
    """
    weights = np.exp(arrays["p"])
    return {"p": weights / weights.sum(-1, keepdims=True)}


@argument_fault("logarithm")
def always_in_bits(arrays: Arrays) -> Arrays:
    """Always gives bits: 1/log 2 ≈ 1.44 times the nats that a PPO coefficient is tuned for.

    Shown when: Any base other than 2, and so the default.
    Cause: log2 was taken from a text on coding.
    Fix: Use the natural logarithm, or divide by log b.
    - entropy = -(p * np.log2(p)).sum(-1)
    + entropy = -(p * np.log(p)).sum(-1)
    """
    return {"base": np.asarray(2, arrays["p"].dtype)}


@output_fault("reduction")
def mean_over_actions(found: Outputs, arrays: Arrays) -> Outputs:
    """Divides the entropy by the number of actions.

    Shown when: Any policy with an entropy above 0.
    Cause: mean() over all axes was written where the actions are to be summed and only the states averaged.
    Fix: Sum over the actions, then average over the states.
    - entropy = -(p * np.log(p)).mean(-1)
    + entropy = -(p * np.log(p)).sum(-1)
    """
    return {"entropy": found["entropy"] / arrays["p"].shape[-1]}


@fault("weighting")
def actions_not_weighted(form: Form, **arrays: Any) -> Outputs:
    """Averages −log π(a) over all actions alike; infinite where an action is impossible.

    Shown when: Any policy that is not uniform.
    Cause: The estimate from sampled actions, the mean of −log π(a), was applied to the list of all actions.
    Fix: Weight with π(a): sampled actions bring their frequencies along, a list of all actions does not.
    - entropy = -np.log(p).mean(-1)
    + entropy = -(p * np.log(p)).sum(-1)
    """
    nats = -np.log(arrays["p"]).mean(axis=-1)
    base = arrays["base"]
    return {"entropy": nats if base is None or isinstance(base, str) else nats / np.log(base)}


@fault("weighting")
def probability_missing(form: Form, **arrays: Any) -> Outputs:
    """Sums −log π(a) over all actions alike, without the weights; infinite where an action is impossible.

    Shown when: Any policy with two actions or more.
    Cause: The factor was lost where probabilities were replaced by logarithms.
    Fix: Weight with π(a).
    - entropy = -np.log(p).sum(-1)
    + entropy = -(p * np.log(p)).sum(-1)
    """
    nats = -np.log(arrays["p"]).sum(axis=-1)
    base = arrays["base"]
    return {"entropy": nats if base is None or isinstance(base, str) else nats / np.log(base)}


@output_fault("logarithm")
def perplexity_for_entropy(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives exp(H), the perplexity.

    Shown when: Every input: a certain policy has the entropy 0 and the perplexity 1.
    Cause: Both are called a measure of uncertainty, and loggers print the second.
    Fix: Leave out the exponential.
    - return np.exp(-(p * np.log(p)).sum(-1))
    + return -(p * np.log(p)).sum(-1)
    """
    return {"entropy": np.exp(found["entropy"])}
