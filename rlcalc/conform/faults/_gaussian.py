"""What faults of Gaussian policies read, and what several of them do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rlcalc.conform.fault import Outputs, output_fault

HALF_LOG_TWO_PI = math.log(2 * math.pi) / 2


def summed(name: str, parts: str, changed: Any) -> Outputs:
    """Outputs made of other parts."""
    return {name: changed.sum(-1), parts: changed}


def one_constant(found: Outputs, name: str, parts: str, constant: float) -> Outputs:
    """The constant of one dimension, whatever their number."""
    count = found[parts].shape[-1]
    return {name: found[name] - (count - 1) * constant}


@output_fault("reduction")
def mean_over_dimensions(found: Outputs, arrays: Mapping[str, Any]) -> Outputs:
    """Averages over the dimensions of the action.

    Shown when: Two dimensions or more.
    Cause: mean() without a thought of its axis; a step of the optimiser then shrinks with the dimension.
    Fix: Sum over the dimensions: they are independent.
    - log_prob = dist.log_prob(action).mean(dim=-1)
    + log_prob = dist.log_prob(action).sum(dim=-1)
    """
    name, parts = ("entropy", "entropies") if "entropy" in found else ("log_prob", "log_probs")
    return {name: found[parts].mean(-1)}
