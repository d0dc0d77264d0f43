"""What a library's function does not offer, and so is not asked for.

A function of one sequence is not wrong because it refuses a batch. Each
reason here is a function of a vector: a few words, or none where the vector
can be put to the library.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.target.base import Target
from rlcalc.conform.vectors import Vector

Reason = Callable[[Vector], str]


def _nothing(vector: Vector) -> str:
    return ""


@dataclass
class Scoped(Target):
    """A target that is only asked for what it offers."""

    outside: Reason = _nothing

    def unable(self, vector: Vector) -> str:
        return super().unable(vector) or self.outside(vector)


def scoped(target: Target, outside: Reason) -> Scoped:
    """The same target with a limit on what it is asked for."""
    known: dict[str, Any] = {f.name: getattr(target, f.name) for f in fields(Target)}
    return Scoped(**known, outside=outside)


def any_of(*reasons: Reason) -> Reason:
    """The first reason that applies."""

    def reason(vector: Vector) -> str:
        return next((words for words in (r(vector) for r in reasons) if words), "")

    return reason


def one_sequence(vector: Vector) -> str:
    """No batch axes."""
    rewards = vector.arrays["rewards"]
    return "it takes one sequence at a time" if rewards.ndim > 1 else ""


def one_discount(vector: Vector) -> str:
    """No discount of its own for each step."""
    return "it takes one discount for all steps" if getattr(vector.arrays["gamma"], "ndim", 0) else ""


def finite_count(vector: Vector) -> str:
    """No infinite n, which an integer cannot be."""
    n = vector.arrays["n"]
    return "it takes a finite n" if n == float("inf") else ""


def several_steps(vector: Vector) -> str:
    """No sequence of a single step."""
    return "it takes two steps or more" if vector.arrays["rewards"].shape[-1] < 2 else ""


def one_value_per_state(vector: Vector) -> str:
    """Nothing but the next state's own value after a step that goes on.

    A λ-return computed as advantage plus value takes that for granted; the
    recursion over returns does not.
    """
    after = vector.arrays.get("next_values")
    if after is None:
        return ""
    over = [vector.arrays.get(name) for name in ("terminated", "truncated")]
    ends = sum(flags for flags in over if flags is not None) > 0
    differs = (after != vector.arrays["values"][..., 1:]) & ~(ends & (after == after))
    return "a state that is passed through has two values" if differs.any() else ""


def without_zeros(vector: Vector) -> str:
    """Distributions that finite logits can say."""
    for name in ("p", "q"):
        table = vector.arrays.get(name)
        if table is not None and not (table > 0).all():
            return "finite logits have no probability 0"
    return ""


def positive_ratio(vector: Vector) -> str:
    """Ratios that the difference of two finite log-probabilities can say."""
    return "" if (vector.arrays["ratio"] > 0).all() else "log-probabilities have no ratio 0"


def ratio_within_e20(vector: Vector) -> str:
    """Log-ratios between −20 and 20."""
    ratio = vector.arrays["ratio"]
    inside = (ratio > np.exp(-20)) & (ratio < np.exp(20))
    return "" if inside.all() else "it holds log-ratios within 20"


def one_batch(vector: Vector) -> str:
    """No batch axes."""
    return "it takes one batch at a time" if vector.arrays["returns"].ndim > 1 else ""


def one_distribution(vector: Vector) -> str:
    """No batch axes."""
    return "it takes one distribution at a time" if vector.arrays["p"].ndim > 1 else ""


def one_group(vector: Vector) -> str:
    """No batch axes."""
    return "it takes one group at a time" if vector.arrays["rewards"].ndim > 1 else ""


def no_options(*names: str) -> Reason:
    """Inputs that must stay at their defaults, since the function fixes them."""

    def reason(vector: Vector) -> str:
        given = [name for name in names if name in vector.given]
        return f"it fixes {' and '.join(given)} itself" if given else ""

    return reason
