"""Quantile Huber loss: how far estimated quantiles lie from the sample of a distribution.

    u_ij = y_j − θ_i,   L(u) = u²/2 for |u| ≤ κ, κ (|u| − κ/2) beyond
    ρ_ij = |τ_i − [u_ij < 0]| L(u_ij)/κ,   |τ_i − [u_ij < 0]| |u_ij| for κ = 0
    loss = Σ_i (1/M) Σ_j ρ_ij

An estimate is pulled up with weight τ and down with weight 1 − τ, so that it rests at the quantile τ.
Unless given, τ_i = (2i − 1)/(2N): the middles of N intervals of equal probability.

Source: Dabney et al., arXiv:1710.10044, equations 9 and 10; arXiv:1806.06923, equation 3 (division by κ).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from rlcalc.backends import Backend
from rlcalc.exact import compare
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Term, apply, term, total


def exact_form(d: Derivation, i: Inputs) -> None:
    count = len(i.quantiles)
    kappa = d.given("κ", i.kappa)
    samples = [d.given(Name("y", str(j)), y) for j, y in enumerate(i.targets, start=1)]
    middles = [Fraction(2 * k + 1, 2 * count) for k in range(count)]
    losses = []
    for k, (value, level) in enumerate(zip(i.quantiles, i.taus or middles, strict=True), start=1):
        estimate, tau = d.given(Name("θ", str(k)), value), d.given(Name("τ", str(k)), level)
        parts: list[Term] = []
        for j, sample in enumerate(samples, start=1):
            u = d.step(Name("u", f"{k},{j}"), sample - estimate)
            above = compare(u.value, 0) != -1
            parts.append(d.step(Name("ρ", f"{k},{j}"), _pair(u, tau if above else 1 - tau, kappa)))
        losses.append(d.step(Name("L", str(k)), total(parts) / len(parts), "mean over the sample"))
    d.output("loss", d.step("L", _reduced(losses, i.reduction)))
    d.output("losses", losses)


def _pair(u: Term, weight: Term, kappa: Term) -> Term:
    size = apply("abs", u)
    if compare(kappa.value, 0) == 0:
        return weight * size
    if compare(size.value, kappa.value) == 1:
        return weight * (size - kappa / 2)
    return weight * (u**2 / (2 * kappa))


def _reduced(losses: Sequence[Term], reduction: str) -> Term:
    return total(losses) if reduction == "sum" else total(losses) / term(len(losses))


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Estimates [..., N] and sample [..., M] -> loss [...] and losses [..., N]."""
    taus = a.taus
    count = a.quantiles.shape[-1]
    if taus is None:
        taus = (2 * xp.cast(xp.indices(count, a.quantiles), a.quantiles.dtype) + 1) / (2 * count)
    u = a.targets[..., None, :] - a.quantiles[..., :, None]
    size, tau = xp.abs(u), taus[..., None]
    weight = xp.where(u < 0, 1 - tau, tau)
    smooth = size <= a.kappa
    # 0 has no round bottom, and is divided by nothing
    round_ = u * u / (2 * xp.where(a.kappa > 0, a.kappa, xp.ones_like(a.kappa)))
    losses = (weight * xp.where(smooth, round_, size - a.kappa / 2)).mean(-1)
    return {"loss": losses.sum(-1) if a.reduction == "sum" else losses.mean(-1), "losses": losses}
