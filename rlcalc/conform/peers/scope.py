"""What a library's function does not offer, and so is not asked for.

A function of one sequence is not wrong because it refuses a batch. Each
reason here is a function of a vector: a few words, or none where the vector
can be put to the library.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rlcalc._lazy import np
from rlcalc.conform.vectors import Vector

Reason = Callable[[Vector], str]


def any_of(*reasons: Reason) -> Reason:
    """The first reason that applies."""

    def reason(vector: Vector) -> str:
        return next((words for words in (r(vector) for r in reasons) if words), "")

    return reason


def one(what: str, name: str, axes: int = 1) -> Reason:
    """No batch axes before the axes that an input has of itself."""

    def reason(vector: Vector) -> str:
        return f"it takes one {what} at a time" if vector.arrays[name].ndim > axes else ""

    return reason


one_sequence, one_group = one("sequence", "rewards"), one("group", "rewards")
one_batch, one_distribution = one("batch", "returns"), one("distribution", "p")
# of rows and tokens, and of the answers of a batch
one_table, one_row = partial(one, "batch", axes=2), partial(one, "batch")


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


def no_options(*names: str) -> Reason:
    """Inputs that must stay at their defaults, since the function fixes them."""

    def reason(vector: Vector) -> str:
        given = [name for name in names if name in vector.given]
        return f"it fixes {' and '.join(given)} itself" if given else ""

    return reason


def something_valid(vector: Vector) -> str:
    """A mask with a valid token."""
    mask = vector.arrays.get("mask")
    return "without a valid token it divides by 0" if mask is not None and not mask.any() else ""


def no_empty_rows(vector: Vector) -> str:
    """No row without a valid token."""
    mask = vector.arrays.get("mask")
    empty = mask is not None and not mask.any(axis=-1).all()
    return "it counts a row without a valid token" if empty else ""


def groups_in_a_row(vector: Vector) -> str:
    """Groups of one size of two or more, one after the other."""
    groups = vector.arrays["groups"]
    if groups.ndim > 1:
        return "it takes one batch at a time"
    starts = np.flatnonzero(np.diff(groups, prepend=groups[0] - 1))
    sizes = np.diff(np.append(starts, len(groups)))
    alike = len(set(groups[starts])) == len(starts) and sizes.min() == sizes.max() > 1
    return "" if alike else "it takes groups of one size of two or more, one after the other"


def only(**wanted: str) -> Reason:
    """One value of each of these choices; an empty one for a choice that is not made."""

    def reason(vector: Vector) -> str:
        for name, value in wanted.items():
            asked = vector.arrays.get(name) or vector.formula.parameter(name).default or ""
            if asked != value:
                return f"it is asked for {name} = {value or 'none'}"
        return ""

    return reason


def two_bounds(vector: Vector) -> str:
    """A lower and an upper bound, both given."""
    given = {"low", "high"} <= set(vector.given) and vector.arrays["low"] > 0
    return "" if given else "it needs a lower bound above 0, and an upper one"


def log_ratio_within(bound: float, new: str, old: str) -> Reason:
    """Differences of two log-probabilities within a bound, those of whole answers too."""

    def reason(vector: Vector) -> str:
        gaps = vector.arrays[new] - vector.arrays[old]
        mask = vector.arrays.get("mask")
        gaps = gaps if mask is None else np.where(mask, gaps, 0)
        within = (abs(gaps).sum(axis=-1) < bound).all()
        return "" if within else f"it holds log-ratios within {bound:g}"

    return reason


def dual_clip_above(vector: Vector) -> str:
    """A dual clip above the upper bound of the range, as trl documents its delta."""
    dual, high = vector.arrays.get("dual"), vector.arrays.get("eps_high")
    high = vector.arrays["eps_low"] if high is None else high
    return "its delta is documented as above 1 + epsilon" if dual is not None and dual <= 1 + high else ""
