"""Faults of counting data and gradient steps."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form

Outputs = dict[str, Any]


def data_counted_every_epoch(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    found = form(**arrays)
    epochs = np.asarray(arrays["epochs"], np.int64)
    return {
        **found,
        "collections": found["collections"] * epochs,
        "trajectories": found["trajectories"] * epochs,
    }


def minibatches_forgotten(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "minibatches": 1}))


def epochs_forgotten(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "epochs": 1}))


def iterations_forgotten(form: Form, **arrays: Any) -> Outputs:
    return dict(form(**{**arrays, "iterations": 1}))


def collections_are_trajectories(form: Form, **arrays: Any) -> Outputs:
    found = form(**arrays)
    return {
        **found,
        "collections": found["trajectories"],
        "reinforce_collections": found["reinforce_trajectories"],
    }
