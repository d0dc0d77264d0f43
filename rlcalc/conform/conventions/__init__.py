"""Declared conventions: interpretations under which other answers are right.

Each names the formulas that have it, with who uses it there; in a formula
they stand in the order of the modules here, and of their places in them.
``call`` changes what the target is called with, where a convention is about
the arguments.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from rlcalc.conform.convention import Convention

# the first of several stands around the others
MODULES = (
    "returns",
    "losses",
    "groups",
    "divergences",
    "sampling",
    "reductions",
    "control",
    "tokens",
    "token_advantages",
)


@cache
def declared() -> tuple[Convention, ...]:
    """All of them, in their order."""
    modules = [import_module(f"{__name__}.{name}") for name in MODULES]
    return tuple(way for module in modules for way in vars(module).values() if isinstance(way, Convention))
