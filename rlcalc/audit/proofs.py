"""Helpers that build proofs: symbols, sums by induction, arbitrary sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit.evidence import Exact, Identity, Induction, Sign


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
