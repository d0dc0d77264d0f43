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
from rlcalc.inputs.bind import Inputs
from rlcalc.steps.derivation import Derivation
from rlcalc.steps.terms import Name


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


def array_form(
    xp: Backend,
    chosen: Any,
    rejected: Any,
    chosen_lengths: Any,
    rejected_lengths: Any,
    beta: Any = 2.0,
    gamma: Any = 0.5,
) -> dict[str, Any]:
    """Losses of the pairs and their mean: [..., N] -> losses, d_chosen [..., N], loss [...]."""
    better, worse = per_token(xp, chosen, chosen_lengths), per_token(xp, rejected, rejected_lengths)
    h = beta * (better - worse) - gamma
    losses = softplus(xp, -h)
    slope = per_token(xp, -beta * xp.sigmoid(-h) / h.shape[-1], chosen_lengths)
    return {"losses": losses, "loss": losses.mean(-1), "d_chosen": slope}
