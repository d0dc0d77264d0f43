"""Faults of the entropy."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form

Outputs = dict[str, Any]


def zero_gives_nan(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    found = dict(form(**arrays))
    impossible = (arrays["p"] == 0).any(axis=-1)
    return {"entropy": np.where(impossible, np.nan, found["entropy"]).astype(arrays["p"].dtype)}


def base_ignored(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "base": "e"}))


def always_in_bits(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    return dict(form(**{**arrays, "base": np.asarray(2, arrays["p"].dtype)}))


def mean_over_actions(form: Form, **arrays: Any) -> Outputs:
    return {"entropy": form(**arrays)["entropy"] / arrays["p"].shape[-1]}


def actions_not_weighted(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    nats = -np.log(arrays["p"]).mean(axis=-1)
    base = arrays["base"]
    return {"entropy": nats if base is None or isinstance(base, str) else nats / np.log(base)}
