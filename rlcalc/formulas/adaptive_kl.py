"""Proportional controller of the coefficient of a KL penalty.

    β_{t+1} = β_t (1 + clip(KL_t/target − 1, ±limit) · n/horizon)

Source: Ziegler et al., arXiv:1909.08593, section 2.2.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Term, apply


def exact_form(d: Derivation, i: Inputs) -> None:
    target, count, horizon = d.given("T", i.target), d.given("n", i.n_steps), d.given("H", i.horizon)
    limit = d.given("c", i.limit)
    coefficient: Term = d.given(Name("β", "0"), i.coef)
    found = []
    for t, value in enumerate(i.kl):
        error = d.given(Name("KL", str(t)), value) / target - 1
        clipped = d.step(Name("e", str(t)), apply("clip", error, -limit, limit), "clipped error")
        coefficient = d.step(Name("β", str(t + 1)), coefficient * (1 + clipped * count / horizon))
        found.append(coefficient)
    d.output("coefficient", found)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Coefficients after each step of kl [..., K]."""
    share = xp.cast(xp.asarray(a.n_steps), a.kl.dtype) / xp.cast(xp.asarray(a.horizon), a.kl.dtype)
    factors = 1 + xp.clip(a.kl / a.target - 1, -a.limit, a.limit) * share
    return {"coefficient": a.coef * xp.cumprod(factors, -1)}
