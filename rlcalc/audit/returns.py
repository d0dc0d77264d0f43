"""Returns with symbols left in, and steps towards them: arbitrary rewards and values, any n, any γ.

    G(n) = Σ_{k=1}^{n} γ^(k+a) R(t+k) + γ^(n+b) V(t+n)

is written out for small numbers only. Proofs use what it is at n = 0 and what one more reward
adds. The lecture has a = −1 and b = 0.
"""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit.proofs import sequence


def moved(old: Any, target: Any, alpha: Any, sign: int = 1) -> Any:
    """A value after a step of size α towards a target."""
    return old + sign * alpha * (target - old)


def n_step_weight(lam: Any, n: Any, exponent: int = -1) -> Any:
    """The weight of the n-step return, (1 − λ) λ^(n−1)."""
    return (1 - lam) * lam ** (n + exponent)


def calls_in(expression: Any) -> set[Any]:
    """The rewards and values in it, such as R(t + 1)."""
    from sympy.core.function import AppliedUndef

    return set(expression.atoms(AppliedUndef))


class NStep:
    """The n-step return from time ``t`` with its exponents as parts.

    Args:
        gamma: a symbol or a number.
        rewards_late, bootstrap_late: what is added to the exponents k − 1 and n.
    """

    def __init__(self, gamma: Any, rewards_late: int = 0, bootstrap_late: int = 0) -> None:
        self.gamma = gamma
        self.reward, self.value = sequence("R"), sequence("V")
        self.a, self.b = rewards_late - 1, bootstrap_late

    def none(self, t: Any) -> Any:
        """G(0): no reward yet, the value alone."""
        return self.gamma**self.b * self.value(t)

    def more(self, t: Any, n: Any) -> Any:
        """G(n+1) − G(n)."""
        g, last = self.gamma, n + 1
        gained = g ** (last + self.a) * self.reward(t + last)
        return gained + g ** (last + self.b) * self.value(t + last) - g ** (n + self.b) * self.value(t + n)

    def written(self, t: Any, n: Any) -> Any:
        """G(n) as its definition writes it, for any n; written out for a number."""
        k, g = sympy.Symbol("k", integer=True), self.gamma
        summand = g ** (k + self.a) * self.reward(t + k)
        if isinstance(n, int):
            gained = sum(summand.subs(k, at) for at in range(1, n + 1))
        else:
            gained = sympy.Sum(summand, (k, 1, n))
        return gained + g ** (n + self.b) * self.value(t + n)

    def one(self, t: Any) -> Any:
        """G(1)."""
        return self.none(t) + self.more(t, sympy.Integer(0))
