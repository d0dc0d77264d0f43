"""Bradley–Terry loss of a reward model, of N pairs of a chosen and a rejected answer.

    h = r_w − r_l − m,   L = −log σ(h) + λ (r_w + r_l)²,

and the loss is the mean over the pairs.

Source: Ouyang et al., arXiv:2203.02155, equation 1; the margin Touvron et al., arXiv:2307.09288,
equation 2; the centring Eisenstein et al., arXiv:2312.09244, section 3.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas._preference import falling, log_one_plus_exp, mean, softplus
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Term


def exact_form(d: Derivation, i: Inputs) -> None:
    weight = d.given("λ", i.centre)
    margins = i.margin or [0] * len(i.chosen)
    losses, slopes = [], []
    for k, (better, worse, gap) in enumerate(zip(i.chosen, i.rejected, margins, strict=True), start=1):
        name = str(k)
        r_w, r_l = d.given(Name("r", name, "w"), better), d.given(Name("r", name, "l"), worse)
        margin = r_w - r_l
        h = d.step(Name("h", name), margin - d.given(Name("m", name), gap) if i.margin else margin)
        loss: Term = log_one_plus_exp(-h)
        slope: Term = -falling(h)
        if i.centre != 0:
            both = d.step(Name("z", name), r_w + r_l, "what centring keeps near 0")
            loss, slope = loss + weight * both**2, slope + 2 * weight * both
        losses.append(d.step(Name("L", name), loss))
        tex = rf"\frac{{\partial L}}{{\partial r_{{{name}}}^{{w}}}}"
        slopes.append(d.step(Name(f"∂L/∂r_{name}^w", tex=tex), slope / len(i.chosen)))
    d.output("losses", losses)
    d.output("loss", d.step("L", mean(losses), "mean over the pairs"))
    d.output("d_chosen", slopes)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Losses of the pairs and their mean: [..., N] -> losses, d_chosen [..., N], loss [...]."""
    gap = a.chosen - a.rejected if a.margin is None else a.chosen - a.rejected - a.margin
    both = a.chosen + a.rejected
    losses = softplus(xp, -gap) + a.centre * xp.square(both)
    slope = 2 * a.centre * both - xp.sigmoid(-gap)
    return {"losses": losses, "loss": losses.mean(-1), "d_chosen": slope / a.chosen.shape[-1]}
