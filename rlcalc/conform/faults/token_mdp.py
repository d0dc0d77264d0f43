"""Faults of text generation as a decision process."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form

Outputs = dict[str, Any]


def _returns(arrays: dict[str, Any], rewards: Any) -> Outputs:
    from rlcalc.recurrence.scan import scan_numpy

    return {"returns": scan_numpy(rewards, arrays["gamma"][..., None])}


def _rewards(arrays: dict[str, Any]) -> Any:
    """Zeros, one a token."""
    import numpy as np

    reward = np.asarray(arrays["reward"])
    return np.zeros((*reward.shape, len(arrays["tokens"])), reward.dtype)


def discounted_once_too_often(form: Form, **arrays: Any) -> Outputs:
    found = form(**arrays)
    return {**found, "returns": found["returns"] * arrays["gamma"][..., None]}


def discount_from_the_start(form: Form, **arrays: Any) -> Outputs:
    found = form(**arrays)
    return {**found, "returns": found["returns"][..., ::-1]}


def reward_at_every_token(form: Form, **arrays: Any) -> Outputs:
    return _returns(arrays, _rewards(arrays) + arrays["reward"][..., None])


def reward_one_token_early(form: Form, **arrays: Any) -> Outputs:
    """An answer of one token counts from behind, and is right."""
    rewards = _rewards(arrays)
    rewards[..., len(arrays["tokens"]) - 2] = arrays["reward"]
    return _returns(arrays, rewards)


def terminal_state_counted(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    returns = form(**arrays)["returns"]
    return {"returns": np.concatenate([returns, np.zeros_like(returns[..., :1])], axis=-1)}
