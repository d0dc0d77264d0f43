"""Values of terms: SymPy's operations, each announced before it is done, and one form for equal results."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import comb, gcd
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.exact.assumptions import informed, plain
from rlcalc.exact.budget import Refusal, exp_within_budget, log_powers_within_budget
from rlcalc.exact.effort import TooMuchWork, arithmetic_cost, charge, multiplied_out, nodes, terms_of
from rlcalc.exact.values import bits_of, to_sympy

Value = Any  # a SymPy expression; SymPy ships no types

# microseconds of short additions that are announced together: each alone is done sooner than announced
_AT_ONCE = 100.0


def add(values: Sequence[Value]) -> Value:
    """The sum; of rationals term by term, so that the digits are known before each addition."""
    if not all(value.is_Rational for value in values):
        # the summands of summands are put in order together
        charge(sum(3 * nodes(value) + 8 * max(1, len(value.args)) for value in values), "constants")
        return sympy.Add(*values)
    above, below = 0, 1  # reduced once, at the end
    bits = 0
    announced = 0.0
    for value in values:
        announced += arithmetic_cost(bits, bits_of(value))
        if announced > _AT_ONCE:
            charge(announced, "digits")
            announced = 0.0
        numerator, denominator = int(value.p), int(value.q)
        if denominator == below:
            above += numerator
        else:
            common = gcd(below, denominator)
            above = above * (denominator // common) + numerator * (below // common)
            below *= denominator // common
        bits = max(above.bit_length(), below.bit_length())
    charge(announced, "digits")
    return to_sympy(Fraction(above, below))


def multiply(values: Sequence[Value]) -> Value:
    bits = 0
    for value in values:
        if value.is_Rational:
            charge(arithmetic_cost(bits, bits_of(value)), "digits")
            bits += bits_of(value)
        else:
            charge(2 * nodes(value), "constants")
    return sympy.Mul(*values)


def divide(above: Value, below: Value) -> Value:
    return multiply([above, 1 / below])


def _charge_root(base: Value) -> None:
    """SymPy looks for squares under a root, and asks of what is left whether it is prime."""
    if base.is_Rational:
        charge(5e-6 * float(bits_of(base)) ** 3, "digits")


def power(base: Value, exponent: Value) -> Value:
    if exponent.is_Rational and not exponent.is_Integer:
        _charge_root(base)
    if exponent.is_Integer:
        count = abs(int(exponent))
        if base.is_Rational:
            bits = bits_of(base) * count
            charge(arithmetic_cost(bits, bits), "digits")
        elif base.is_Add and base.free_symbols:
            summands = len(base.args)
            charge(30 * comb(summands + count - 1, summands - 1), "symbols")
    return base**exponent


def function(name: str, values: Sequence[Value]) -> Value:
    """A named function: exp, log, sqrt, min, max, abs, or clip(x, low, high)."""
    if name == "exp":
        return exp(values[0])
    if name in ("min", "max") and all(value.is_Rational for value in values):
        # what SymPy finds too, by asking of every pair which is the larger
        return (min if name == "min" else max)(values, key=_fraction)
    if name in ("min", "max", "clip"):
        # SymPy asks of every pair which is the larger, symbol by symbol
        symbolic = [value for value in values if value.free_symbols]
        charge(600 * sum(map(nodes, symbolic)), "symbols")
        values = [informed(value) for value in values]
    if name == "sqrt":
        _charge_root(values[0])
    if name == "clip":
        x, low, high = values
        # the lecture's order, which differs from numpy.clip when low > high
        return plain(_decided(sympy.Max(low, sympy.Min(x, high))))
    heads = {"log": sympy.log, "sqrt": sympy.sqrt, "min": sympy.Min, "max": sympy.Max, "abs": sympy.Abs}
    return plain(_decided(heads[name](*values)))


def _decided(value: Value) -> Value:
    """The same with the largest and smallest of numbers, which SymPy leaves open within another extreme."""
    extremes = value.atoms(sympy.Min, sympy.Max) if value.free_symbols else ()
    return value.xreplace({part: part.func(*part.args) for part in extremes if not part.free_symbols})


def _fraction(value: Value) -> Fraction:
    return Fraction(int(value.p), int(value.q))


def exp(value: Value) -> Value:
    """The exponential, within the limit that holds for typed ones."""
    constant = value.as_coeff_Add()[0] if value.free_symbols else value
    try:
        exp_within_budget(constant)
        log_powers_within_budget(value)
    except Refusal as refusal:
        raise TooMuchWork(f"it holds {refusal.message}") from None
    if value.is_Add and not value.free_symbols and not value.has(sympy.log):
        # nothing to simplify in it; SymPy would deduce its sign first, number by number
        return sympy.exp(value, evaluate=False)
    charge(20 * nodes(value), "constants")
    return sympy.exp(value)


def tidy(value: Value) -> Value:
    """One form for equal results: symbolic polynomials are multiplied out.

    Where symbols stand in a denominator or a function, the shortest form is
    taken: as it arose, multiplied out, or in lowest terms. Roots of rationals
    are multiplied out too and kept out of denominators. Rational numbers are
    left alone, which keeps long sums cheap.
    """
    if value.is_Rational:
        return value
    if value.free_symbols:
        expanded = multiplied_out(value, power_exp=False, log=False)
        symbols = expanded.free_symbols
        if not symbols or expanded.is_polynomial(*symbols):
            return expanded
        forms = [expanded, value]
        if _factored_soon(expanded):
            forms.append(sympy.factor(expanded))
        return min(forms, key=lambda form: form.count_ops())
    if nodes(value) < 3 * _ROOTS_BELOW and _of_roots(value) and value.count_ops() < _ROOTS_BELOW:
        charge(300 * terms_of(value), "constants")
        return sympy.radsimp(sympy.expand(value))
    return value


def factored(value: Value) -> Value:
    """A quotient whose parts are written as products, so that roots of squares come out."""
    if not value.free_symbols or not all(
        part.is_Pow and part.exp.is_Rational and _factored_soon(part.base) for part in value.atoms(sympy.Pow)
    ):
        return value
    charge(300 * nodes(value), "symbols")
    parts = [
        part.func(sympy.factor(part.base), part.exp) if part.is_Pow else sympy.factor(part)
        for part in sympy.Mul.make_args(value)
    ]
    return sympy.Mul(*parts)


def _factored_soon(value: Value) -> bool:
    """Whether lowest terms are found at once: few operations, small exponents and coefficients.

    An exponential counts as a power of the number e, so that exp(710) would mean a polynomial of degree 710.
    """
    if nodes(value) > 2 * _FRACTIONS_BELOW or value.count_ops() >= _FRACTIONS_BELOW:
        return False
    if not value.is_rational_function(*value.free_symbols):
        return False
    powers = [part.exp for part in value.atoms(sympy.Pow, sympy.exp)]
    small = all(abs(number) <= 16 for power in powers for number in power.atoms(sympy.Rational))
    return small and all(bits_of(number) <= 64 for number in value.atoms(sympy.Rational))


def _of_roots(value: Value) -> bool:
    """Whether a number is made of rationals and their roots alone.

    By its form: SymPy's ``is_algebraic`` deduces, which takes seconds for a softmax of a dozen preferences.
    """
    if value.is_Add or value.is_Mul:
        return all(map(_of_roots, value.args))
    return bool(value.is_Rational or (value.is_Pow and value.exp.is_Rational and _of_roots(value.base)))


_FRACTIONS_BELOW = 80  # operations; lowest terms of a longer fraction take too long to find
_ROOTS_BELOW = 100  # operations; clearing roots from a long denominator would lengthen it
