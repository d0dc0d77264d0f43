"""The operations of the grammar, each within its budget.

Fractions stay fractions; SymPy is imported when a symbol, an irrational root,
``exp`` or ``log`` first needs it.
"""

from __future__ import annotations

from fractions import Fraction
from math import isqrt
from typing import Any, NoReturn

from rlcalc._lazy import sympy
from rlcalc.exact.budget import (
    MAX_BITS,
    MAX_CHOICES,
    MAX_DIGITS,
    MAX_RADICAND_BITS,
    Refusal,
    exp_within_budget,
    exponent_within_budget,
    fits,
    log_powers_within_budget,
    radicand_bits,
    symbolic_exponent_within_budget,
    terms_within_budget,
    too_large,
)
from rlcalc.exact.comparing import compare
from rlcalc.exact.effort import terms_of
from rlcalc.exact.values import Exact, bits_of, is_symbolic, rational, to_sympy


def added(terms: list[Exact]) -> Exact:
    others = [t for t in terms if not isinstance(t, Fraction)]
    total = Fraction(0)
    for term in terms:
        if isinstance(term, Fraction):
            total = fits(total + term)  # both fit, so that the sum itself is cheap
    if not others:
        return total
    return _settled(sympy.Add(*others, to_sympy(total)))


def multiplied(factors: list[Exact]) -> Exact:
    others = [f for f in factors if not isinstance(f, Fraction)]
    total = Fraction(1)
    for factor in factors:
        if isinstance(factor, Fraction):
            total = fits(total * factor)
    if not others:
        return total
    # sqrt(a)*sqrt(b) becomes sqrt(a*b), whose factors SymPy then looks for.
    if sum(radicand_bits(f) for f in others) > 2 * MAX_RADICAND_BITS:
        raise too_large("a product of roots has too many digits under its root", "Use fewer roots.")
    terms_within_budget(*others)
    return _settled(sympy.Mul(to_sympy(total), *others))


def negative(value: Exact) -> Exact:
    return -value if isinstance(value, Fraction) else multiplied([Fraction(-1), value])


def inverse(value: Exact) -> Exact:
    if _is_zero(value):
        raise Refusal("division_by_zero", "it divides by zero", "Change the denominator.")
    return 1 / value if isinstance(value, Fraction) else _settled(value**-1)


def _is_zero(value: Exact) -> bool:
    if isinstance(value, Fraction) or not is_symbolic(value):
        return compare(value, Fraction(0)) == 0
    return bool(value.is_Add and terms_of(value) <= 500 and value.expand() == 0)


def power(base: Exact, exponent: Exact) -> Exact:
    if isinstance(base, Fraction) and isinstance(exponent, Fraction):
        return _rational_power(base, exponent)
    if isinstance(exponent, Fraction) and exponent == 0:
        return Fraction(1)
    if compare(exponent, Fraction(0)) == -1 and _is_zero(base):
        raise Refusal("division_by_zero", "it divides by zero", "Change the denominator.")
    if isinstance(exponent, Fraction):
        exponent_within_budget(exponent)
        if exponent.denominator > 1 and not is_symbolic(base) and compare(base, Fraction(0)) == -1:
            _refuse_root()
    elif not is_symbolic(base) and not is_symbolic(exponent):
        if compare(base, Fraction(0)) == -1:
            _refuse_root()
        if compare(base, Fraction(0)) == 1:
            exp_within_budget(to_sympy(exponent) * to_sympy(log(base)))
            log_powers_within_budget(to_sympy(exponent))
    else:
        log_powers_within_budget(to_sympy(exponent))
        symbolic_exponent_within_budget(to_sympy(base), to_sympy(exponent))
    if isinstance(exponent, Fraction) and exponent.denominator == 1 and not isinstance(base, Fraction):
        terms_within_budget(sympy.Pow(base, to_sympy(exponent), evaluate=False))
        rationals = base.atoms(sympy.Rational)
        if any(bits_of(r) * abs(exponent) > 2 * MAX_BITS for r in rationals if abs(r) != 1 and r != 0):
            raise too_large(f"the calculation produces a power with more than {MAX_DIGITS} digits")
    return _settled(sympy.Pow(to_sympy(base), to_sympy(exponent)))


def _refuse_root() -> NoReturn:
    raise Refusal(
        "number_not_real",
        "it takes a root of a negative number",
        "An odd root of a negative number is written -(8**(1/3)).",
    )


