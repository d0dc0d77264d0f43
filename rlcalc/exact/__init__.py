"""Exact numbers: read from text without evaluating any of it, compared, and written out again.

Rational arithmetic stays in ``fractions.Fraction``; SymPy is imported when a
symbol, an irrational root, ``exp``, ``log`` or ``pi`` first needs it.

    words, grammar, arithmetic, budget    text -> value, every step within limits checked before it
    reading                               the same for callers, with a short way for plain literals
    values                                what a value is
    comparing, intervals                  order and equality, proved
    printing, rounding                    value -> text, decimal, float
"""

from rlcalc.exact.comparing import compare, equal, weak_order
from rlcalc.exact.printing import prettify, to_latex, to_text, to_unicode
from rlcalc.exact.reading import parse_literal, parse_number
from rlcalc.exact.rounding import to_decimal, to_float
from rlcalc.exact.values import Exact, is_symbolic, rational, symbol, symbols_of, to_sympy
from rlcalc.exact.words import GREEK

__all__ = [
    "GREEK",
    "Exact",
    "compare",
    "equal",
    "is_symbolic",
    "parse_literal",
    "parse_number",
    "prettify",
    "rational",
    "symbol",
    "symbols_of",
    "to_decimal",
    "to_float",
    "to_latex",
    "to_sympy",
    "to_text",
    "to_unicode",
    "weak_order",
]
