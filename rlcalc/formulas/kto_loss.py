"""Loss of Kahneman–Tversky optimisation, of N answers that are desirable or not.

    z = max(0, mean over mismatched answers of log π − log π_ref), a constant,   x = log π − log π_ref,
    desirable    w_D (1 − σ(β (x − z)))
    undesirable  w_U (1 − σ(β (z − x)))

and the loss is the mean over the answers.

Source: Ethayarajh et al., arXiv:2402.01306, equations 7 and 8.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas._preference import falling, mean
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, apply, total


def exact_form(d: Derivation, i: Inputs) -> None:
    beta = d.given("β", i.beta)
    others = [
        d.given(Name("k", str(m)), mine) - d.given(Name("k'", str(m)), reference)
        for m, (mine, reference) in enumerate(zip(i.kl_logps, i.kl_ref_logps, strict=True), start=1)
    ]
    average = d.step("m", total(others) / len(others), "over the mismatched answers")
    kl = d.step("z", apply("max", 0, average), "no gradient goes through it")
    losses, slopes = [], []
    for n, (mine, reference, good) in enumerate(zip(i.logps, i.ref_logps, i.desirable, strict=True), start=1):
        name = str(n)
        weight = d.given(
            Name("w", "D" if good else "U"), i.weight_desirable if good else i.weight_undesirable
        )
        prime = Name("ℓ'", name, tex=r"\ell'")
        x = d.step(Name("x", name), d.given(Name("ℓ", name), mine) - d.given(prime, reference))
        u = d.step(Name("u", name), beta * ((x - kl) if good else (kl - x)))
        losses.append(d.step(Name("L", name), falling(u, weight), "desirable" if good else "undesirable"))
        slope = beta * weight / ((1 + apply("exp", u)) * (1 + apply("exp", -u))) / len(i.logps)
        tex = rf"\frac{{\partial L}}{{\partial \ell_{{{name}}}}}"
        slopes.append(d.step(Name(f"∂L/∂ℓ_{name}", tex=tex), -slope if good else slope))
    d.output("losses", losses)
    d.output("loss", d.step("L", mean(losses), "mean over the answers"))
    d.output("kl", kl)
    d.output("d_logps", slopes)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Losses of the answers and their mean: [..., N] and [..., M] -> losses, d_logps [..., N], loss, kl."""
    average = xp.constant(a.kl_logps - a.kl_ref_logps).mean(-1)
    kl = xp.where(average > 0, average, xp.zeros_like(average))
    one = xp.ones_like(a.logps)
    sign = xp.where(a.desirable, one, -one)
    weight = xp.where(a.desirable, a.weight_desirable * one, a.weight_undesirable * one)
    u = a.beta * sign * (a.logps - a.ref_logps - kl[..., None])
    below = xp.sigmoid(-u)
    losses = weight * below
    slope = -sign * weight * a.beta * below * xp.sigmoid(u) / u.shape[-1]
    return {"losses": losses, "loss": losses.mean(-1), "kl": kl, "d_logps": slope}
