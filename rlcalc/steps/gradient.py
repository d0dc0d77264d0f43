"""Derivatives of a derivation: the tree of steps, differentiated from its end to its inputs.

The rules are those of calculus, applied to exact values, so that a gradient is
exact where the answer is. At a kink the conventions are those of autograd:
``clip`` passes its closed boundary, a tie of ``min`` or ``max`` is shared
evenly, ``abs`` has the slope 0 at 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rlcalc.exact import compare, to_sympy
from rlcalc.steps import values as exact
from rlcalc.steps.terms import (
    Apply,
    Constant,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Rewritten,
    Sum,
    Symbol,
    Term,
)
from rlcalc.steps.values import Value

Pieces = Iterator[tuple[Term, Value]]


class Undecided(Exception):
    """Symbols hide which side of a kink a value lies on."""


def gradient(of: Term, by: Sequence[Symbol]) -> list[Term] | None:
    """Derivatives of one term by several inputs; ``None`` where symbols hide them.

    Args:
        of: the term, usually the result of a step.
        by: inputs, the very objects that the term was built from.
    """
    wanted = set(map(id, by))
    order: list[Term] = []
    _collect(of, wanted, {}, order)
    slopes: dict[int, Value] = {id(of): to_sympy(1)}
    try:
        for node in reversed(order):
            slope = slopes.get(id(node))
            if slope is None or slope == 0 or id(node) in wanted:
                continue
            for part, piece in _pieces(node, slope):
                slopes[id(part)] = exact.add([slopes.get(id(part), to_sympy(0)), piece])
    except Undecided:
        return None
    return [Number(exact.tidy(slopes.get(id(leaf), to_sympy(0)))) for leaf in by]


def _collect(node: Term, wanted: set[int], seen: dict[int, bool], order: list[Term]) -> bool:
    """Parts before wholes, of all that depends on what is wanted."""
    known = seen.get(id(node))
    if known is not None:
        return known
    depends = id(node) in wanted
    for part in [] if depends else _below(node):
        depends = _collect(part, wanted, seen, order) or depends
    seen[id(node)] = depends
    if depends:
        order.append(node)
    return depends


def _below(node: Term) -> Sequence[Term]:
    if isinstance(node, Symbol):
        return () if node.origin is None else (node.origin,)
    return () if isinstance(node, Number | Constant) else node.parts()


def _pieces(node: Term, slope: Value) -> Pieces:
    """What each part of a term receives."""
    for kind, rule in _RULES.items():
        if isinstance(node, kind):
            yield from rule(node, slope)
            return
    raise TypeError(f"{type(node).__name__} has no derivative")


def _symbol(node: Any, slope: Value) -> Pieces:
    if node.origin is not None:
        yield node.origin, slope


def _sum(node: Any, slope: Value) -> Pieces:
    for part in node.terms:
        yield part, slope


def _product(node: Any, slope: Value) -> Pieces:
    for at, part in enumerate(node.factors):
        others = [other.value for k, other in enumerate(node.factors) if k != at]
        yield part, exact.multiply([slope, *others])


def _quotient(node: Any, slope: Value) -> Pieces:
    below = node.below.value
    yield node.above, exact.divide(slope, below)
    yield (
        node.below,
        exact.divide(exact.multiply([-slope, node.above.value]), exact.power(below, to_sympy(2))),
    )


def _power(node: Any, slope: Value) -> Pieces:
    """Of the base; an exponent here is always a number of the formula's own."""
    base, exponent = node.base.value, node.exponent.value
    yield node.base, exact.multiply([slope, exponent, exact.power(base, exponent - 1)])


def _negative(node: Any, slope: Value) -> Pieces:
    yield node.part, -slope


def _rewritten(node: Any, slope: Value) -> Pieces:
    yield node.part, slope


def _apply(node: Any, slope: Value) -> Pieces:
    args = node.args
    if node.function == "exp":
        yield args[0], exact.multiply([slope, node.value])
    elif node.function == "log":
        yield args[0], exact.divide(slope, args[0].value)
    elif node.function == "sqrt":
        yield args[0], exact.divide(slope, 2 * node.value)
    elif node.function == "abs":
        yield args[0], slope * _order(args[0].value, 0)
    elif node.function == "clip":
        x, low, high = args
        inside = _order(x.value, low.value) >= 0 and _order(x.value, high.value) <= 0
        yield x if inside else low if _order(x.value, low.value) < 0 else high, slope
    else:
        sign = 1 if node.function == "max" else -1
        order = sign * _order(args[0].value, args[1].value)
        for part, side in zip(args, (order, -order), strict=True):
            if side >= 0:
                yield part, slope if side else slope / 2


def _order(left: Value, right: Any) -> int:
    found = compare(left, right)
    if found is None:
        raise Undecided
    return found


_RULES: dict[type[Term], Callable[[Any, Value], Pieces]] = {
    Symbol: _symbol,
    Sum: _sum,
    Product: _product,
    Quotient: _quotient,
    Power: _power,
    Negative: _negative,
    Rewritten: _rewritten,
    Apply: _apply,
}
