"""The shown working: terms, the derivation that they make, and its printers.

Here is what a formula writes its steps with.
"""

from rlcalc.steps.derivation import Derivation
from rlcalc.steps.terms import (
    Like,
    Name,
    Number,
    Product,
    Quotient,
    Rewritten,
    Symbol,
    Term,
    apply,
    product,
    term,
    total,
)

__all__ = [
    "Derivation",
    "Like",
    "Name",
    "Number",
    "Product",
    "Quotient",
    "Rewritten",
    "Symbol",
    "Term",
    "apply",
    "product",
    "term",
    "total",
]
