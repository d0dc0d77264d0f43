"""Loss of identity preference optimisation: (h − 1/(2β))², the mean over N pairs.

    h = c − l,   c = log π(y_w) − log π_ref(y_w),   l = log π(y_l) − log π_ref(y_l),

of averages per token where lengths are given, of sums where not.

Source: Azar et al., arXiv:2310.12036, equation 17.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas._preference import log_ratios, mean, per_token, slope_name
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name


def exact_form(d: Derivation, i: Inputs) -> None:
    target = d.step("h*", 1 / (2 * d.given("β", i.beta)), "the margin that is aimed at")
    chosen = log_ratios(d, "c", "w", i.chosen, i.ref_chosen, i.chosen_lengths)
    rejected = log_ratios(d, "l", "l", i.rejected, i.ref_rejected, i.rejected_lengths)
    losses, slopes = [], []
    for k, (better, worse) in enumerate(zip(chosen, rejected, strict=True), start=1):
        excess = d.step(Name("e", str(k)), better - worse - target)
        losses.append(d.step(Name("L", str(k)), excess**2))
        count = len(chosen) * (i.chosen_lengths[k - 1] if i.chosen_lengths else 1)
        slopes.append(d.step(slope_name(k), 2 * excess / count))
    d.output("losses", losses)
    d.output("loss", d.step("L", mean(losses), "mean over the pairs"))
    d.output("d_chosen", slopes)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Losses of the pairs and their mean: [..., N] -> losses, d_chosen [..., N], loss [...]."""
    better = per_token(xp, a.chosen - a.ref_chosen, a.chosen_lengths)
    worse = per_token(xp, a.rejected - a.ref_rejected, a.rejected_lengths)
    excess = better - worse - 1 / (2 * a.beta)
    losses = xp.square(excess)
    slope = 2 * excess / excess.shape[-1]
    return {"losses": losses, "loss": losses.mean(-1), "d_chosen": per_token(xp, slope, a.chosen_lengths)}
