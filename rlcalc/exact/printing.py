"""Exact values as text: for the parser, for people, and for LaTeX.

One walk writes them all; a notation says how numbers, quotients, powers and
calls look. Nothing is shortened, and integers may have any length.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any, Final, TypeAlias

from rlcalc._lazy import sympy
from rlcalc.exact.effort import nodes
from rlcalc.exact.values import Exact, int_to_text, rational
from rlcalc.exact.words import GREEK

# binding strength of what was printed; an operand that binds less is bracketed
ADD, MULTIPLY, POWER, ATOM = 1, 2, 3, 4
Printed: TypeAlias = tuple[str, int]
_ONE: Final = ("1", ATOM)

_ORDERED_UP_TO: Final = 60  # parts of a constant; each of its summands is evaluated to find the order

_SUPERSCRIPTS: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def to_text(value: Exact | int) -> str:
    """Print a value so that ``parse_number`` reads the same value back.

    Infinity is printed as ``infinity``, which the grammar refuses; functions
    outside the grammar are printed as SymPy does.
    """
    return _GRAMMAR.value(value)


def to_latex(value: Exact | int) -> str:
    """Print a value as LaTeX that needs no package."""
    return _LATEX.value(value)


def to_unicode(value: Exact | int) -> str:
    """Print a value for people: ``3·l² − 1``, the notation of the steps."""
    return prettify(to_text(value))


def prettify(text: str) -> str:
    """Text of the grammar in the notation of the steps: superscripts, middle dots, real minus signs."""
    if "**" in text:
        text = re.sub(r"\*\*\(([^()]*)\)", lambda power: "^(" + power[1].replace(" ", "") + ")", text)
        text = re.sub(r"\*\*([0-9]+)", lambda power: superscript(power[1]), text)
    return text.replace("**", "^").replace("*", "·").replace("-", "−")


def superscript(digits: str) -> str:
    return digits.translate(_SUPERSCRIPTS)


class _Grammar:
    """The notation that the parser reads."""

    times = "*"

    def value(self, value: Exact | int) -> str:
        plain = rational(value)
        return self.rational(plain)[0] if plain is not None else self.write(value)[0]

    @lru_cache(maxsize=2048)  # noqa: B019 - both notations live as long as the program
    def write(self, expr: Any) -> Printed:
        """An expression; remembered, since steps and vectors repeat most of their parts."""
        if expr.is_Rational:
            return self.rational(Fraction(int(expr.p), int(expr.q)))
        for kind, printer in self.printers():
            if isinstance(expr, kind):
                return printer(expr)
        return self.foreign(expr), ATOM if expr.is_Atom or expr.is_Function else 0

    def inside(self, expr: Any, level: int) -> str:
        text, own = self.write(expr)
        return text if own >= level else self.bracket(text)

    @cache  # noqa: B019 - both notations live as long as the program
    def printers(self) -> tuple[tuple[type, Callable[[Any], Printed]], ...]:
        return (
            (sympy.Symbol, lambda expr: (self.symbol(str(expr.name)), ATOM)),
            (sympy.Add, self.sum),
            (sympy.Mul, self.product),
            (sympy.exp, lambda expr: self.exponential(expr.exp)),
            (sympy.Pow, self.power),
            (sympy.log, lambda expr: self.call("log", expr)),
            (sympy.Min, lambda expr: self.call("min", expr)),
            (sympy.Max, lambda expr: self.call("max", expr)),
            (sympy.Abs, self.absolute),
            (type(sympy.E), lambda expr: self.exponential(sympy.S.One)),
            (type(sympy.pi), lambda expr: (self.word("pi"), ATOM)),
            (type(sympy.oo), lambda expr: (self.word("infinity"), ATOM)),
            (type(-sympy.oo), lambda expr: ("-" + self.word("infinity"), ADD)),
        )

    # numbers and names

    def rational(self, value: Fraction) -> Printed:
        sign = "-" if value < 0 else ""
        above = int_to_text(abs(value.numerator))
        if value.denominator == 1:
            return sign + above, ADD if sign else ATOM
        text = self.quotient((above, ATOM), (int_to_text(value.denominator), ATOM))
        return sign + text, ADD if sign else MULTIPLY

    def symbol(self, name: str) -> str:
        return name

    def word(self, name: str) -> str:
        return name

    def foreign(self, expr: Any) -> str:
        """What the grammar does not have."""
        return str(sympy.sstr(expr))

    # operations

    def sum(self, expr: Any) -> Printed:
        terms = self.ordered(expr)
        if not expr.free_symbols:  # 1 + exp(-1), as people write it
            terms.sort(key=lambda term: not term.is_Rational)
        text = ""
        for term in terms:
            # A negative term is level ADD and carries its own sign; only a true
            # sum inside a sum (built unevaluated) needs brackets.
            part = self.bracket(self.write(term)[0]) if term.is_Add else self.write(term)[0]
            if not text:
                text = part
            elif part.startswith("-"):
                text += " - " + part[1:]
            else:
                text += " + " + part
        return text, ADD

    def ordered(self, expr: Any) -> list[Any]:
        """Summands or factors in SymPy's order, which goes through floats and so has its limits."""
        if expr.free_symbols or nodes(expr) <= _ORDERED_UP_TO:
            with suppress(OverflowError, ValueError):
                return list(expr.as_ordered_terms() if expr.is_Add else expr.as_ordered_factors())
        return sorted(expr.args, key=lambda part: self.write(part)[0])

    def product(self, expr: Any) -> Printed:
        coefficient, rest = expr.as_coeff_Mul()
        if not coefficient.is_Rational or coefficient == 0:  # 2*infinity and other unevaluated forms
            coefficient, rest = sympy.S.One, expr
        sign = "-" if coefficient < 0 else ""
        above: list[Printed] = []
        below: list[Printed] = []
        if abs(coefficient.p) != 1:
            above.append((int_to_text(abs(int(coefficient.p))), ATOM))
        if coefficient.q != 1:
            below.append((int_to_text(int(coefficient.q)), ATOM))
        for factor in self.ordered(rest) if rest.is_Mul else [rest]:
            if isinstance(factor, sympy.Pow) and factor.exp.is_Rational and factor.exp < 0:
                inverse = sympy.Pow(factor.base, -factor.exp, evaluate=False)
                below.append(self.write(inverse if factor.exp != -1 else factor.base))
            else:
                above.append(self.write(factor))
        if not below:
            return sign + self.joined(above), ADD if sign else MULTIPLY
        over, under = (
            parts[0] if len(parts) == 1 else (self.joined(parts), MULTIPLY)
            for parts in (above or [_ONE], below)
        )
        return sign + self.quotient(over, under), ADD if sign else MULTIPLY

    def joined(self, factors: list[Printed]) -> str:
        return self.times.join(text if own >= POWER else self.bracket(text) for text, own in factors) or "1"

    def quotient(self, above: Printed, below: Printed) -> str:
        over = above[0] if above[1] >= MULTIPLY else self.bracket(above[0])
        under = below[0] if below[1] >= POWER else self.bracket(below[0])
        return f"{over}/{under}"

    def power(self, expr: Any) -> Printed:
        base, exponent = expr.base, expr.exp
        if exponent == sympy.Rational(1, 2):
            return self.root(base), ATOM
        if exponent.is_Rational and exponent < 0:
            inverse = base if exponent == -1 else sympy.Pow(base, -exponent, evaluate=False)
            return self.quotient(_ONE, self.write(inverse)), MULTIPLY
        return self.raised(self.inside(base, ATOM), exponent), POWER

    def raised(self, base: str, exponent: Any) -> str:
        return f"{base}**{self.inside(exponent, ATOM)}"

    def root(self, base: Any) -> str:
        return f"sqrt({self.write(base)[0]})"

    def exponential(self, exponent: Any) -> Printed:
        return f"exp({self.write(exponent)[0]})", ATOM

    def absolute(self, expr: Any) -> Printed:
        return self.call("abs", expr)

    def call(self, function: str, expr: Any) -> Printed:
        args = sorted(expr.args, key=sympy.default_sort_key)  # Max keeps a set: no order
        return self.word(function) + self.bracket(", ".join(self.write(arg)[0] for arg in args)), ATOM

    def bracket(self, text: str) -> str:
        return f"({text})"


