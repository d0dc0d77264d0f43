"""The catalogue: one module of faults per formula, and the conventions that belong to it.

What several formulas have alike stands once, in a module with an underscore,
which also says what reads their arguments; a formula names what it has of it.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from rlcalc.conform.catalogue import Catalogue
from rlcalc.conform.conventions import declared


@cache
def formulas_with_faults() -> list[str]:
    """Names of the formulas that have a module here, in alphabetical order."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))


@cache
def catalogue(formula: str) -> Catalogue:
    """Faults and conventions of a formula; none where no module declares any."""
    known = formula in formulas_with_faults()
    module = import_module(f"{__name__}.{formula}") if known else None
    return Catalogue.declared(formula, vars(module).values() if module else (), declared())
