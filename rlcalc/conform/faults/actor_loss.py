"""Faults of the loss of the actor."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form

Outputs = dict[str, Any]


def _reduced(weighted: Any, reduction: str | None) -> Outputs:
    objective = weighted.mean(axis=-1) if reduction == "mean" else weighted.sum(axis=-1)
    return {"objective": objective, "loss": -objective}


def _logs(arrays: dict[str, Any]) -> Any:
    import numpy as np

    return np.log(arrays["probs"]) if arrays["log_probs"] is None else arrays["log_probs"]


def log_missing(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    probs = np.exp(arrays["log_probs"]) if arrays["probs"] is None else arrays["probs"]
    return _reduced(probs * arrays["advantages"], arrays["reduction"])


def weighted_with_the_probability(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    logs = _logs(arrays)
    return _reduced(np.exp(logs) * logs * arrays["advantages"], arrays["reduction"])


def every_log_with_every_advantage(form: Form, **arrays: Any) -> Outputs:
    logs = _logs(arrays)
    square = logs[..., :, None] * arrays["advantages"][..., None, :]
    return _reduced(square.reshape(*square.shape[:-2], -1), arrays["reduction"])


def advantages_one_step_late(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    late = np.zeros_like(arrays["advantages"])
    late[..., 1:] = arrays["advantages"][..., :-1]
    return dict(form(**{**arrays, "advantages": late}))


def sign_of_advantage_only(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    return dict(form(**{**arrays, "advantages": np.sign(arrays["advantages"])}))


def whitened_with_the_mean_added_back(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    adv = arrays["advantages"]
    if adv.shape[-1] > 1:
        mean = adv.mean(axis=-1, keepdims=True)
        spread = np.std(adv, axis=-1, ddof=1, keepdims=True) + adv.dtype.type(1e-8)
        adv = (adv - mean) / spread + mean
    return dict(form(**{**arrays, "advantages": adv}))
