"""PPO's clipped surrogate of tokens that an older policy sampled.

    k = sg[π_prox/μ], at most a cap (or 0 above it),   r = π/π_prox,
    o = k·min(r·A, clip(r, 1−ε, 1+ε')·A).

It is policy_clip about π_prox, weighted as rollout_correction weighs a token.

Sources: Hilton, Cobbe and Schulman, arXiv:2110.00641, equation 3; Fu et al., arXiv:2505.24298, section 5.2.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.exact import compare
from rlcalc.formulas import policy_clip
from rlcalc.formulas._bounds import bounded, bounded_array, within_array
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Symbol, Term, apply, term
from rlcalc.steps.gradient import gradient


def exact_form(d: Derivation, i: Inputs) -> None:
    eps = d.given("ε", i.eps_low), d.given(Name("ε'", tex=r"\epsilon'"), i.eps_high)
    objectives, slopes, weights = [], [], []
    for k in range(len(i.logp)):
        at = str(k)
        logp, prox, adv = (
            d.given(Name(name, at), row[k])
            for name, row in zip("abA", (i.logp, i.prox_logp, i.adv), strict=True)
        )
        weight = _weight(d, i, k, prox)
        if weight is None:
            d.note(
                "The mask needs numbers: with symbols it is not decided which weights are above the bound."
            )
            return
        ratio = d.step(Name("r", at), apply("exp", logp - prox))
        plain, _ = policy_clip.clipped_step(d, at, ratio, adv, eps)
        # no derivative goes through the weight, whose inputs are others anyway
        objective = d.step(Name("o'", at), weight * plain, "weighted")
        objectives.append(objective)
        weights.append(weight)
        slopes.append(gradient(objective, [logp]))
    d.output("objective", objectives)
    if all(slopes):
        d.output("d_logp", [slope[0] for slope in slopes if slope])
    else:
        d.note("The derivative needs numbers: with symbols it is not decided which side acts.")
    d.output("weights", weights)


def _weight(d: Derivation, i: Inputs, k: int, prox: Symbol) -> Term | None:
    """π_prox/μ within its bound; ``None`` where a symbol hides whether it is."""
    behaviour = d.given(Name("c", str(k)), i.behav_logp[k])
    weight = d.step(Name("w", str(k)), apply("exp", prox - behaviour))
    if i.cap is None:
        return weight
    if i.action == "truncate":
        return d.step(Name("k", str(k)), bounded(weight, None, d.given("cap", i.cap)), "held at its bound")
    order = compare(weight.value, i.cap)
    if order is None:
        return None
    return term(0) if order > 0 else weight


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Objective, derivative by ``logp`` and weights, token by token: [..., K]."""
    found = policy_clip.array_form(xp, a.but(old_logp=a.prox_logp, dual=None, log_clamp=None))
    gaps: Any = xp.constant(a.prox_logp - a.behav_logp)
    weights = xp.exp(gaps, out=xp.over(gaps))
    if a.action == "truncate":
        weights = bounded_array(xp, weights, None, a.cap)
    else:
        weights = xp.where(within_array(weights, None, a.cap), weights, xp.new_zeros(weights, ()))
    if weights.shape != found["objective"].shape:
        weights = weights + xp.zeros_like(found["objective"])
    weighted = {
        name: xp.multiply(found[name], weights, out=xp.over(found[name])) for name in ("objective", "d_logp")
    }
    return {**weighted, "weights": weights}
