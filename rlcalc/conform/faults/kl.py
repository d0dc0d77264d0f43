"""Faults of the Kullback–Leibler divergence."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form

Outputs = dict[str, Any]


def negative_divergence(form: Form, **arrays: Any) -> Outputs:
    return {"divergence": -form(**arrays)["divergence"]}


def arguments_swapped(form: Form, **arrays: Any) -> Outputs:
    return dict(form(p=arrays["q"], q=arrays["p"]))


def weighted_by_q(form: Form, p: Any, q: Any) -> Outputs:
    """Σ q log(p/q): the swapped divergence with a minus sign, and never above 0."""
    return {"divergence": -form(p=q, q=p)["divergence"]}


def zero_gives_nan(form: Form, p: Any, q: Any) -> Outputs:
    import numpy as np

    return {"divergence": (p * (np.log(p) - np.log(q))).sum(axis=-1)}


def mean_over_outcomes(form: Form, **arrays: Any) -> Outputs:
    return {"divergence": form(**arrays)["divergence"] / arrays["p"].shape[-1]}


def log_of_q_missing(form: Form, p: Any, q: Any) -> Outputs:
    import numpy as np

    plogp = np.where(p > 0, p * np.log(np.where(p > 0, p, np.ones_like(p))), np.zeros_like(p))
    return {"divergence": (plogp - p * q).sum(axis=-1)}
