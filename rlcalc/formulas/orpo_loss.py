"""Loss of odds-ratio preference optimisation: a likelihood and a preference in one, the mean over N pairs.

    a = log π(y)/|y|,   log odds = a − log(1 − exp(a)),   h = log odds_w − log odds_l,
    L = −a_w − β log σ(h)

1 − exp(a) loses its digits where an answer is nearly certain; it is taken as −expm1(a) there.

Source: Hong et al., arXiv:2403.07691, equations 6 and 7.
"""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import sympy
from rlcalc.backends import Backend
from rlcalc.errors import InputError
from rlcalc.exact import compare
from rlcalc.formulas._preference import averages, log_one_plus_exp, mean, per_token, softplus
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Term, apply, term


def check(i: Inputs) -> None:
    for better, worse in zip(i.chosen, i.rejected, strict=True):
        if compare(better, 0) == 0 == compare(worse, 0):
            raise _both_certain()


def check_arrays(a: Arrays) -> None:
    found = a.look("chosen", "rejected")
    if found is not None and found[0].shape == found[1].shape and ((found[0] == 0) & (found[1] == 0)).any():
        raise _both_certain()


def _both_certain() -> InputError:
    return InputError(
        "odds_undefined",
        "Both answers of a pair have the log-probability 0: the ratio of their odds is ∞/∞.",
        "No two different answers can both be certain; look at the masks that the sums were made with.",
    )


def exact_form(d: Derivation, i: Inputs) -> None:
    beta = d.given("β", i.beta)
    chosen = averages(d, "w", i.chosen, i.chosen_lengths)
    rejected = averages(d, "l", i.rejected, i.rejected_lengths)
    losses, gaps, likelihoods = [], list[Term](), []
    for k, (better, worse) in enumerate(zip(chosen, rejected, strict=True), start=1):
        name = str(k)
        likelihoods.append(d.step(Name("n", name), -better, "negative log-likelihood of a token"))
        if compare(better.value, 0) == 0:
            gaps.append(d.step(Name("h", name), term(sympy.oo), "the chosen answer is certain"))
            losses.append(d.step(Name("L", name), likelihoods[-1], "without a penalty"))
        elif compare(worse.value, 0) == 0:
            gaps.append(d.step(Name("h", name), term(-sympy.oo), "the rejected answer is certain"))
            losses.append(d.step(Name("L", name), term(sympy.oo)))
        else:
            gaps.append(d.step(Name("h", name), _log_odds(better) - _log_odds(worse)))
            losses.append(d.step(Name("L", name), likelihoods[-1] + beta * log_one_plus_exp(-gaps[-1])))
    d.output("losses", losses)
    d.output("loss", d.step("L", mean(losses), "mean over the pairs"))
    d.output("log_odds", gaps)
    d.output("nll", likelihoods)


def _log_odds(average: Term) -> Term:
    return average - apply("log", 1 - apply("exp", average))


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Losses of the pairs and their mean: [..., N] -> losses, log_odds, nll [..., N], loss [...]."""
    better, worse = per_token(xp, a.chosen, a.chosen_lengths), per_token(xp, a.rejected, a.rejected_lengths)
    gap = (better - log_of_rest(xp, better)) - (worse - log_of_rest(xp, worse))
    losses = a.beta * softplus(xp, -gap) - better
    return {"losses": losses, "loss": losses.mean(-1), "log_odds": gap, "nll": 0 - better}


def log_of_rest(xp: Backend, a: Any) -> Any:
    """log(1 − exp(a)) for a ≤ 0, by the form that keeps its digits on either side of a = −log 2."""
    a = xp.where(a > 0, xp.zeros_like(a), a)  # above 0 by rounding
    near = a > -0.6931
    half = xp.zeros_like(a) - 0.6931  # in the place of what the other side takes, so that no gradient is nan
    return xp.where(
        near,
        xp.log(-xp.expm1(xp.where(near, a, half))),
        xp.log1p(-xp.exp(xp.where(near, half, a))),
    )