def _rational_power(base: Fraction, exponent: Fraction) -> Exact:
    if exponent == 0:
        return Fraction(1)  # 0**0 = 1, as in sums of gamma**k that start at k = 0 with gamma = 0
    if base == 0:
        if exponent < 0:
            raise Refusal("division_by_zero", "it divides by zero", "Change the denominator.")
        return Fraction(0)
    if base == 1:
        return base
    p, q = exponent.numerator, exponent.denominator
    if q > 1 and base < 0:
        _refuse_root()
    if q > 1:
        exponent_within_budget(exponent)
    size = max(abs(base.numerator).bit_length(), base.denominator.bit_length()) - 1  # log2, rounded down
    if size * abs(p) > MAX_BITS * q:
        raise too_large(f"the calculation produces a power with more than {MAX_DIGITS} digits")
    if q == 1:
        return base ** (p % 2) if base == -1 else fits(base**p)  # -1 has 0 bits: p may be huge
    above, below = _root(base.numerator, q), _root(base.denominator, q)
    if above is not None and below is not None:
        return _rational_power(Fraction(above, below), Fraction(p))
    if size >= MAX_RADICAND_BITS:
        raise too_large("a root of a number with more than 400 digits", "Use a smaller number.")
    return _settled(sympy.Pow(to_sympy(base), to_sympy(exponent)))


def _root(number: int, order: int) -> int | None:
    """The exact root of a positive integer, or ``None`` when it has none."""
    if order == 2:
        guess = isqrt(number)
    else:
        guess = 1 << -(-number.bit_length() // order)  # Newton from above
        while True:
            better = ((order - 1) * guess + number // guess ** (order - 1)) // order
            if better >= guess:
                break
            guess = better
    return guess if guess**order == number else None


def sqrt(value: Exact) -> Exact:
    return power(value, Fraction(1, 2))


def exp(value: Exact) -> Exact:
    if value == 0:
        return Fraction(1)
    exp_within_budget(value)
    log_powers_within_budget(to_sympy(value))
    return _settled(sympy.exp(to_sympy(value)))


def log(value: Exact) -> Exact:
    sign = compare(value, Fraction(0))
    if sign == 0:
        raise Refusal("number_not_finite", "log(0) is not finite", "Take it of a positive number.")
    if sign == -1:
        raise Refusal("number_not_real", "it takes the logarithm of a negative number", "Make it positive.")
    if value == 1:
        return Fraction(0)
    return _settled(sympy.log(to_sympy(value)))


def absolute(value: Exact) -> Exact:
    sign = compare(value, Fraction(0))
    if sign is not None:
        return negative(value) if sign < 0 else value
    result = sympy.Abs(value)
    # SymPy allows for a complex value where a root or logarithm might be one;
    # here everything stands for a real number.
    if any(not _in_grammar(f) for f in result.atoms(sympy.Function)):
        result = sympy.Abs(value, evaluate=False)
    return _settled(result)


def extreme(args: list[Exact], word: str) -> Exact:
    wanted = 1 if word == "max" else -1
    best: list[Exact] = []  # the one constant that can matter
    unknown: list[Any] = []
    for arg in args:
        if is_symbolic(arg):
            unknown.append(arg)
        elif not best or compare(arg, best[0]) == wanted:
            best = [arg]
    if not unknown:
        return best[0]
    if len(unknown) > MAX_CHOICES:
        raise too_large(f"{word} of {len(unknown)} symbolic arguments", f"Use at most {MAX_CHOICES}.")
    function = sympy.Max if word == "max" else sympy.Min
    try:
        return _settled(function(*unknown, *map(to_sympy, best)))
    except ValueError:  # "is not comparable", as for log(min(0, a))
        raise Refusal(
            "number_not_real", f"an argument of {word} is not a real number", "Use real numbers only."
        ) from None


def _settled(expr: Any) -> Exact:
    """Check what SymPy made of an operation; rational results become fractions again."""
    plain = rational(expr)
    if plain is not None:
        return fits(plain)
    for node in sympy.preorder_traversal(expr):
        if node.is_Rational:
            if bits_of(node) > MAX_BITS:
                raise too_large(f"the calculation produces a number with more than {MAX_DIGITS} digits")
        elif isinstance(node, sympy.exp) and not node.free_symbols:
            exp_within_budget(node.exp)
        elif node.is_Pow and node.exp.is_Rational:
            exponent_within_budget(Fraction(int(node.exp.p), int(node.exp.q)))
            if not node.exp.is_Integer and compare(node.base, Fraction(0)) == -1:
                _refuse_root()
        elif node.is_Pow:
            symbolic_exponent_within_budget(node.base, node.exp)
        elif node is sympy.zoo:
            raise Refusal("division_by_zero", "it divides by zero", "Change the denominator.")
        elif node is sympy.I:
            raise Refusal("number_not_real", "its value is not a real number", "Use real numbers only.")
        elif node.is_Function and not _in_grammar(node):
            raise Refusal("number_not_real", "its value need not be real", "Use real numbers only.")
        elif node is sympy.nan or node.is_infinite:
            raise Refusal("number_not_finite", "its value is not finite", "Use finite numbers only.")
    terms_within_budget(expr)
    result: Exact = expr
    return result


def _in_grammar(node: Any) -> bool:
    return isinstance(node, sympy.exp | sympy.log | sympy.Abs | sympy.Max | sympy.Min)
