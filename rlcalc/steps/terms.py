"""Terms: what a step says, and what it is worth.

A formula's exact form writes its definition with these classes. A term knows
its parts and its exact value, nothing about output: the printers in
``rlcalc.steps.printers`` dispatch on its class. The value of a term is computed
from the values of its parts alone, so what is shown and what is answered
cannot differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Union

from rlcalc._lazy import sympy
from rlcalc.exact import to_sympy
from rlcalc.steps import values as exact
from rlcalc.steps.values import Value

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
        return exact.tidy(self.evaluate())

    def evaluate(self) -> Value:
        raise TypeError(f"{type(self).__name__} has no value of its own")

    def leaves(self) -> Iterator[Term]:
        """The numbers and named quantities that it is made of, in the order of reading."""
        for part in self.parts():
            yield from part.leaves()

    def parts(self) -> tuple[Term, ...]:
        raise TypeError(f"{type(self).__name__} does not say what it is made of")

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

    def leaves(self) -> Iterator[Term]:
        yield self


@dataclass(frozen=True, eq=False)
class Symbol(Term):
    """A named quantity with a known value: an input, or the result of a step and the term it came from."""

    name: Name
    known: Value
    origin: Term | None = None

    @cached_property
    def value(self) -> Value:
        return self.known

    def leaves(self) -> Iterator[Term]:
        yield self


@dataclass(frozen=True, eq=False)
class Sum(Term):
    terms: tuple[Term, ...]

    def parts(self) -> tuple[Term, ...]:
        return self.terms

    def evaluate(self) -> Value:
        return exact.add([part.value for part in self.terms])


@dataclass(frozen=True, eq=False)
class Product(Term):
    factors: tuple[Term, ...]

    def parts(self) -> tuple[Term, ...]:
        return self.factors

    def evaluate(self) -> Value:
        return exact.multiply([part.value for part in self.factors])


@dataclass(frozen=True, eq=False)
class Quotient(Term):
    above: Term
    below: Term

    def parts(self) -> tuple[Term, ...]:
        return (self.above, self.below)

    def evaluate(self) -> Value:
        return exact.divide(self.above.value, self.below.value)


@dataclass(frozen=True, eq=False)
class Power(Term):
    """``base`` to ``exponent``; zero to the zero is 1, as in every discounted sum."""

    base: Term
    exponent: Term

    def parts(self) -> tuple[Term, ...]:
        return (self.base, self.exponent)

    def evaluate(self) -> Value:
        return exact.power(self.base.value, self.exponent.value)


@dataclass(frozen=True, eq=False)
class Negative(Term):
    part: Term

    def parts(self) -> tuple[Term, ...]:
        return (self.part,)

    def evaluate(self) -> Value:
        return -self.part.value


@dataclass(frozen=True, eq=False)
class Apply(Term):
    """A named function: exp, log, sqrt, min, max, abs, or clip(x, low, high)."""

    function: str
    args: tuple[Term, ...]

    def parts(self) -> tuple[Term, ...]:
        return self.args

    def evaluate(self) -> Value:
        return exact.function(self.function, [arg.value for arg in self.args])


@dataclass(frozen=True, eq=False)
class Constant(Term):
    """A part through which no derivative goes: sg[part], the stop-gradient of the libraries."""

    part: Term

    def parts(self) -> tuple[Term, ...]:
        return (self.part,)

    def evaluate(self) -> Value:
        return self.part.value


@dataclass(frozen=True, eq=False)
class Rewritten(Term):
    """A term written as it is, whose value is put into a nicer equal form."""

    part: Term
    rewrite: Callable[[Value], Value]

    def parts(self) -> tuple[Term, ...]:
        return (self.part,)

    def evaluate(self) -> Value:
        return self.rewrite(self.part.value)


@dataclass(frozen=True)
class Step:
    """One named quantity and the term it comes from.

    Attributes:
        row: of the table that it belongs to, from 1; 0 where it belongs to none.
    """

    name: Name
    term: Term
    note: str = ""
    row: int = 0

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
