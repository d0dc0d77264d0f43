"""Faults of the leave-one-out advantage."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault
from rlcalc.conform.faults._answers import sign_flipped as sign_flipped
from rlcalc.conform.faults._groups import same_group, sums


@fault("normalisation")
def own_reward_in_the_baseline(form: Form, /, **arrays: Any) -> Outputs:
    """Subtracts the mean of the whole group, which makes every advantage (G−1)/G of the right one.

    Shown when: A group of two or more whose rewards differ.
    Cause: The baseline of GRPO was taken.
    Fix: (G·r − Σ r)/(G − 1), or the mean times G/(G − 1).
    - advantages = rewards - rewards.mean(-1, keepdim=True)
    + advantages = (rewards - rewards.mean(-1, keepdim=True)) * G / (G - 1)
    """
    count = same_group(arrays["groups"]).sum(-1)
    share = np.where(count > 1, (count - 1) / count, 1).astype(arrays["rewards"].dtype)
    return {"advantages": form(**arrays)["advantages"] * share}


@argument_fault("ignored")
def groups_ignored(arrays: Arrays) -> Arrays:
    """Compares an answer with all others of the batch.

    Shown when: Two groups or more.
    Cause: The batch was flattened before the baseline.
    Fix: Leave one out within the answers to one prompt.
    - baseline = (rewards.sum() - rewards) / (rewards.numel() - 1)
    + baseline = (rewards.sum(-1, keepdim=True) - rewards) / (G - 1)
    """
    return {"groups": np.zeros_like(arrays["groups"])}


@fault("reduction")
def sum_of_the_others(form: Form, /, **arrays: Any) -> Outputs:
    """Subtracts the sum of the other rewards.

    Shown when: A group of three or more.
    Cause: The division by G − 1 was forgotten.
    Fix: Divide the sum of the others by G − 1.
    - baseline = rewards.sum(-1, keepdim=True) - rewards
    + baseline = (rewards.sum(-1, keepdim=True) - rewards) / (G - 1)
    """
    same, rewards = same_group(arrays["groups"]), arrays["rewards"]
    found = rewards - (sums(same, rewards) - rewards)
    return {"advantages": np.where(same.sum(-1) == 1, form(**arrays)["advantages"], found)}


@fault("normalisation")
def own_reward_counted_among_the_others(form: Form, /, **arrays: Any) -> Outputs:
    """Divides the sum of the whole group by the number of the other rewards.

    Shown when: A group of two or more with rewards other than 0.
    Cause: The answer's own reward was not taken away before the division by G − 1.
    Fix: Subtract it from the sum first.
    - baseline = rewards.sum(-1, keepdim=True) / (G - 1)
    + baseline = (rewards.sum(-1, keepdim=True) - rewards) / (G - 1)
    """
    same, rewards = same_group(arrays["groups"]), arrays["rewards"]
    count = same.sum(-1)
    baseline = sums(same, rewards) / np.maximum(count - 1, 1)
    found = np.where(count == 1, form(**arrays)["advantages"], rewards - baseline)
    return {"advantages": found.astype(rewards.dtype)}


@fault("normalisation")
def divided_by_the_group_size(form: Form, /, **arrays: Any) -> Outputs:
    """Divides the sum of the other rewards by G.

    Shown when: A group of two or more whose other rewards do not sum to 0.
    Cause: The mean was taken with the own reward set to 0.
    Fix: Divide by G − 1.
    - baseline = (rewards.sum(-1, keepdim=True) - rewards) / G
    + baseline = (rewards.sum(-1, keepdim=True) - rewards) / (G - 1)
    """
    same, rewards = same_group(arrays["groups"]), arrays["rewards"]
    count = same.sum(-1)
    others = sums(same, rewards) - rewards
    found = np.where(count == 1, form(**arrays)["advantages"], rewards - others / count)
    return {"advantages": found.astype(rewards.dtype)}


@fault("normalisation")
def standard_deviation_on_top(form: Form, /, **arrays: Any) -> Outputs:
    """Divides by the standard deviation of the group as well.

    Shown when: A group whose standard deviation is neither 0 nor 1.
    Cause: The normalisation of GRPO was left switched on.
    Fix: Leave the scale of the rewards alone.
    - advantages = (rewards - baseline) / (rewards.std(-1, keepdim=True) + eps)
    + advantages = rewards - baseline
    """
    same, rewards = same_group(arrays["groups"]), arrays["rewards"]
    found = form(**arrays)["advantages"]
    count = same.sum(-1)
    squares = sums(same, np.square(rewards - sums(same, rewards) / count))
    std = np.sqrt(squares / np.maximum(count - 1, 1))
    return {"advantages": (found / np.where(std > 0, std, 1)).astype(rewards.dtype)}
