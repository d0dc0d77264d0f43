"""How many digits of a floating result are right.

After NIST's log relative error: −log10(|got − truth| / |truth|), at most the
digits that the dtype can hold; for a truth of 0 the absolute error is taken.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import Any

from rlcalc._lazy import np
from rlcalc.nested import flatten, outline

# decimal digits a dtype holds, log10(2^(bits of the significand)); and its smallest positive number
DIGITS = {"float64": 15.95, "float32": 7.22, "float16": 3.31, "bfloat16": 2.41}
TINY = {"float64": 2.3e-308, "float32": 1.2e-38, "float16": 6.2e-5, "bfloat16": 1.2e-38}
SMALLEST = {"float64": 4.9e-324, "float32": 1.4e-45, "float16": 5.9e-8, "bfloat16": 9.1e-41}
LARGEST = {"float64": 1.7976931348623157e308, "float32": 3.4028234663852886e38, "float16": 65504.0,
           "bfloat16": 3.3895313892515355e38}  # fmt: skip


def truth_of(value: Any) -> Fraction | float:
    """The exact value as a Fraction good to 40 digits, or ±inf."""
    from rlcalc.exact import to_decimal

    if isinstance(value, Fraction | int):
        return Fraction(value)
    if getattr(value, "is_Rational", False):
        return Fraction(int(value.p), int(value.q))
    text = to_decimal(value, 40)
    if text is None:
        raise ValueError("a symbolic value has no digits")
    return read_decimal(text)


def rounded(value: Fraction, dtype: str) -> Fraction:
    """What a dtype makes of a number within its range."""
    mantissa, exponent = math.frexp(value.numerator / value.denominator)
    return Fraction(round(mantissa * 2 ** _BITS[dtype])) * Fraction(2) ** (exponent - _BITS[dtype])


_BITS = {"float64": 53, "float32": 24, "float16": 11, "bfloat16": 8}


@lru_cache(maxsize=1024)
def read_decimal(text: str) -> Fraction | float:
    """A certified decimal string as a Fraction; ``infinity`` as a float."""
    return float(text) if text.endswith("infinity") else Fraction(text)


def correct_digits(got: float, truth: Fraction | float, dtype: str = "float64", scale: float = 0.0) -> float:
    """Correct significant digits of ``got``, between 0 and what ``dtype`` holds.

    Args:
        got: the floating result.
        truth: the exact value.
        dtype: dtype that the result was computed in.
        scale: size of the inputs that were added up to it. An error is
            measured against the truth or against this, whichever is larger,
            so that a truth of 0 by cancellation can be met.

    Returns:
        The digits; ``-inf`` where one side is infinite or not a number and
        the other is not.
    """
    most = DIGITS[dtype]
    if isinstance(truth, float):  # ±inf
        return most if got == truth else -math.inf
    if math.isnan(got):
        return -math.inf
    if math.isinf(got):
        # beyond the dtype's range infinity is the rounded truth
        return most if abs(truth) > LARGEST[dtype] and (got > 0) == (truth > 0) else -math.inf
    error = abs(Fraction(got) - truth)
    if error == 0 or (error <= TINY[dtype] and abs(truth) <= TINY[dtype]):
        return most
    against = max(abs(truth), Fraction(scale)) or Fraction(1)
    ratio = error / against
    # the logarithm of the Fraction itself: a quotient of floats could overflow
    lost = math.log10(ratio.numerator) - math.log10(ratio.denominator)
    return min(most, max(0.0, -lost))


def least_digits(got: Any, truth: Any, dtype: str, scale: float = 0.0) -> float:
    """Fewest correct digits over all entries; ``-inf`` when the shapes differ."""
    if outline(got) != outline(truth):
        return float("-inf")
    # long answers repeat their entries, and the truths of these are one object
    different = {
        (mine, id(value)): (mine, value) for mine, value in zip(flatten(got), flatten(truth), strict=True)
    }
    pairs = list(different.values())
    if len(pairs) > _MANY and all(type(value) is float for _, value in pairs):
        pairs = _worst(pairs, dtype, scale)
    return min(
        (
            correct_digits(mine, value if isinstance(value, float) else truth_of(value), dtype, scale)
            if not isinstance(value, float)
            else _float_digits(mine, value, dtype, scale)
            for mine, value in pairs
        ),
        default=DIGITS[dtype],
    )


_MANY = 1000  # pairs of floats, of which the worst is found in floating point


def _worst(pairs: list[tuple[float, float]], dtype: str, scale: float) -> list[tuple[float, float]]:
    """The pair with the largest relative error, and all that are not finite."""
    mine, other = np.asarray(pairs, np.float64).T
    finite = np.isfinite(mine) & np.isfinite(other)
    against = np.maximum(np.abs(other), scale)
    with np.errstate(all="ignore"):  # what overflows is the worst
        error = np.abs(mine - other) / np.where(against == 0, 1.0, against)
    tiny = np.maximum(np.abs(mine), np.abs(other)) <= TINY[dtype]
    error = np.where(finite & ~tiny, error, -1.0)
    return [pairs[int(np.argmax(error))], *(pairs[int(k)] for k in np.flatnonzero(~finite))]


def _float_digits(mine: float, other: float, dtype: str, scale: float) -> float:
    """Two floating results against each other, where no exact one exists."""
    if not math.isfinite(other):
        same = mine == other or (math.isnan(mine) and math.isnan(other))
        return DIGITS[dtype] if same else float("-inf")
    return correct_digits(mine, Fraction(other), dtype, scale)
