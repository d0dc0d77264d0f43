"""Divergence of the best of n samples from the distribution that they are drawn from.

Outcomes stand from the worst to the best, F is their cumulative probability:

    q_i = F_i^n − F_{i−1}^n,   KL = Σ q_i log(q_i/p_i) ≤ log n − (n−1)/n

Source: Beirami et al., arXiv:2401.01879, theorem 1.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.exact import compare
from rlcalc.exact.logarithms import joined_logs
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Rewritten, Term, apply, term, total


def exact_form(d: Derivation, i: Inputs) -> None:
    n = d.given("n", i.n)
    below: Term = term(0)
    best, parts = [], []
    for k, value in enumerate(i.probs, start=1):
        p = d.given(Name("p", str(k)), value)
        up_to = d.step(Name("F", str(k)), below + p if k > 1 else p)
        q = d.step(Name("q", str(k)), up_to**n - below**n if k > 1 else up_to**n)
        best.append(q)
        if compare(value, 0) != 0:
            parts.append(d.step(Name("d", str(k)), q * apply("log", q / p)))
        below = up_to
    d.output("best_probs", best)
    d.output("kl", d.step("KL", Rewritten(total(parts), joined_logs)))
    d.output("bound", d.step("bound", apply("log", n) - (n - 1) / n))


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Probabilities [..., A] -> best_probs [..., A], kl, bound [...]."""
    n = xp.cast(xp.asarray(a.n), a.probs.dtype)
    n = xp.placed(n, a.probs)
    one, zero = xp.ones_like(a.probs), xp.zeros_like(a.probs)
    there = a.probs > 0
    up_to = xp.cumsum(a.probs, -1)
    share = xp.where(there, a.probs / xp.where(there, up_to, one), zero)
    first = share >= 1  # nothing below it
    # F^n − F'^n without cancellation: F^n (1 − (1 − p/F)^n)
    gained = -xp.expm1(n * xp.log1p(-xp.where(first, zero, share)))
    best = xp.where(first, one, gained) * up_to**n
    best = xp.where((n == 1) | ~there, a.probs, best)
    drawn = best > 0
    gap = xp.log(xp.where(drawn, best, one)) - xp.log(xp.where(drawn, a.probs, one))
    kl = xp.where(drawn, best * gap, zero).sum(-1)
    return {"best_probs": best, "kl": kl, "bound": xp.zeros_like(kl) + (xp.log(n) - (n - 1) / n)}
