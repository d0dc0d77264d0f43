"""Faults of Monte Carlo updates."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form
from rlcalc.conform.faults._sequence import Outputs


def _counts(arrays: dict[str, Any]) -> Any:
    """1, 2, 3, … for the returns."""
    import numpy as np

    return np.arange(1, arrays["returns"].shape[-1] + 1).astype(arrays["returns"].dtype)


def _with_values(values: Any) -> Outputs:
    return {"value": values[..., -1], "values": values}


def start_counted_as_a_return(form: Form, **arrays: Any) -> Outputs:
    """Step sizes 1/2, 1/3, 1/4, …"""
    found = dict(form(**arrays))
    if not isinstance(arrays["alpha"], str):
        return found
    counts, start = _counts(arrays), arrays["value"][..., None]
    return _with_values((found["values"] * counts + start) / (counts + 1))


def start_forgotten(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "value": arrays["value"] * 0}))


def errors_against_the_start(form: Form, **arrays: Any) -> Outputs:
    """V_0 + Σ α_k (G_k − V_0)."""
    import numpy as np

    alpha, start = arrays["alpha"], arrays["value"][..., None]
    step_size = 1 / _counts(arrays) if isinstance(alpha, str) else alpha
    moved = np.cumsum(step_size * (arrays["returns"] - start), axis=-1)
    return _with_values((start + moved).astype(arrays["returns"].dtype))


def last_return_left_out(form: Form, **arrays: Any) -> Outputs:
    """Each value is the one that stood before its return came."""
    import numpy as np

    values = form(**arrays)["values"]
    first = np.broadcast_to(arrays["value"][..., None], (*values.shape[:-1], 1))
    return _with_values(np.concatenate([first, values[..., :-1]], axis=-1).astype(values.dtype))
