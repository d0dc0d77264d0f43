"""What losses with importance weights share: bounds on a ratio, of which one or both may be absent."""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.errors import InputError
from rlcalc.exact import compare
from rlcalc.inputs import Arrays, Inputs
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Symbol, Term, apply


def check_bounds(i: Inputs) -> None:
    """Refuse a lower bound above the upper one.

    Raises:
        InputError: ``low_above_high``.
    """
    if i.low is not None and i.high is not None and compare(i.low, i.high) == 1:
        raise _crossed(i.low, i.high)


def check_bound_arrays(a: Arrays) -> None:
    """``check_bounds`` for a call with arrays."""
    low, high = a.look("low"), a.look("high")
    if low is not None and high is not None and float(low[0]) > float(high[0]):
        raise _crossed(float(low[0]), float(high[0]))


def _crossed(low: Any, high: Any) -> InputError:
    return InputError(
        "low_above_high",
        f"{spelled('low')} is {low}, above {spelled('high')}, which is {high}.",
        "Both are bounds of the ratio itself, such as 0.8 and 1.2.",
    )


def given_bounds(d: Derivation, i: Inputs) -> tuple[Symbol | None, Symbol | None]:
    """Both bounds as terms."""
    low = None if i.low is None else d.given("low", i.low)
    return low, None if i.high is None else d.given("high", i.high)


def bounded(x: Term, low: Term | None, high: Term | None) -> Term:
    """The ratio within the bounds that there are."""
    if low is not None and high is not None:
        return apply("clip", x, low, high)
    if low is not None:
        return apply("max", x, low)
    return x if high is None else apply("min", x, high)


def bounded_array(xp: Backend, x: Any, low: Any, high: Any) -> Any:
    """``bounded``, entry by entry, of ratios just made, which are written over."""
    return x if low is None and high is None else xp.clip(x, low, high, out=xp.over(x, low, high))


def within(x: Any, low: Any, high: Any) -> bool:
    """Whether low ≤ x ≤ high, of exact numbers."""
    above = low is None or compare(x, low) in (0, 1)
    return above and (high is None or compare(x, high) in (-1, 0))


def within_array(x: Any, low: Any, high: Any) -> Any:
    """``within``, entry by entry."""
    inside = x == x
    if low is not None:
        inside = inside & (x >= low)
    return inside if high is None else inside & (x <= high)
