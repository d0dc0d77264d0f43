"""REINFORCE with a clipped importance weight that is a constant.

    w = sg[clip(π/π_old, low, high)],   ℓ = −w·A·log π,   ∂ℓ/∂log π = −w·A.

Source: MiniMax-M1, arXiv:2506.13585, equations 4 and 5.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas._bounds import bounded, bounded_array, check_bound_arrays, check_bounds, given_bounds
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, apply

check = check_bounds
check_arrays = check_bound_arrays


def exact_form(d: Derivation, i: Inputs) -> None:
    losses, weights, slopes = [], [], []
    low, high = given_bounds(d, i)
    for k, row in enumerate(zip(i.logp, i.old_logp, i.adv, strict=True)):
        logp, old, adv = (d.given(Name(n, str(k)), value) for n, value in zip("abA", row, strict=True))
        ratio = d.step(Name("r", str(k)), apply("exp", logp - old))
        weight = d.step(
            Name("w", str(k)), bounded(ratio, low, high), "a constant, through which no derivative goes"
        )
        losses.append(d.step(Name("ℓ", str(k), tex=r"\ell"), -weight * adv * logp))
        weights.append(weight)
        slopes.append(-weight * adv)
    d.output("losses", losses)
    d.output("weights", weights)
    d.output("d_logp", slopes)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Losses, weights and derivative by ``logp``, token by token: [..., K]."""
    gaps: Any = xp.constant(a.logp - a.old_logp)
    ratio = xp.exp(gaps, out=xp.over(gaps))
    weights = bounded_array(xp, ratio, a.low, a.high)
    slopes = xp.product_plus(weights, a.adv, 0.0, times=-1)
    return {"losses": slopes * a.logp, "weights": weights, "d_logp": slopes}
