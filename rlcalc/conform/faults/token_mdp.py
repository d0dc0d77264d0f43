"""Faults of text generation as a decision process."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, fault, output_fault
from rlcalc.recurrence.scan import scan_numpy


def _returns(arrays: dict[str, Any], rewards: Any) -> Outputs:
    return {"returns": scan_numpy(rewards, arrays["gamma"][..., None])}


def _rewards(arrays: dict[str, Any]) -> Any:
    """Zeros, one a token."""
    reward = np.asarray(arrays["reward"])
    return np.zeros((*reward.shape, len(arrays["tokens"])), reward.dtype)


@output_fault("discounting")
def discounted_once_too_often(found: Outputs, arrays: Arrays) -> Outputs:
    """Discounts the reward by γ^(T−t) instead of γ^(T−1−t).

    Shown when: Any γ below 1 with a reward other than 0, even for one token.
    Cause: The reward is counted from the state after it; the lecture's A_T, where A_{T−1} is meant, invites
        it.
    Fix: The last action gets its reward undiscounted: G_{T−1} = R_T.
    - returns = [gamma ** (T - t) * reward for t in range(T)]
    + returns = [gamma ** (T - 1 - t) * reward for t in range(T)]
    """
    return {**found, "returns": found["returns"] * arrays["gamma"][..., None]}


@output_fault("discounting")
def discount_from_the_start(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives γ^t·R: the first token has the full reward and the last one the most discounted.

    Shown when: Two tokens or more with γ below 1.
    Cause: Powers of γ were laid along the answer and never reversed.
    Fix: Discount by the distance to the reward, which lies at the end.
    - returns = [gamma ** t * reward for t in range(T)]
    + returns = [gamma ** (T - 1 - t) * reward for t in range(T)]
    """
    return {**found, "returns": found["returns"][..., ::-1]}


@fault("reduction")
def reward_at_every_token(form: Form, **arrays: Any) -> Outputs:
    """Gives every token the reward of the whole answer, and adds them up.

    Shown when: Two tokens or more with γ above 0 and a reward other than 0.
    Cause: A reward of shape [batch, 1] was broadcast over the tokens.
    Fix: Put the reward at the last token and 0 before it.
    - rewards = np.full(T, reward)
    + rewards = np.zeros(T)
    + rewards[-1] = reward
    """
    return _returns(arrays, _rewards(arrays) + arrays["reward"][..., None])


@fault("indexing")
def reward_one_token_early(form: Form, **arrays: Any) -> Outputs:
    """Puts the reward at the token before the last, so that the last one has a return of 0.

    Shown when: Two tokens or more with a reward other than 0.
    Cause: The index of the last token was computed from a length that does not count the end token.
    Fix: Find the last token of the answer from the same mask that the loss uses.
    - rewards[-2] = reward
    + rewards[-1] = reward
    """
    rewards = _rewards(arrays)
    rewards[..., len(arrays["tokens"]) - 2] = arrays["reward"]
    return _returns(arrays, rewards)


@output_fault("counting")
def terminal_state_counted(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives T + 1 returns, with a 0 for the terminal state.

    Shown when: Every answer, by the number of entries.
    Cause: There is one state more than there are actions, and returns were listed by state.
    Fix: One return an action: G_0 … G_{T−1}.
    - returns = [*returns, 0.0]
    + returns = list(returns)
    """
    returns = found["returns"]
    return {"returns": np.concatenate([returns, np.zeros_like(returns[..., :1])], axis=-1)}
