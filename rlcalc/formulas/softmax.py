"""Softmax policy: probabilities from preferences.

    π(a) = exp(θ_a) / Σ_{b=0}^{A−1} exp(θ_b),   a = 0 … A−1,

with θ/τ in the place of θ where there is a temperature.

The numeric forms subtract the largest θ first, which changes nothing in the
quotient and keeps every exponent at or below 0.

Source: Sutton and Barto, 2nd edition, equation 13.2.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas._softmax import exact_policy
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Term


def exact_form(d: Derivation, i: Inputs) -> None:
    logits: list[Term] = [d.given(Name("θ", str(a)), value) for a, value in enumerate(i.theta)]
    if i.temperature is not None:
        tau = d.given("τ", i.temperature)
        logits = [logit / tau for logit in logits]
    d.output("policy", exact_policy(d, logits))


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """exp(θ_a) / Σ_b exp(θ_b) over the last axis: theta [..., A] -> policy [..., A]."""
    return {"policy": xp.softmax(a.theta if a.temperature is None else a.theta / a.temperature, -1)}
