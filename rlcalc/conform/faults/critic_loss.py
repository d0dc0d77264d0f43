"""Faults of the loss of the critic."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form

Outputs = dict[str, Any]


def _reduced(terms: Any, reduction: str | None) -> Outputs:
    if reduction in (None, "sum"):
        return {"loss": terms.sum(axis=-1)}
    return {"loss": terms.mean(axis=-1) / (2 if reduction == "half-mean" else 1)}


def every_value_with_every_return(
    form: Form, values: Any, returns: Any, reduction: Any, alpha: Any
) -> Outputs:
    """A single shared value meets each return once, as it should."""
    import numpy as np

    if values.ndim == 0 or values.shape[-1] != returns.shape[-1]:
        return _reduced(np.square(values - returns), reduction)
    square = np.square(values[..., :, None] - returns[..., None, :])
    return _reduced(square.reshape(*square.shape[:-2], -1), reduction)


def error_not_squared(form: Form, values: Any, returns: Any, reduction: Any, alpha: Any) -> Outputs:
    import numpy as np

    return _reduced(np.abs(values - returns), reduction)


def squared_after_reduction(form: Form, values: Any, returns: Any, reduction: Any, alpha: Any) -> Outputs:
    """The sum or mean of the errors, squared."""
    import numpy as np

    errors = values - returns
    total = errors.sum(axis=-1) if reduction in (None, "sum") else errors.mean(axis=-1)
    return {"loss": np.square(total) / (2 if reduction == "half-mean" else 1)}


def returns_one_step_ahead(form: Form, values: Any, returns: Any, reduction: Any, alpha: Any) -> Outputs:
    """V_t beside G_{t+1}; the last pair has no partner and is dropped."""
    import numpy as np

    full = np.broadcast_to(values if values.ndim else values[None], returns.shape)
    return _reduced(np.square(full[..., :-1] - returns[..., 1:]), reduction)


def root_of_the_loss(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    return {"loss": np.sqrt(form(**arrays)["loss"])}
