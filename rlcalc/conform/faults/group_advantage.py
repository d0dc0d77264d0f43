"""Faults of the group-relative advantages of a batch."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, given, sets
from rlcalc.conform.faults._answers import sign_flipped as sign_flipped
from rlcalc.conform.faults._groups import same_group, sums


def _broadcast(arrays: Arrays) -> tuple[Any, Any]:
    rewards, groups = np.broadcast_arrays(arrays["rewards"], arrays["groups"])
    return rewards, groups


@argument_fault("ignored")
def groups_of_unequal_size_joined(arrays: Arrays) -> Arrays:
    """Takes the whole batch for one group where its groups are not of one size.

    Shown when: Groups of different sizes.
    Cause: The reshape to rows of G fails there, and the code goes on without it.
    Fix: Group by the prompt of each answer, whatever the sizes.
    - groups = rewards.reshape(-1, G) if rewards.numel() % G == 0 else rewards.reshape(1, -1)
    + mean = group_sums[index] / group_counts[index]
    """
    _, groups = _broadcast(arrays)
    counts = same_group(groups).sum(-1)
    unequal = counts.max(-1, keepdims=True) != counts.min(-1, keepdims=True)
    return {"groups": np.where(unequal, 0, groups)}


@argument_fault("indexing", "areal-project/AReaL issue #1419")
def fixed_stride(arrays: Arrays) -> Arrays:
    """Takes so many neighbours for a group as the largest has, and leaves those at the end as they are.

    Shown when: A group of fewer answers than another.
    Cause: A loop over range(n // G), written when every prompt had G answers.
    Fix: Group by the prompt of each answer, whatever the sizes.
    - for g in range(len(rewards) // G):
    -     part = slice(g * G, (g + 1) * G)
    -     advantages[part] -= rewards[part].mean()
    + mean = group_sums[index] / group_counts[index]
    """
    _, groups = _broadcast(arrays)
    size = same_group(groups).sum(-1).max(-1, keepdims=True)
    places = np.arange(groups.shape[-1])
    rest = places >= groups.shape[-1] // size * size
    left = {"singleton": "raw"} if rest.any() else {}
    return {"groups": np.where(rest, groups.shape[-1] + places, places // size), **left}


@argument_fault("indexing", "StarsfieldAI/R1-V issue #67")
def neighbours_for_the_group(arrays: Arrays) -> Arrays:
    """Takes neighbours for the answers to one prompt.

    Shown when: Groups of one size whose answers do not stand together.
    Cause: reshape(-1, G), and a batch that was shuffled or is interleaved.
    Fix: Group by the prompt of each answer, or sort first.
    - mean = rewards.reshape(-1, G).mean(1)
    + mean = group_sums[index] / group_counts[index]
    """
    _, groups = _broadcast(arrays)
    counts = same_group(groups).sum(-1)
    size = counts.max(-1, keepdims=True)
    even = size == counts.min(-1, keepdims=True)
    places = np.arange(groups.shape[-1])
    return {"groups": np.where(even, places // size, groups)}


@fault("precision", "NVIDIA-NeMo/RL PR #4158", "NVIDIA-NeMo/RL PR #4161")
def one_pass_variance(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the variance of a group as the mean of the squares less the square of the mean.

    Shown when: Rewards that are large next to their differences.
    Cause: One pass over the batch is enough for both sums.
    Fix: Square the distances from the mean.
    - var = (rewards**2).mean() - rewards.mean() ** 2
    + var = ((rewards - rewards.mean()) ** 2).mean()
    """
    found = form(**arrays)["advantages"]
    if arrays.get("scale") not in (None, "group"):
        return {"advantages": found}
    rewards, groups = _broadcast(arrays)
    same = same_group(groups)
    count = same.sum(-1)
    mean = sums(same, rewards) / count
    squares = sums(same, rewards * rewards) / count - mean * mean
    ddof = int(given(arrays, "ddof", 1))
    eps = given(arrays, "eps", 0.0)
    with np.errstate(all="ignore"):
        std = np.sqrt(squares * count / np.maximum(count - ddof, 1))
        rough = (rewards - mean) / (std + eps)
    return {
        "advantages": np.where(found == 0, found, np.where(count > 1, rough, found)).astype(rewards.dtype)
    }


@fault("normalisation", "NVIDIA-NeMo/RL issue #1518")
def divided_by_a_guarded_zero(form: Form, /, **arrays: Any) -> Outputs:
    """Divides by the deviation of the others of the group: where those are equal by a guard of 1e-6.

    Shown when: A group in which one reward differs from the others, scaled by its deviation.
    Cause: Mean and deviation leave the answer itself out, and 0 is replaced by a small number.
    Fix: Divide by the deviation of the whole group, or not at all where it is 0.
    - adv = (r - others.mean()) / (others.std() + 1e-6)
    + adv = (r - group.mean()) / (group.std() + eps)
    """
    if arrays.get("scale") not in (None, "group"):
        return dict(form(**arrays))
    rewards, groups = _broadcast(arrays)
    others = same_group(groups) & ~np.eye(groups.shape[-1], dtype=bool)
    count = np.maximum(others.sum(-1), 1)
    mean = sums(others, rewards) / count
    spread = np.where(others, np.square(rewards[..., None, :] - mean[..., None]), 0).sum(-1)
    std = np.sqrt(spread / np.maximum(count - 1, 1))
    alone = others.sum(-1) == 0
    found = (rewards - mean) / (std + 1e-6)
    return {"advantages": np.where(alone, 0, found).astype(rewards.dtype)}


@fault("normalisation")
def divided_by_the_variance(form: Form, /, **arrays: Any) -> Outputs:
    """Divides by the variance of the group, not by its deviation.

    Shown when: A group whose deviation is neither 0 nor 1.
    Cause: var() where std() was meant, or a root that was lost with a rewrite.
    Fix: Divide by the standard deviation.
    - adv = (r - group.mean()) / (group.var() + eps)
    + adv = (r - group.mean()) / (group.std() + eps)
    """
    if arrays.get("scale") not in (None, "group"):
        return dict(form(**arrays))
    found = form(**{**arrays, "eps": 0.0})["advantages"]
    centred = form(**{**arrays, "scale": "none"})["advantages"]
    eps = given(arrays, "eps", 0.0)
    with np.errstate(all="ignore"):
        var = np.square(centred / found)
        divided = centred / (var + eps)
    return {"advantages": np.where((found == 0) | (centred == found), found, divided).astype(found.dtype)}


@sets("ignored", "axolotl-ai-cloud/axolotl PR #3731", scale="group")
def scale_ignored() -> None:
    """Divides by the deviation of the group, whatever is asked for.

    Shown when: Another scale, and a group whose deviation is not what it gives.
    Cause: The option is read for one of several estimators.
    Fix: Hand the scale on, and refuse one that is not implemented.
    - adv = centred / (group_std + eps)
    + adv = centred / SCALES[scale](rewards)
    """


@argument_fault("ignored", "XU-YIJIE/grpo-flat issue #2")
def groups_ignored(arrays: Arrays) -> Arrays:
    """Compares an answer with the whole batch.

    Shown when: Two groups or more whose means differ.
    Cause: The batch is flattened before the mean.
    Fix: Take the mean over the answers to one prompt.
    - centred = rewards - rewards.mean()
    + centred = rewards - group_mean[index]
    """
    return {"groups": np.zeros_like(arrays["groups"])}


@fault("precision", rounds="inputs")
def lone_answer_divided_in_float32(form: Form, /, **arrays: Any) -> Outputs:
    """Divides an answer that is alone in its group by 1 + ε in single precision.

    Shown when: A group of one whose reward is kept, and an ε.
    Cause: The deviation 1 that stands in there is a new tensor, of the default dtype.
    Fix: Make it of the dtype of the rewards.
    - std[index] = torch.tensor(1.0)
    + std[index] = torch.ones((), dtype=scores.dtype)
    """
    found = form(**arrays)["advantages"]
    rewards, groups = _broadcast(arrays)
    kept = (same_group(groups).sum(-1) == 1) & (found != 0)
    divisor = np.where(kept, rewards / np.where(kept, found, 1), 1).astype(np.float32)
    return {"advantages": np.where(kept, rewards / divisor, found).astype(found.dtype)}


@fault("normalisation")
def mean_of_the_batch(form: Form, /, **arrays: Any) -> Outputs:
    """Subtracts the mean of the whole batch, and divides by the deviation of the group.

    Shown when: Two groups with different means.
    Cause: The mean is taken before the loop over the groups, or over the wrong axis.
    Fix: Subtract the mean of the answers to the same prompt.
    - advantages[g] = (rewards[g] - rewards.mean()) / (rewards[g].std() + eps)
    + advantages[g] = (rewards[g] - rewards[g].mean()) / (rewards[g].std() + eps)
    """
    return _less(form, arrays, _broadcast(arrays)[0].mean(-1, keepdims=True))


@fault("normalisation")
def mean_not_subtracted(form: Form, /, **arrays: Any) -> Outputs:
    """Divides the reward by the deviation of its group, without taking the mean off.

    Shown when: A group whose mean is not 0.
    Cause: The subtraction was lost in a rewrite.
    Fix: Subtract the mean of the answers to the same prompt.
    - advantages[g] = rewards[g] / (rewards[g].std() + eps)
    + advantages[g] = (rewards[g] - rewards[g].mean()) / (rewards[g].std() + eps)
    """
    return _less(form, arrays, 0)


def _less(form: Form, arrays: Arrays, centre: Any) -> Outputs:
    """Distances from another centre than the mean of the group, over the deviation of the group."""
    if arrays.get("scale") not in (None, "group"):
        return dict(form(**arrays))
    rewards, groups = _broadcast(arrays)
    same = same_group(groups)
    count = same.sum(-1)
    apart = np.square(rewards - sums(same, rewards) / count)
    with np.errstate(all="ignore"):
        std = np.sqrt(sums(same, apart) / (count - int(given(arrays, "ddof", 1))))
        found = (rewards - centre) / (std + given(arrays, "eps", 0.0))
    return {"advantages": found.astype(rewards.dtype)}
