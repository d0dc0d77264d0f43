"""Entropy of a diagonal Gaussian policy, in nats.

    H[π] = Σ_k 1/2 + log(2π)/2 + log σ_k

It does not depend on the mean, and is negative where the standard deviations are small.

Source: Cover and Thomas, Elements of Information Theory, theorem 8.4.1.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas._gaussian import HALF_LOG_TWO_PI, exact_scales, half_log_two_pi, scales
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, term, total


def exact_form(d: Derivation, i: Inputs) -> None:
    parts = [
        d.step(Name("h", str(k)), term(1) / 2 + half_log_two_pi() + log_std)
        for k, (_, log_std) in enumerate(exact_scales(d, i), start=1)
    ]
    d.output("entropy", d.step(Name("H"), total(parts), "independent dimensions"))
    d.output("entropies", parts)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """std or log_std [..., D] -> entropy [...] and entropies [..., D]."""
    parts = scales(xp, a.std, a.log_std)[1] + (0.5 + HALF_LOG_TWO_PI)
    return {"entropy": parts.sum(-1), "entropies": parts}
