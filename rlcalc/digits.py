"""How many digits of a floating result are right.

After NIST's log relative error: −log10(|got − truth| / |truth|), at most the
digits that the dtype can hold; for a truth of 0 the absolute error is taken.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

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
