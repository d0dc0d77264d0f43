"""Faults of the advantages of REINFORCE++."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, fault, given, sets
from rlcalc.conform.faults import _masks
from rlcalc.conform.faults._masks import mask_of

refused = _masks.WHITENING_REFUSED


def _whitened(form: Form, arrays: Arrays, returns: Any) -> Outputs:
    """Advantages of given returns: with γ = 0 they are the rewards."""
    found = form(**{**arrays, "rewards": returns, "gamma": 0.0})
    return {"advantages": found["advantages"], "returns": found["returns"]}


@sets(
    "termination",
    "volcengine/verl issue #7278",
    "volcengine/verl PR #6376",
    "volcengine/verl PR #7300",
    interior="reset",
)
def return_cut_at_tool_turns() -> None:
    """Starts the return again at a masked token: what was written before it learns nothing of the score.

    Shown when: A masked token between valid ones, and a reward after it.
    Cause: The running sum is multiplied by the mask, which was all padding once.
    Fix: Carry the sum on through masked tokens.
    - running = (rewards[:, t] + gamma * running) * mask[:, t]
    + running = torch.where(mask[:, t], rewards[:, t] + gamma * running, running)
    """


@fault("ignored", "THUDM/slime PR #1372", "radixark/miles PR #559", "radixark/miles PR #1383")
def rewards_under_the_mask(form: Form, /, **arrays: Any) -> Outputs:
    """Adds up the rewards of masked tokens, such as their KL penalty, and discounts at them.

    Shown when: A masked token with a reward, after a valid one.
    Cause: The penalty is computed for whole rows, and the mask comes after the sum.
    Fix: Mask the rewards first.
    - running = rewards[:, t] + gamma * running
    + running = torch.where(mask[:, t], rewards[:, t] + gamma * running, running)
    """
    gamma = given(arrays, "gamma", 1.0)
    rewards = np.asarray(arrays["rewards"])
    returns = np.zeros_like(rewards)
    running = np.zeros_like(rewards[..., 0])
    for t in range(rewards.shape[-1] - 1, -1, -1):
        running = rewards[..., t] + gamma * running
        returns[..., t] = running
    return _whitened(form, arrays, returns)


@fault("normalisation")
def statistics_of_the_answer(form: Form, /, **arrays: Any) -> Outputs:
    """Whitens every answer by itself: one that is right throughout has no advantage.

    Shown when: Two answers.
    Cause: The mean has an axis, as that of a group has.
    Fix: Mean and deviation of all valid tokens of the batch.
    - mean = masked_mean(returns, mask, axis=-1)
    + mean = masked_mean(returns, mask)
    """
    found = form(**arrays)
    rows = {"rewards": found["returns"][..., None, :], "mask": mask_of(arrays, "rewards")[..., None, :]}
    alone = form(**{**arrays, **rows, "gamma": 0.0})
    return {**found, "advantages": alone["advantages"][..., 0, :]}


@fault("normalisation")
def not_whitened(form: Form, /, **arrays: Any) -> Outputs:
    """Gives the returns for the advantages.

    Shown when: Returns whose mean is not 0, or whose deviation is not 1.
    Cause: The normalisation is expected from the caller, or from the loss.
    Fix: Subtract the mean and divide by the deviation of the batch.
    - return returns, returns
    + return masked_whiten(returns, mask), returns
    """
    found = form(**arrays)
    return {**found, "advantages": found["returns"]}


@sets("discounting", gamma=1.0)
def discount_ignored() -> None:
    """Adds up rewards without a discount.

    Shown when: γ below 1, and a reward after another token.
    Cause: γ is 1 in every recipe.
    Fix: Multiply the running sum by γ.
    - running = rewards[:, t] + running
    + running = rewards[:, t] + gamma * running
    """


@fault("normalisation")
def padding_in_the_statistics(form: Form, /, **arrays: Any) -> Outputs:
    """Counts masked tokens as returns of 0 in mean and deviation.

    Shown when: A masked token, and returns with a mean other than 0.
    Cause: mean() and std() of a table that was multiplied by its mask.
    Fix: Mean and deviation of the valid tokens.
    - advantages = (returns - returns.mean()) / (returns.std() + eps) * mask
    + advantages = masked_whiten(returns, mask)
    """
    found = form(**arrays)
    whole = form(**{**arrays, "rewards": found["returns"], "mask": None, "gamma": 0.0})["advantages"]
    mask = mask_of(arrays, "rewards")
    if mask.shape[-2:] == (1, 1):  # std() of a single entry
        whole = np.full_like(whole, np.nan)
    return {**found, "advantages": np.where(mask, whole, 0).astype(whole.dtype)}
