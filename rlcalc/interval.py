"""The domain of a number as a specification writes it: a real interval, ``real`` or ``distribution``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from rlcalc.errors import DataError, shown

_INTERVAL = re.compile(r"([\[(])\s*([^,\s]+)\s*,\s*([^,\s]+)\s*([\])])")


@dataclass(frozen=True)
class Interval:
    """A real interval; ``None`` is the infinite end. The entries of a distribution sum to 1 besides."""

    low: Fraction | None
    high: Fraction | None
    low_closed: bool
    high_closed: bool
    text: str
    sums_to_one: bool = False

    @property
    def is_bounded(self) -> bool:
        """Whether a number can lie outside of it."""
        return self.low is not None or self.high is not None

    @cached_property
    def floats(self) -> tuple[float | None, float | None]:
        """The ends as arrays are compared with."""
        low, high = (None if end is None else float(end) for end in (self.low, self.high))
        return low, high

    def words(self) -> str:
        """The interval as a person says it, for error messages."""
        low, high = self.low, self.high
        if low is None and high is None:
            return "a real number"
        if high is None:
            return f"{'at least' if self.low_closed else 'above'} {low}"
        if low is None:
            return f"{'at most' if self.high_closed else 'below'} {high}"
        return f"in {self.text}" if self.low_closed == self.high_closed else f"in the interval {self.text}"


def parse_interval(text: str) -> Interval:
    """Read ``"[0, 1]"``, ``"(0, oo)"``, ``"real"`` or ``"distribution"`` (probabilities that sum to 1).

    Raises:
        DataError: ``bad_domain``.
    """
    if text == "real":
        return Interval(None, None, False, False, text)
    match = _INTERVAL.fullmatch("[0, 1]" if text == "distribution" else text)
    if not match:
        raise DataError("bad_domain", f"{shown(text)} is not an interval such as '[0, 1]' or '(0, oo)'.")
    left, low, high, right = match.groups()
    try:
        ends = (None if low == "-oo" else Fraction(low), None if high == "oo" else Fraction(high))
    except (ValueError, ZeroDivisionError) as error:
        raise DataError("bad_domain", f"{shown(text)} has an end that is not a number.") from error
    return Interval(*ends, left == "[", right == "]", match[0], text == "distribution")
