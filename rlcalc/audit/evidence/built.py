"""Evidence that is built of other evidence in one usual way: a relation, a sum, two sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit.evidence.pieces import Evidence, Identity, Induction, Sign


def ordered(what: str, left: Any, relation: str, right: Any, over: str = "") -> Evidence:
    """``left relation right`` for every value of the symbols, which are positive unless it is an equation."""
    if relation == "=":
        return Identity(what, left, right, over)
    if relation == "!=":
        return Sign(what, (left - right) ** 2, over)
    gap = right - left if relation in ("<", "<=") else left - right
    return Sign(what, gap, over, strict=relation in ("<", ">"))


def sum_by_induction(
    what: str,
    summand: Callable[[Any], Any],
    closed: Callable[[Any], Any],
    *,
    over: str,
) -> Induction:
    """Σ_{k=1}^{n} summand(k) = closed(n) for every n ≥ 1.

    The base is the sum of one term; the step adds the next one to the
    hypothesis. No sum is ever written out.
    """
    n, first = sympy.Symbol("n", integer=True, positive=True), sympy.Integer(1)
    return Induction(
        what,
        base=(Identity("n = 1", summand(first), closed(first)),),
        step=(Identity("n → n + 1", closed(n) + summand(n + 1), closed(n + 1)),),
        over=over,
    )


def equal_by_increments(
    what: str,
    base: tuple[Any, Any],
    increments: tuple[Any, Any],
    *,
    over: str,
    start: int = 1,
    name: str = "n",
) -> Induction:
    """Two sequences are equal: they agree at the start and grow by the same amount.

    Args:
        base: both at ``start``.
        increments: (next − this) of both, at a general ``n``.
    """
    return Induction(
        what,
        base=(Identity(f"{name} = {start}", *base),),
        step=(Identity(f"both grow alike from {name} to {name} + 1", *increments),),
        over=over,
        variable=name,
    )
