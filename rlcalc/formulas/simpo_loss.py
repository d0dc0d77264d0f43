"""Loss of simple preference optimisation, which has no reference: −log σ(h), the mean over N pairs.

    h = β (log π(y_w)/|y_w| − log π(y_l)/|y_l|) − γ

Source: Meng et al., arXiv:2405.14734, equation 6.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas._preference import (
    averages,
    falling,
    log_one_plus_exp,
    mean,
    per_token,
    slope_name,
    softplus,
)
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name


def exact_form(d: Derivation, i: Inputs) -> None:
    beta, gamma = d.given("β", i.beta), d.given("γ", i.gamma)
    chosen = averages(d, "w", i.chosen, i.chosen_lengths)
    rejected = averages(d, "l", i.rejected, i.rejected_lengths)
    losses, slopes = [], []
    for k, (better, worse) in enumerate(zip(chosen, rejected, strict=True), start=1):
        h = d.step(Name("h", str(k)), beta * (better - worse) - gamma)
        losses.append(d.step(Name("L", str(k)), log_one_plus_exp(-h)))
        slopes.append(d.step(slope_name(k), -beta * falling(h) / (len(chosen) * i.chosen_lengths[k - 1])))
    d.output("losses", losses)
    d.output("loss", d.step("L", mean(losses), "mean over the pairs"))
    d.output("d_chosen", slopes)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Losses of the pairs and their mean: [..., N] -> losses, d_chosen [..., N], loss [...]."""
    better, worse = per_token(xp, a.chosen, a.chosen_lengths), per_token(xp, a.rejected, a.rejected_lengths)
    h = a.beta * (better - worse) - a.gamma
    losses = softplus(xp, -h)
    slope = per_token(xp, -a.beta * xp.sigmoid(-h) / h.shape[-1], a.chosen_lengths)
    return {"losses": losses, "loss": losses.mean(-1), "d_chosen": slope}
