"""Terms: what a step says, and what it is worth.

A formula's exact form writes its definition with these classes. A term knows
its parts and its exact value, nothing about output: the printers in
``rlcalc.steps.printers`` dispatch on its class. The value of a term is computed
from the values of its parts alone, so what is shown and what is answered
cannot differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Union

from rlcalc._lazy import sympy
from rlcalc.exact import to_sympy

Value = Any  # a SymPy expression; SymPy ships no types
Like = Union["Term", int, Fraction, "sympy.Expr"]


@dataclass(frozen=True)
class Name:
    """A name with its marks: ``Name("G", "0", "(2)")`` is G_0^(2).

    ``arg`` makes it a function's value: ``Name("V", arg=Name("S", "1"))`` is V(S_1).
    ``tex`` is the base in LaTeX where it cannot be made from ``base``.
    """

    base: str
    sub: str = ""
    sup: str = ""
    arg: Name | None = None
    tex: str = ""


class Term:
    """An exact expression that remembers how it was written."""

    @cached_property
    def value(self) -> Value:
        """The exact value, a SymPy expression."""
        return tidy(self.evaluate())

    def evaluate(self) -> Value:
        raise TypeError(f"{type(self).__name__} has no value of its own")

    def __add__(self, other: Like) -> Term:
        return Sum((self, term(other)))

    def __radd__(self, other: Like) -> Term:
        return Sum((term(other), self))

    def __sub__(self, other: Like) -> Term:
        return Sum((self, Negative(term(other))))

    def __rsub__(self, other: Like) -> Term:
        return Sum((term(other), Negative(self)))

    def __mul__(self, other: Like) -> Term:
        return Product((self, term(other)))

    def __rmul__(self, other: Like) -> Term:
        return Product((term(other), self))

    def __truediv__(self, other: Like) -> Term:
        return Quotient(self, term(other))

    def __rtruediv__(self, other: Like) -> Term:
        return Quotient(term(other), self)

    def __pow__(self, other: Like) -> Term:
        return Power(self, term(other))

    def __neg__(self) -> Term:
        return Negative(self)


@dataclass(frozen=True, eq=False)
class Number(Term):
    """A literal constant of the formula itself."""

    number: Value

    def evaluate(self) -> Value:
        return self.number


@dataclass(frozen=True, eq=False)
class Symbol(Term):
    """A named quantity with a known value: an input, or the result of a step."""

    name: Name
    known: Value

    @cached_property
    def value(self) -> Value:
        return self.known


@dataclass(frozen=True, eq=False)
class Sum(Term):
    terms: tuple[Term, ...]

    def evaluate(self) -> Value:
        return sympy.Add(*[part.value for part in self.terms])


@dataclass(frozen=True, eq=False)
class Product(Term):
    factors: tuple[Term, ...]

    def evaluate(self) -> Value:
        return sympy.Mul(*[part.value for part in self.factors])


@dataclass(frozen=True, eq=False)
class Quotient(Term):
    above: Term
    below: Term

    def evaluate(self) -> Value:
        return self.above.value / self.below.value


@dataclass(frozen=True, eq=False)
class Power(Term):
    """``base`` to ``exponent``; zero to the zero is 1, as in every discounted sum."""

    base: Term
    exponent: Term

    def evaluate(self) -> Value:
        return self.base.value**self.exponent.value


@dataclass(frozen=True, eq=False)
class Negative(Term):
    part: Term

    def evaluate(self) -> Value:
        return -self.part.value


@dataclass(frozen=True, eq=False)
class Apply(Term):
    """A named function: exp, log, sqrt, min, max, abs, or clip(x, low, high)."""

    function: str
    args: tuple[Term, ...]

    def evaluate(self) -> Value:
        values = [arg.value for arg in self.args]
        if self.function == "clip":
            x, low, high = values
            # the lecture's order, which differs from numpy.clip when low > high
            return sympy.Max(low, sympy.Min(x, high))
        heads = {
            "exp": sympy.exp,
            "log": sympy.log,
            "sqrt": sympy.sqrt,
            "min": sympy.Min,
            "max": sympy.Max,
            "abs": sympy.Abs,
        }
        return heads[self.function](*values)


@dataclass(frozen=True, eq=False)
class Rewritten(Term):
    """A term written as it is, whose value is put into a nicer equal form."""

    part: Term
    rewrite: Callable[[Value], Value]

    def evaluate(self) -> Value:
        return self.rewrite(self.part.value)


@dataclass(frozen=True)
class Step:
    """One named quantity and the term it comes from."""

    name: Name
    term: Term
    note: str = ""

    @property
    def value(self) -> Value:
        return self.term.value


def term(value: Like) -> Term:
    """Wrap a number; leave a term alone."""
    return value if isinstance(value, Term) else Number(to_sympy(value))


def total(terms: Iterable[Like]) -> Term:
    """The sum of any number of terms; of none it is 0."""
    parts = tuple(term(part) for part in terms)
    if not parts:
        return Number(to_sympy(0))
    return parts[0] if len(parts) == 1 else Sum(parts)


def product(factors: Iterable[Like]) -> Term:
    """The product of any number of factors; of none it is 1."""
    parts = tuple(term(part) for part in factors)
    if not parts:
        return Number(to_sympy(1))
    return parts[0] if len(parts) == 1 else Product(parts)


def apply(function: str, *args: Like) -> Term:
    """``apply("min", a, b)`` and the like."""
    return Apply(function, tuple(term(arg) for arg in args))


def values(terms: Sequence[Term]) -> list[Value]:
    return [part.value for part in terms]


def joined_logs(value: Value) -> Value:
    """The shortest way to write a sum of logarithms of rationals.

    log(5/9)/2 + log(5)/2 becomes log(5/3), where all of it fits into one
    logarithm; else logarithms of primes are collected. Anything with symbols
    or with numbers too large to factor stays as it is.
    """
    inside = [part.args[0] for part in value.atoms(sympy.log)]
    if value.free_symbols or not all(
        part.is_Rational and max(abs(part.p), part.q) < _FACTORED_BELOW for part in inside
    ):
        return value
    split = sympy.expand(sympy.expand_log(sympy.expand(value), force=True, factor=True))
    forms = [value, split]
    factors = [factor for factor in split.as_coefficients_dict().values() if factor.is_Rational]
    # a coefficient becomes an exponent inside the logarithm: 10**9*log(2) must stay as it is
    if all(max(abs(factor.p), factor.q) <= _JOINED_UP_TO for factor in factors):
        joined = sympy.logcombine(split, force=True)
        # and a root inside it would be harder to read than two logarithms
        if all(part.args[0].is_Rational for part in joined.atoms(sympy.log)):
            forms.insert(1, joined)
    return min(forms, key=lambda form: form.count_ops())


_JOINED_UP_TO = 100
_FACTORED_BELOW = 10**12  # trial division finds every factor at once


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
        expanded = sympy.expand(value, power_exp=False, log=False)
        symbols = expanded.free_symbols
        if not symbols or expanded.is_polynomial(*symbols):
            return expanded
        forms = [expanded, value]
        if expanded.is_rational_function(*symbols) and expanded.count_ops() < _FRACTIONS_BELOW:
            forms.append(sympy.factor(expanded))
        return min(forms, key=lambda form: form.count_ops())
    if _of_roots(value) and value.count_ops() < _ROOTS_BELOW:
        return sympy.radsimp(sympy.expand(value))
    return value


def _of_roots(value: Value) -> bool:
    """Whether a number is made of rationals and their roots alone.

    By its form: SymPy's ``is_algebraic`` deduces, which takes seconds for a softmax of a dozen preferences.
    """
    if value.is_Add or value.is_Mul:
        return all(map(_of_roots, value.args))
    return bool(value.is_Rational or (value.is_Pow and value.exp.is_Rational and _of_roots(value.base)))


_FRACTIONS_BELOW = 80  # operations; lowest terms of a longer fraction take too long to find
_ROOTS_BELOW = 100  # operations; clearing roots from a long denominator would lengthen it
