"""Limits, checked before the step that would break them is taken: ``10**10**10`` is ten characters long."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

from rlcalc._lazy import sympy
from rlcalc.errors import shown
from rlcalc.exact.comparing import compare
from rlcalc.exact.effort import MAX_TERMS, terms_of
from rlcalc.exact.printing import to_text
from rlcalc.exact.values import Exact, bits_of

MAX_CHARS: Final = 10_000
MAX_DEPTH: Final = 64
MAX_DIGITS: Final = 4000
MAX_BITS: Final = MAX_DIGITS * 3322 // 1000  # 10**4000 fits: a one and 4000 digits
MAX_EXPONENT: Final = 10_000  # of a symbol, and of exp in a constant
MAX_ROOT: Final = 100
MAX_RADICAND_BITS: Final = 1330  # 400 digits: SymPy looks for factors of radicands
MAX_CHOICES: Final = 16  # symbolic arguments of min and max: SymPy compares all pairs


class Refusal(Exception):
    """Why a text is refused, before it is known whose text it is."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


def too_large(what: str, hint: str = f"Exact numbers have at most {MAX_DIGITS} digits here.") -> Refusal:
    return Refusal("number_too_large", what, hint)


def fits(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise too_large(f"the calculation produces a number with more than {MAX_DIGITS} digits")
    return value


def exponent_within_budget(exponent: Fraction) -> None:
    if exponent.denominator > MAX_ROOT:
        order = shown(to_text(exponent.denominator), 20)
        raise too_large(f"the calculation takes a root of order {order}", f"Use at most {MAX_ROOT}.")
    if abs(exponent) > MAX_EXPONENT:
        raise too_large(f"the calculation produces an exponent beyond {MAX_EXPONENT}", "Use a smaller one.")


def exp_within_budget(value: Exact) -> None:
    if compare(value, Fraction(MAX_EXPONENT)) == 1 or compare(value, Fraction(-MAX_EXPONENT)) == -1:
        raise too_large(f"exp of a number beyond {MAX_EXPONENT}", "Use a smaller number.")


def log_powers_within_budget(exponent: Any) -> None:
    """SymPy writes exp(c*log(x)) as x**c at once; refuse a c that would not fit."""
    for term in sympy.Add.make_args(exponent):
        logs = term.atoms(sympy.log)
        if logs:
            factor = abs(term.as_coeff_Mul()[0])
            bits = max(bits_of(r) for log in logs for r in log.atoms(sympy.Rational) | {sympy.S.One})
            if factor > MAX_EXPONENT or factor * bits > MAX_BITS:
                raise too_large(f"the calculation produces a power with more than {MAX_DIGITS} digits")


def symbolic_exponent_within_budget(base: Any, exponent: Any) -> None:
    """SymPy may take 7**-c out of 7**(l - c) to find a common factor; refuse a c that would not fit."""
    if base.is_Rational and abs(base) != 1 and base != 0:
        sizes = sorted(abs(r) for r in exponent.atoms(sympy.Rational))[-2:]
        product = sizes[0] * sizes[-1] if len(sizes) > 1 else sum(sizes)
        if (sizes and sizes[-1] > MAX_EXPONENT) or product * bits_of(base) > 20 * MAX_BITS:
            raise too_large("a power with a large number in its exponent", "Use a smaller exponent.")


def terms_within_budget(*factors: Any) -> None:
    terms = 1
    for factor in factors:
        terms *= terms_of(factor)
        if terms > MAX_TERMS:
            raise too_large(
                f"a product or power of sums with more than {MAX_TERMS} terms when expanded",
                "Use fewer symbols or smaller powers.",
            )


def radicand_bits(expr: Any) -> int:
    factors = expr.args if expr.is_Mul else (expr,)
    roots = [f for f in factors if f.is_Pow and f.base.is_Rational and f.exp.is_Rational]
    return sum(bits_of(f.base) for f in roots)