class _Latex(_Grammar):
    """LaTeX, in the notation of textbooks: fractions, roots, e to a power."""

    def symbol(self, name: str) -> str:
        match = re.fullmatch(r"([A-Za-z]+)_?([0-9]*)", name)
        if match is None:
            return rf"\mathrm{{{name.replace('_', chr(92) + '_')}}}"
        letter = {"lam": r"\lambda", "eps": r"\epsilon", "omicron": "o"}.get(match[1])
        letter = letter or ("\\" + match[1] if match[1] in GREEK else match[1])
        return letter + (f"_{{{match[2]}}}" if match[2] else "")

    def word(self, name: str) -> str:
        return {"infinity": r"\infty"}.get(name, "\\" + name)

    def foreign(self, expr: Any) -> str:
        try:
            return str(sympy.latex(expr))
        except (ValueError, TypeError):  # its order goes through floats and comparisons
            return rf"\text{{{super().foreign(expr)}}}"

    def joined(self, factors: list[Printed]) -> str:
        text = ""
        for part, own in factors:
            part = part if own >= POWER or (own == MULTIPLY and len(factors) == 1) else self.bracket(part)
            number = part[:1].isdigit() or part.startswith(r"\frac{")
            text += (r" \cdot " if number else " ") * bool(text) + part
        return text or "1"

    def quotient(self, above: Printed, below: Printed) -> str:
        return rf"\frac{{{above[0]}}}{{{below[0]}}}"

    def raised(self, base: str, exponent: Any) -> str:
        return f"{base}^{{{self.write(exponent)[0]}}}"

    def root(self, base: Any) -> str:
        return rf"\sqrt{{{self.write(base)[0]}}}"

    def exponential(self, exponent: Any) -> Printed:
        return ("e", ATOM) if exponent == 1 else (f"e^{{{self.write(exponent)[0]}}}", POWER)

    def absolute(self, expr: Any) -> Printed:
        return rf"\left|{self.write(expr.args[0])[0]}\right|", ATOM

    def bracket(self, text: str) -> str:
        return rf"\left({text}\right)"


_GRAMMAR: Final = _Grammar()
_LATEX: Final = _Latex()
