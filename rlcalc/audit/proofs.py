"""Helpers that build proofs: symbols, sums by induction, arbitrary sequences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit.evidence import Evidence, Exact, Identity, Induction, Sign


def reals(names: str) -> Any:
    """Symbols without any assumption but ``real``."""
    return sympy.symbols(names, real=True)


def positives(names: str) -> Any:
    return sympy.symbols(names, positive=True)


def index(name: str = "n") -> Any:
    """A positive integer, the variable of an induction."""
    return sympy.Symbol(name, integer=True, positive=True)


def unit(name: str) -> Any:
    """A number strictly between 0 and 1, written 1/(1+p) with p > 0.

    SymPy knows the sign of every such expression and of one minus it.
    """
    return 1 / (1 + sympy.Symbol(name, positive=True))


def powers_vanish(name: str = "λ") -> Induction:
    """x^n → 0 for 0 ≤ x < 1, by Bernoulli: x = 1/(1+p) gives x^n ≤ 1/(1+np)."""
    p, n = positives("p"), index()
    return Induction(
        f"{name}^n → 0, since {name} = 1/(1+p) gives {name}^n ≤ 1/(1+np)",
        base=(Identity("(1+p)^1 = 1+p", (1 + p) ** 1, 1 + 1 * p),),
        step=(
            Sign("(1+np)(1+p) ≥ 1+(n+1)p", (1 + n * p) * (1 + p) - (1 + (n + 1) * p), "n ≥ 1, p > 0", False),
        ),
        over=f"0 < {name} < 1, n ≥ 1 (at {name} = 0 every power is 0)",
    )


def ordered(what: str, left: Any, relation: str, right: Any, over: str = "") -> Evidence:
    """``left relation right`` for every value of the symbols, which are positive unless it is an equation."""
    if relation == "=":
        return Identity(what, left, right, over)
    if relation == "!=":
        return Sign(what, (left - right) ** 2, over)
    gap = right - left if relation in ("<", "<=") else left - right
    return Sign(what, gap, over, strict=relation in ("<", ">"))


def sequence(name: str) -> Any:
    """An arbitrary sequence: ``R = sequence("R")``, then ``R(t + 1)``."""
    return sympy.Function(name)


_ANSWERS: dict[tuple[str, str], Mapping[str, Any]] = {}


def answer(formula: str, output: str = "", /, **inputs: Any) -> Any:
    """What the calculator's exact form answers: the first output, or the one named."""
    key = (formula, repr(sorted(inputs.items())))
    if key not in _ANSWERS:
        from rlcalc.evaluation import derive

        _ANSWERS[key] = derive(formula, **inputs).outputs
    outputs = _ANSWERS[key]
    return outputs[output] if output else next(iter(outputs.values()))


def real(expression: Any) -> Any:
    """An answer of the calculator in the symbols of a proof, which are real."""
    return expression.subs({one: reals(one.name) for one in expression.free_symbols})


def domain_is(formula: str, parameter: str, name: str, low: Any, high: Any) -> list[Exact]:
    """The ends of the interval that the calculator accepts for a parameter against those of a statement."""
    from rlcalc.specs import load_formula

    declared = load_formula(formula).parameter(parameter).domain
    return [
        Exact(f"the smallest {name} that the calculator accepts", sympy.Rational(declared.low), "=", low),
        Exact("the largest", sympy.Rational(declared.high), "=", high),
    ]


def entries(what: str, found: Sequence[Any], expected: Sequence[Any]) -> list[Exact]:
    """Each number of a list against the one at its place; their count, where it differs."""
    if len(found) != len(expected):
        return [Exact(f"{what}: how many numbers", sympy.Integer(len(found)), "=", len(expected))]
    names = [what] if len(found) == 1 else [f"{what}, entry {at}" for at in range(1, len(found) + 1)]
    return [Exact(name, one, "=", other) for name, one, other in zip(names, found, expected, strict=True)]


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
    n, first = index(), sympy.Integer(1)
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
