"""What is known of symbols beyond being real, where a question about signs is asked.

A symbol that stands for a step size or a probability is positive or not
negative. Values carry plain symbols all the same, so that the same letter is
the same symbol everywhere; only while a sign is decided do they stand for
symbols of which SymPy knows more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, Final, Literal

from rlcalc._lazy import sympy
from rlcalc.exact.values import symbol

Known = Literal["positive", "nonnegative"]

_NOTHING: Final[Mapping[str, Known]] = MappingProxyType({})
_known: ContextVar[Mapping[str, Known]] = ContextVar("known", default=_NOTHING)


@contextmanager
def assuming(known: Mapping[str, Known]) -> Iterator[None]:
    """Within this block the named symbols are positive or not negative."""
    token = _known.set({**_known.get(), **known})
    try:
        yield
    finally:
        _known.reset(token)


def informed(expr: Any) -> Any:
    """The expression with symbols of which SymPy knows what was assumed."""
    known = _known.get()
    if not known or not expr.free_symbols:
        return expr
    return expr.xreplace({symbol(name): _informed(name, what) for name, what in known.items()})


def plain(expr: Any) -> Any:
    """The expression with plain symbols again."""
    known = _known.get()
    if not known or not expr.free_symbols:
        return expr
    return expr.xreplace({_informed(name, what): symbol(name) for name, what in known.items()})


def _informed(name: str, what: Known) -> Any:
    return sympy.Symbol(name, real=True, **{what: True})
