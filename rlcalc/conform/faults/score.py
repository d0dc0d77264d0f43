"""Faults of the score of a softmax policy."""

from __future__ import annotations

from typing import Any

from rlcalc.conform.faults import Form
from rlcalc.conform.faults._sequence import Outputs, mapped


def sign_flipped(form: Form, **arrays: Any) -> Outputs:
    return mapped(form(**arrays), "score", lambda score: -score)


def chosen_entry_only(form: Form, **arrays: Any) -> Outputs:
    import numpy as np

    found = form(**arrays)
    chosen = np.arange(found["score"].shape[-1]) == arrays["action"][..., None]
    return mapped(found, "score", lambda score: np.where(chosen, score, np.zeros_like(score)))


def policy_not_subtracted(form: Form, **arrays: Any) -> Outputs:
    found = form(**arrays)
    return mapped(found, "score", lambda score: score + found["policy"])


def gradient_of_the_probability(form: Form, **arrays: Any) -> Outputs:
    """π(a)·([a = b] − π(b))."""
    import numpy as np

    found = form(**arrays)
    index = np.broadcast_to(np.asarray(arrays["action"])[..., None], (*found["policy"].shape[:-1], 1))
    chance = np.take_along_axis(found["policy"], index, axis=-1)
    return mapped(found, "score", lambda score: chance * score)
