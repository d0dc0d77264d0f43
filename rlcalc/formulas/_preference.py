"""What losses of preferences share: log σ and σ as terms and as arrays, and sums that may be averages.

    −log σ(x) = log(1 + exp(−x)),   σ(x) = 1 / (1 + exp(−x)).

The logarithm of a computed σ is −∞ from x = −104 on in float32. As arrays both are therefore taken in a
form whose exponential is at most 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rlcalc.backends import Backend
from rlcalc.steps import Derivation, Like, Name, Symbol, Term, apply, term, total


def log_one_plus_exp(x: Term) -> Term:
    """log(1 + exp(x)) = −log σ(−x)."""
    return apply("log", 1 + apply("exp", x))


def falling(x: Term, weight: Like = 1) -> Term:
    """w·σ(−x) = w / (1 + exp(x))."""
    return term(weight) / (1 + apply("exp", x))


def softplus(xp: Backend, x: Any) -> Any:
    """log(1 + exp(x)) = −log σ(−x), entry by entry; x itself where exp(x) is beyond the range."""
    return xp.logaddexp(xp.zeros_like(x), x)


def log_ratios(
    d: Derivation,
    name: str,
    side: str,
    policy: Sequence[Any],
    reference: Sequence[Any],
    lengths: Sequence[int] | None = None,
) -> list[Symbol]:
    """Steps ℓ − ℓ', log π(y) − log π_ref(y), per token where lengths are given."""
    found = []
    for k, (mine, other) in enumerate(zip(policy, reference, strict=True), start=1):
        gap = d.given(Name("ℓ", str(k), side), mine) - d.given(Name("ℓ'", str(k), side, tex=r"\ell'"), other)
        found.append(d.step(Name(name, str(k)), gap / lengths[k - 1] if lengths else gap))
    return found


def averages(d: Derivation, side: str, sums: Sequence[Any], lengths: Sequence[int]) -> list[Symbol]:
    """Steps a = ℓ/|y|, the average log-probability of a token, of every pair."""
    return [
        d.step(Name("a", str(k), side), d.given(Name("ℓ", str(k), side), whole) / count)
        for k, (whole, count) in enumerate(zip(sums, lengths, strict=True), start=1)
    ]


def slope_name(k: int) -> Name:
    """∂L/∂ℓ of the chosen answer of the k-th pair."""
    return Name(f"∂L/∂ℓ_{k}^w", tex=rf"\frac{{\partial L}}{{\partial \ell_{{{k}}}^{{w}}}}")


def mean(terms: Sequence[Term]) -> Term:
    return total(terms) / len(terms)


def per_token(xp: Backend, values: Any, lengths: Any) -> Any:
    """Sums over tokens as averages where their number is given."""
    return values if lengths is None else values / xp.placed(xp.cast(lengths, values.dtype), values)
