"""Faults of the loss of the actor."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault


def _reduced(weighted: Any, reduction: str | None) -> Outputs:
    objective = weighted.mean(axis=-1) if reduction == "mean" else weighted.sum(axis=-1)
    return {"objective": objective, "loss": -objective}


def _logs(arrays: dict[str, Any]) -> Any:
    return np.log(arrays["probs"]) if arrays["log_probs"] is None else arrays["log_probs"]


@fault("logarithm")
def log_missing(form: Form, **arrays: Any) -> Outputs:
    """Weights the advantages with probabilities instead of their logarithms.

    Shown when: Any advantage other than 0.
    Cause: It has the gradient of the ratio objective up to a factor 1/π_old, so that learning looks
        plausible.
    Fix: Take log π(a|s); only a quotient π_new/π_old may stand there without a logarithm.
    - loss = -(probs * advantages).sum()
    + loss = -(np.log(probs) * advantages).sum()
    """
    probs = np.exp(arrays["log_probs"]) if arrays["probs"] is None else arrays["probs"]
    return _reduced(probs * arrays["advantages"], arrays["reduction"])


@fault("weighting")
def weighted_with_the_probability(form: Form, **arrays: Any) -> Outputs:
    """Multiplies every term with π(a|s) once more.

    Shown when: Any action that is not certain, with an advantage other than 0.
    Cause: The sum over all actions, in which π(a|s) is a weight, was copied for actions that were sampled.
    Fix: Sampling already brings the weight along; leave it out.
    - loss = -(probs * np.log(probs) * advantages).sum()
    + loss = -(np.log(probs) * advantages).sum()
    """
    logs = _logs(arrays)
    return _reduced(np.exp(logs) * logs * arrays["advantages"], arrays["reduction"])


@fault("reduction")
def every_log_with_every_advantage(form: Form, **arrays: Any) -> Outputs:
    """Combines each log-probability with the advantages of all steps.

    Shown when: Two steps or more with different numbers.
    Cause: Shapes [T] and [T, 1] are broadcast to [T, T], and the reduction hides it.
    Fix: Compare the shapes before multiplying, or squeeze the one with a trailing 1.
    - loss = -(log_probs * advantages).sum()  # [T, 1] times [T]
    + loss = -(log_probs.squeeze(-1) * advantages).sum()
    """
    logs = _logs(arrays)
    square = logs[..., :, None] * arrays["advantages"][..., None, :]
    return _reduced(square.reshape(*square.shape[:-2], -1), arrays["reduction"])


@fault("reduction", "Farama-Foundation/Gymnasium issue #1336")
def mean_log_times_summed_weights(form: Form, **arrays: Any) -> Outputs:
    """Multiplies the mean of the log-probabilities with the sum of the advantages: which action earned what
    is lost.

    Shown when: Two steps or more.
    Cause: Logs and returns are collected apart, and each is reduced before they meet.
    Fix: Multiply step by step, then sum.
    - loss = -log_probs.mean() * returns.sum()
    + loss = -(log_probs * returns).sum()
    """
    logs, weights = _logs(arrays), arrays["advantages"]
    count = weights.shape[-1] if arrays["reduction"] == "mean" else 1
    objective = logs.mean(axis=-1) * weights.sum(axis=-1) / count
    return {"objective": objective, "loss": -objective}


@argument_fault("weighting", "huggingface/deep-rl-class PR #95")
def first_weight_for_every_step(arrays: Arrays) -> Arrays:
    """Weights every step with the return, or the advantage, of the first one.

    Shown when: Two steps or more with different advantages.
    Cause: The return of the whole episode is taken for each of its actions. The expectation is that of the
        gradient all the same, with more variance.
    Fix: Weight step t with the return from step t on.
    - loss = sum(-log_prob * returns[0] for log_prob in log_probs)
    + loss = sum(-log_prob * g for log_prob, g in zip(log_probs, returns))
    """
    first = arrays["advantages"][..., :1]
    return {"advantages": np.broadcast_to(first, arrays["advantages"].shape)}


@argument_fault("normalisation", "DLR-RM/stable-baselines3 PR #1028")
def whitening_of_one_gives_nan(arrays: Arrays) -> Arrays:
    """Gives not a number for a single step, whose standard deviation with ddof 1 is 0/0.

    Shown when: One step: the last minibatch of a pass may hold no more.
    Cause: The advantages of every minibatch are divided by their standard deviation, however few they are.
    Fix: Whiten only where there are two or more.
    - adv = (adv - adv.mean()) / (adv.std() + 1e-8)
    + if len(adv) > 1:
    +     adv = (adv - adv.mean()) / (adv.std() + 1e-8)
    """
    adv = arrays["advantages"]
    return {"advantages": adv if adv.shape[-1] > 1 else np.full_like(adv, np.nan)}


@argument_fault("indexing")
def advantages_one_step_late(arrays: Arrays) -> Arrays:
    """Weights step t with the advantage of step t − 1, and the first step with 0.

    Shown when: Two steps or more with different advantages, or a single one.
    Cause: The buffer stores an advantage together with the next action.
    Fix: Store observation, action and its advantage in one row.
    - loss = -(log_probs[1:] * advantages[:-1]).sum()
    + loss = -(log_probs * advantages).sum()
    """
    late = np.zeros_like(arrays["advantages"])
    late[..., 1:] = arrays["advantages"][..., :-1]
    return {"advantages": late}


@argument_fault("sign")
def sign_of_advantage_only(arrays: Arrays) -> Arrays:
    """Uses +1, 0 or −1 instead of the advantage.

    Shown when: An advantage that is not one of these three.
    Cause: Advantages are filtered into good and bad actions, or cast to integers or booleans on their way.
    Fix: Keep their size, and their floating type.
    - loss = -(log_probs * np.sign(advantages)).sum()
    + loss = -(log_probs * advantages).sum()
    """
    return {"advantages": np.sign(arrays["advantages"])}


@argument_fault("normalisation", "pytorch/torchtune")
def whitened_with_the_mean_added_back(arrays: Arrays) -> Arrays:
    """Divides the advantages by their standard deviation (ddof 1) and leaves their mean where it was: 5, −3
    become 1.71 and 0.29.

    Shown when: Two advantages or more, with a mean other than 0.
    Cause: A helper that whitens and then adds the mean again, which rewards may want, was used with its
        default setting.
    Fix: Use the setting of the helper that shifts the mean to 0, or do not whiten.
    - adv = (adv - adv.mean()) / (adv.std(ddof=1) + 1e-8) + adv.mean()
    + adv = (adv - adv.mean()) / (adv.std(ddof=1) + 1e-8)
    """
    adv = arrays["advantages"]
    if adv.shape[-1] > 1:
        mean = adv.mean(axis=-1, keepdims=True)
        spread = np.std(adv, axis=-1, ddof=1, keepdims=True) + adv.dtype.type(1e-8)
        adv = (adv - mean) / spread + mean
    return {"advantages": adv}
