"""Faults of the group-relative advantage."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, fault, output_fault
from rlcalc.conform.faults._answers import sign_flipped as sign_flipped


def _pieces(rewards: Any, ddof: Any, eps: Any) -> tuple[Any, Any, int, Any]:
    """Mean and standard deviation as they come, with ddof and ε filled in."""
    taken = 0 if ddof is None else int(ddof)
    padding = rewards.dtype.type(0) if eps is None else eps
    std = np.std(rewards, axis=-1, ddof=taken, keepdims=True)
    return rewards.mean(axis=-1, keepdims=True), std, taken, padding


@fault("normalisation", "NVIDIA-NeMo/RL issue #1518")
def leave_one_out_divided_by_zero(form: Form, rewards: Any, ddof: Any, eps: Any) -> Outputs:
    """Divides by the standard deviation of the other rewards, also where these are equal and it is 0.

    Shown when: A group in which one reward differs from all others, such as 1, 0, 0, 0: its advantage
        explodes.
    Cause: A guard was written for groups of equal rewards; without one of them a group may still become
        equal.
    Fix: Divide by the standard deviation of the whole group, or do not divide where the others are equal.
    - adv = (reward - others.mean()) / (others.std(ddof=1) + eps)
    + adv = (reward - others.mean()) / (group.std(ddof=1) + eps)
    """
    padding = _pieces(rewards, ddof, eps)[3]
    count = rewards.shape[-1]
    others = np.broadcast_to(rewards[..., None, :], (*rewards.shape, count))
    others = others[..., ~np.eye(count, dtype=bool)].reshape(*rewards.shape, count - 1)
    spread = np.std(others, axis=-1, ddof=1) if count > 2 else np.zeros_like(rewards)
    # others that are equal have a standard deviation of 0, whatever their mean was rounded to
    spread = np.where(others.max(axis=-1) == others.min(axis=-1), 0, spread)
    return {"advantages": (rewards - others.mean(axis=-1)) / (spread + padding)}


@fault("precision", "NVIDIA-NeMo/RL PR #4158")
def one_pass_variance(form: Form, rewards: Any, ddof: Any, eps: Any) -> Outputs:
    """Computes the variance as E[r²] − E[r]², which loses all digits where the spread is small next to the
    mean.

    Shown when: Rewards close together on a large offset; in single precision also equal ones, such as
        seven rewards of 0.95 with which an eighth is compared.
    Cause: Both moments can be summed in one pass over the data, or with one masked mean each.
    Fix: Subtract the mean first and square the deviations.
    - variance = np.square(rewards).mean() - np.square(rewards.mean())
    + variance = np.square(rewards - rewards.mean()).mean()
    """
    mean, _, taken, padding = _pieces(rewards, ddof, eps)
    count = rewards.shape[-1]
    variance = (np.square(rewards).mean(axis=-1, keepdims=True) - np.square(mean)) * count / (count - taken)
    return {"advantages": (rewards - mean) / (np.sqrt(variance) + padding)}


@fault("normalisation")
def mean_not_subtracted(form: Form, rewards: Any, ddof: Any, eps: Any) -> Outputs:
    """Divides the rewards by their standard deviation, and subtracts nothing.

    Shown when: A group with a mean other than 0.
    Cause: Scaling of rewards, as for a running return, was taken for the advantage.
    Fix: (r − mean) / (std + ε): half of a group is worse than its mean and must get a negative advantage.
    - adv = rewards / (rewards.std() + eps)
    + adv = (rewards - rewards.mean()) / (rewards.std() + eps)
    """
    _, std, _, padding = _pieces(rewards, ddof, eps)
    return {"advantages": rewards / (std + padding)}


@fault("precision")
def nan_for_equal_rewards(form: Form, rewards: Any, ddof: Any, eps: Any) -> Outputs:
    """Divides 0 by 0 where all rewards are equal, or a rounding error by another one, which gives ±1.

    Shown when: Equal rewards with ε = 0, both 1, 1, 1 and 0.1, 0.1, 0.1.
    Cause: A group that is always right, or always wrong, was not thought of.
    Fix: Compare the rewards with each other; where they are equal every advantage is 0.
    - return (rewards - rewards.mean()) / rewards.std()
    + if rewards.min() == rewards.max():
    +     return np.zeros_like(rewards)
    + return (rewards - rewards.mean()) / rewards.std()
    """
    mean, std, _, padding = _pieces(rewards, ddof, eps)
    return {"advantages": (rewards - mean) / (std + padding)}


@fault("normalisation")
def divided_by_the_variance(form: Form, rewards: Any, ddof: Any, eps: Any) -> Outputs:
    """Divides by the variance: the root is missing.

    Shown when: A group whose standard deviation is neither 0 nor 1.
    Cause: var was called where std is meant, or rsqrt became a plain reciprocal.
    Fix: Take the root; advantages then have no unit and do not shrink when rewards grow.
    - adv = (rewards - rewards.mean()) / (rewards.var() + eps)
    + adv = (rewards - rewards.mean()) / (rewards.std() + eps)
    """
    mean, std, _, padding = _pieces(rewards, ddof, eps)
    equal = rewards.max(axis=-1, keepdims=True) == rewards.min(axis=-1, keepdims=True)
    return {
        "advantages": np.where(equal, 0, rewards - mean) / np.where(equal, 1, np.square(std) + padding),
    }


@fault("normalisation", "ServiceNow/PipelineRL PR #54")
def statistics_of_the_first_reward(form: Form, rewards: Any, ddof: Any, eps: Any) -> Outputs:
    """Takes mean and standard deviation of the first reward alone: the mean is that reward, and the deviation
    0.

    Shown when: A group in which another reward differs from the first one.
    Cause: Statistics are kept by group, and are written when its first answer comes in.
    Fix: Wait for the whole group, then take its mean and deviation.
    - group = rewards[:1]
    + group = rewards
      adv = (rewards - group.mean()) / (group.std() + eps)
    """
    padding = _pieces(rewards, ddof, eps)[3]
    return {"advantages": (rewards - rewards[..., :1]) / padding}


@output_fault("normalisation", "axon-rl/gem PR #113")
def standardised_again_over_batch(found: Outputs, arrays: Arrays) -> Outputs:
    """Standardises the advantages of all groups together once more.

    Shown when: A batch with a group of equal rewards or of another size, whose deviations are not 1; for one
        group alone only ε is added twice.
    Cause: Advantages are whitened in the loss, as those of GAE are, though they are normalised already.
    Fix: Standardise once, within each group.
    - adv = (adv - adv.mean()) / (adv.std() + eps)
    - loss = policy_loss(adv)
    + loss = policy_loss(adv)
    """
    adv, ddof, eps = found["advantages"], arrays["ddof"], arrays["eps"]
    spread = np.std(adv, ddof=0 if ddof is None else int(ddof)) + (0 if eps is None else eps)
    again = (adv - adv.mean()) / (spread or 1)
    return {"advantages": again.astype(adv.dtype)}


@output_fault("normalisation", "pytorch/torchtune")
def mean_added_back(found: Outputs, arrays: Arrays) -> Outputs:
    """Adds the mean to the normalised advantages.

    Shown when: A group with a mean other than 0: 5, −3 gives two positive advantages.
    Cause: A helper that whitens rewards and keeps their mean was used with its default setting.
    Fix: Use the setting of the helper that shifts the mean to 0.
    - adv = (rewards - rewards.mean()) / (rewards.std() + eps) + rewards.mean()
    + adv = (rewards - rewards.mean()) / (rewards.std() + eps)
    """
    return {"advantages": found["advantages"] + arrays["rewards"].mean(axis=-1, keepdims=True)}


@fault("normalisation", stage="inputs")
def statistics_across_groups(form: Form, rewards: Any, ddof: Any, eps: Any) -> Outputs:
    """Compares answers at the same place of different groups, not those to one prompt.

    Shown when: Any group whose rewards differ; of a single one nothing is left to compare.
    Cause: The mean runs over the wrong axis of the table of groups.
    Fix: Mean and deviation over the answers to a prompt, dim=1 of [prompts, answers].
    - adv = (rewards - rewards.mean(0)) / (rewards.std(0) + eps)
    + adv = (rewards - rewards.mean(1, keepdim=True)) / (rewards.std(1, keepdim=True) + eps)
    """
    table = np.swapaxes(np.atleast_2d(rewards), -1, -2)
    found = form(rewards=table, ddof=ddof, eps=eps)["advantages"]
    return {"advantages": np.swapaxes(found, -1, -2).reshape(rewards.shape)}
