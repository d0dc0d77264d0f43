"""Loss of direct preference optimisation, of N pairs of a chosen and a rejected answer.

    c = log π(y_w) − log π_ref(y_w),   l = log π(y_l) − log π_ref(y_l),   x = β (c − l)

    sigmoid  −(1−s) log σ(x) − s log σ(−x)
    robust   (−(1−s) log σ(x) + s log σ(−x)) / (1 − 2s)
    hinge    max(0, 1 − x)

and the loss is the mean over the pairs. Log-probabilities are sums over the tokens of an answer; with
lengths c and l are averages per token.

Source: Rafailov et al., arXiv:2305.18290, equation 7; Chowdhury et al., arXiv:2403.00409, equation 12.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.exact import compare
from rlcalc.formulas._preference import (
    falling,
    log_one_plus_exp,
    log_ratios,
    mean,
    per_token,
    slope_name,
    softplus,
)
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Term, apply, term


def exact_form(d: Derivation, i: Inputs) -> None:
    beta, s = d.given("β", i.beta), d.given("s", i.label_smoothing)
    chosen = log_ratios(d, "c", "w", i.chosen, i.ref_chosen, i.chosen_lengths)
    rejected = log_ratios(d, "l", "l", i.rejected, i.ref_rejected, i.rejected_lengths)
    losses, slopes = [], list[Term]()
    for k, (better, worse) in enumerate(zip(chosen, rejected, strict=True)):
        name = str(k + 1)
        x = d.step(Name("x", name), beta * (better - worse))
        losses.append(d.step(Name("L", name), _loss(i, x, s)))
        slope = _slope(i, x, s)
        if slope is not None:
            count = len(chosen) * (i.chosen_lengths[k] if i.chosen_lengths else 1)
            slopes.append(d.step(slope_name(k + 1), -beta * slope / count))
    d.output("losses", losses)
    d.output("loss", d.step("L", mean(losses), "mean over the pairs"))
    for side, output, ratios in (("w", "chosen_rewards", chosen), ("l", "rejected_rewards", rejected)):
        steps = [
            d.step(Name("r", str(k), side), beta * ratio, "implicit reward")
            for k, ratio in enumerate(ratios, start=1)
        ]
        d.output(output, steps)
    if len(slopes) == len(losses):
        d.output("d_chosen", slopes)
    else:
        d.note("The derivative needs numbers: with symbols it is not decided on which side of 1 a margin is.")


def _loss(i: Inputs, x: Term, s: Term) -> Term:
    if i.kind == "hinge":
        return apply("max", 0, 1 - x)
    if i.label_smoothing == 0:
        return log_one_plus_exp(-x)
    right, wrong = (1 - s) * log_one_plus_exp(-x), s * log_one_plus_exp(x)
    return (right - wrong) / (1 - 2 * s) if i.kind == "robust" else right + wrong


def _slope(i: Inputs, x: Term, s: Term) -> Term | None:
    """−dL/dx of one pair; ``None`` where it is not decided."""
    if i.kind == "hinge":
        order = compare(x.value, 1)
        return None if order is None else term(1 if order < 0 else 0)
    if i.label_smoothing == 0:
        return falling(x)
    right, wrong = falling(x, 1 - s), falling(-x, s)
    return (right + wrong) / (1 - 2 * s) if i.kind == "robust" else right - wrong


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Losses of the pairs and their mean: [..., N] -> losses, rewards, d_chosen [..., N], loss [...]."""
    better = per_token(xp, a.chosen - a.ref_chosen, a.chosen_lengths)
    worse = per_token(xp, a.rejected - a.ref_rejected, a.rejected_lengths)
    x, s = a.beta * (better - worse), a.label_smoothing
    if a.kind == "hinge":
        short = x < 1
        losses = xp.where(short, 1 - x, xp.zeros_like(x))
        slope = xp.cast(short, x.dtype)
    else:
        # −log σ(−x) is x more than −log σ(x), and σ(x) is 1 − σ(−x)
        sign, whole = (-1, 1 - 2 * s) if a.kind == "robust" else (1, 1)
        losses = ((1 - s) * softplus(xp, -x) + sign * s * softplus(xp, x)) / whole
        slope = ((1 - s) * xp.sigmoid(-x) - sign * s * xp.sigmoid(x)) / whole
    return {
        "losses": losses,
        "loss": losses.mean(-1),
        "chosen_rewards": xp.constant(a.beta * better),
        "rejected_rewards": xp.constant(a.beta * worse),
        "d_chosen": per_token(xp, -a.beta * slope / x.shape[-1], a.chosen_lengths),
    }
