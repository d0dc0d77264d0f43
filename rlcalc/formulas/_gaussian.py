"""What Gaussian policies share: independent dimensions with a standard deviation, given or as its logarithm.

log N(x; μ, σ) = −((x − μ)/σ)²/2 − log σ − log(2π)/2
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.backends import Backend
from rlcalc.inputs.bind import Inputs
from rlcalc.steps import Derivation, Name, Number, Symbol, Term, apply, total

HALF_LOG_TWO_PI = math.log(2 * math.pi) / 2


def half_log_two_pi() -> Term:
    """log(2π)/2 as a term."""
    return apply("log", 2 * Number(sympy.pi)) / 2


def exact_scales(d: Derivation, i: Inputs) -> list[tuple[Term, Term]]:
    """σ and log σ of every dimension, the one of them that is given as a quantity."""
    if i.log_std is None:
        given = [d.given(Name("σ", str(k)), std) for k, std in enumerate(i.std, start=1)]
        return [(std, apply("log", std)) for std in given]
    logs = [
        d.given(Name("log σ", str(k), tex=r"\log\sigma"), log) for k, log in enumerate(i.log_std, start=1)
    ]
    return [(apply("exp", log), log) for log in logs]


def exact_log_densities(d: Derivation, i: Inputs, points: Sequence[Term]) -> list[Symbol]:
    """Steps log N(x_k; μ_k, σ_k) of every dimension k."""
    found = []
    means = [d.given(Name("μ", str(k)), mean) for k, mean in enumerate(i.mean, start=1)]
    for k, (x, mean, (std, log_std)) in enumerate(zip(points, means, exact_scales(d, i), strict=True), 1):
        z = d.step(Name("z", str(k)), (x - mean) / std, "distance from the mean, in standard deviations")
        parts = [-(z**2 / 2), -log_std, -half_log_two_pi()]
        found.append(d.step(Name("ℓ", str(k)), total(parts)))
    return found


def scales(xp: Backend, std: Any, log_std: Any) -> tuple[Any, Any]:
    """1/σ and log σ as arrays."""
    return (1 / std, xp.log(std)) if log_std is None else (xp.exp(-log_std), log_std)


def log_densities(xp: Backend, x: Any, mean: Any, std: Any, log_std: Any) -> Any:
    """log N(x; μ, σ), entry by entry."""
    narrow, log_scale = scales(xp, std, log_std)
    z = (x - mean) * narrow
    return -(z * z / 2 + log_scale + HALF_LOG_TWO_PI)
