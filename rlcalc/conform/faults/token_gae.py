"""Faults of GAE over tokens."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.convention import Constant
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, sets
from rlcalc.conform.faults._masks import mask_of


@sets(
    "ignored",
    "radixark/miles PR #1827",
    "volcengine/verl PR #2337",
    "alibaba/ROLL PR #447",
    interior="ignore",
)
def interior_mask_ignored() -> None:
    """Walks over tool output and padding as if the policy had written it.

    Shown when: A masked token before or after a valid one, with a value or a reward of its own.
    Cause: The recursion runs over columns, and the mask is for the loss.
    Fix: Pass value and advantage on unchanged through what is masked.
    - delta = rewards[:, t] + gamma * next_value - values[:, t]
    - last = delta + gamma * lam * last
    + delta = rewards[:, t] + gamma * next_value - values[:, t]
    + last = torch.where(mask[:, t], delta + gamma * lam * last, last)
    + next_value = torch.where(mask[:, t], values[:, t], next_value)
    """


@fault("ignored")
def mask_of_the_first_row(form: Form, /, **arrays: Any) -> Outputs:
    """Skips in all rows what is masked in the first.

    Shown when: Two rows with different masks.
    Cause: if mask[:, t], written for a batch of one: of more it raises an error, or one row decides.
    Fix: torch.where, row by row.
    - if mask[0, t]:
    -     last = delta + gamma * lam * last
    + last = torch.where(mask[:, t], delta + gamma * lam * last, last)
    """
    mask = mask_of(arrays, "rewards")
    first = np.broadcast_to(mask[..., :1, :], mask.shape)
    found = form(**{**arrays, "mask": first})
    return {name: np.where(mask, value, 0).astype(value.dtype) for name, value in found.items()}


@argument_fault("counting")
def tool_turns_counted(arrays: Arrays) -> Arrays:
    """Takes masked tokens for steps without a value: what stands before a tool turn looks at 0.

    Shown when: A masked token between valid ones, and γ or λ below 1, or a value other than 0 after it.
    Cause: Rewards and values are multiplied by the mask, and the recursion runs over all columns.
    Fix: Take the next valid token's value.
    - values = values * mask
    + next_value = torch.where(mask[:, t], values[:, t], next_value)
    """
    return {"interior": "zero"} if arrays.get("interior") in (None, "skip") else {}


@sets("termination", bootstrap=None)
def bootstrap_forgotten() -> None:
    """Takes every answer for finished.

    Shown when: A value after the last token other than 0, γ above 0.
    Cause: Answers end by themselves in the examples.
    Fix: Where an answer was truncated, start from the value of its last state.
    - next_value = torch.zeros(N)
    + next_value = torch.where(finished, 0, last_values)
    """


@argument_fault("termination")
def padding_bootstrapped(arrays: Arrays) -> Arrays:
    """Takes the value in the padding for that of the state after the last token.

    Shown when: A value other than 0 right after the last valid token, γ above 0.
    Cause: Values are shifted by a column before they are masked, or are not masked at all.
    Fix: values = values * mask first: what comes after the last token of a finished answer is worth 0.
    - next_values = torch.cat([values[:, 1:], zeros], dim=1)
    + next_values = torch.cat([(values * mask)[:, 1:], zeros], dim=1)
    """
    mask, values = mask_of(arrays, "rewards"), np.asarray(arrays["values"])
    after = np.cumsum(np.flip(mask, -1), -1)[..., ::-1] == 0  # columns behind the last valid one
    first = after & ~np.concatenate([np.zeros_like(after[..., :1]), after[..., :-1]], -1)
    return {"bootstrap": np.where(first, values, 0).sum(-1)}


@fault("swapped")
def returns_of_rewards(form: Form, /, **arrays: Any) -> Outputs:
    """Gives the critic the discounted rewards for a target, not advantage plus value.

    Shown when: λ below 1, or an answer that was truncated.
    Cause: With λ = 1 and no bootstrap both are the same.
    Fix: returns = advantages + values.
    - returns = discounted_sum(rewards, gamma)
    + returns = advantages + values
    """
    found = form(**arrays)
    zeros = np.zeros_like(arrays["values"])
    plain = form(**{**arrays, "values": zeros, "lam": 1.0, "bootstrap": None})
    return {**found, "returns": plain["advantages"]}


@fault("normalisation", constants=[Constant("eps", 1e-12, 0.01)])
def returns_of_whitened_advantages(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """Adds the values to advantages that are whitened already: the critic learns no returns.

    Shown when: Advantages whose mean is not 0, or whose deviation is not 1.
    Cause: The whitening writes over the advantages, and the returns come after it.
    Fix: returns = advantages + values first, then whiten.
    - advantages = masked_whiten(advantages, mask)
    - returns = advantages + values
    + returns = advantages + values
    + advantages = masked_whiten(advantages, mask)
    """
    plain = form(**arrays)["advantages"]
    mask = mask_of(arrays, "rewards")
    count = mask.sum((-2, -1), keepdims=True)
    with np.errstate(all="ignore"):
        centred = np.where(mask, plain - plain.sum((-2, -1), keepdims=True) / count, 0)
        var = np.square(centred).sum((-2, -1), keepdims=True) / (count - 1)
        white = np.where(mask, centred / np.sqrt(var + eps), 0)
    returns = np.where(mask, white + arrays["values"], 0)
    return {"advantages": white.astype(plain.dtype), "returns": returns.astype(plain.dtype)}


@fault("precision", stage="inputs")
def one_token_refused(form: Form, /, **arrays: Any) -> Outputs:
    """Raises an error where a batch has one valid token.

    Shown when: One valid token.
    Cause: The advantages are whitened in the same function, which refuses to divide by S − 1 = 0.
    Fix: Whiten outside, or leave a single advantage as it is.
    - raise ValueError("At least two tokens are needed.")
    + return advantages, returns
    """
    if (mask_of(arrays, "rewards").sum((-2, -1)) == 1).any():
        raise ValueError("The sum of the mask is one, which can happen with short answers.")
    return dict(form(**arrays))
