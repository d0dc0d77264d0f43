"""Sums of logarithms of rationals, written with as few of them as possible.

Numbers are split by trial division only: what is left over stays whole, so
that no input makes this look for the factors of a large number.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from rlcalc._lazy import sympy

_TRIED_BELOW: Final = 10_000  # of the divisors
_JOINED_UP_TO: Final = 100  # a coefficient becomes an exponent inside a logarithm
_JOINED_BITS: Final = 40


def split_logs(value: Any) -> Any:
    """Every logarithm of a rational as a sum of logarithms of its small primes and of what is left."""
    logs = [part for part in value.atoms(sympy.log) if part.args[0].is_Rational]
    return value.xreplace({part: _split(part.args[0]) for part in logs})


def _split(number: Any) -> Any:
    parts = [
        sign * power * sympy.log(prime)
        for sign, whole in ((1, int(number.p)), (-1, int(number.q)))
        for prime, power in _factors(whole).items()
    ]
    return sympy.Add(*parts)


def _factors(whole: int) -> dict[int, int]:
    found: dict[int, int] = {}
    for prime in _small_primes():
        while whole % prime == 0:
            found[prime] = found.get(prime, 0) + 1
            whole //= prime
    return found if whole == 1 else {**found, whole: 1}


@cache
def _small_primes() -> list[int]:
    return list(sympy.primerange(2, _TRIED_BELOW))


def joined_logs(value: Any) -> Any:
    """The shortest way to write a sum of logarithms of rationals.

    log(5/9)/2 + log(5)/2 becomes log(5/3), where all of it fits into one
    logarithm; else logarithms of primes are collected. Anything with symbols
    or with logarithms of anything else stays as it is.
    """
    inside = [part.args[0] for part in value.atoms(sympy.log)]
    if value.free_symbols or not all(part.is_Rational and _short(part) for part in inside):
        return value
    split = sympy.expand(split_logs(sympy.expand(value)))
    forms = [value, split]
    factors = [factor for factor in split.as_coefficients_dict().values() if factor.is_Rational]
    # 10**9*log(2) must stay as it is
    if all(max(abs(factor.p), factor.q) <= _JOINED_UP_TO for factor in factors):
        joined = sympy.logcombine(split, force=True)
        # and a root inside it would be harder to read than two logarithms
        if all(part.args[0].is_Rational for part in joined.atoms(sympy.log)):
            forms.insert(1, joined)
    return min(forms, key=lambda form: form.count_ops())


def _short(number: Any) -> bool:
    return max(int(number.p).bit_length(), int(number.q).bit_length()) <= _JOINED_BITS


def cancelled_logs(value: Any) -> Any:
    """A quotient of logarithms in lowest terms: log 4 / log 2 is 2 only once both are written with primes."""
    if value.free_symbols:
        return value
    return min(value, sympy.cancel(split_logs(value)), key=lambda form: form.count_ops())
