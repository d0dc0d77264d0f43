"""Faults of the loss of odds-ratio preference optimisation."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, given
from rlcalc.conform.faults import _preferences as pairs
from rlcalc.conform.faults._answers import sign_flipped as sign_flipped

answers_swapped = pairs.answers_swapped


def _beta(arrays: Arrays) -> Any:
    return given(arrays, "beta", 0.1)


def _averages(arrays: Arrays) -> tuple[Any, Any]:
    kind = arrays["chosen"].dtype
    return tuple((arrays[side] / arrays[f"{side}_lengths"]).astype(kind) for side in ("chosen", "rejected"))


def _of_gap(better: Any, gap: Any, beta: Any) -> Outputs:
    losses = beta * np.logaddexp(np.zeros_like(gap), -gap) - better
    return {"losses": losses, "loss": losses.mean(-1), "log_odds": gap, "nll": 0 - better}


@fault(
    "precision",
    "huggingface/trl issue #1473",
    "huggingface/trl PR #4763",
    "huggingface/trl PR #1491",
    "huggingface/trl issue #3237",
    "axolotl-ai-cloud/axolotl PR #3910",
)
def digits_of_the_rest_lost(form: Form, /, **arrays: Any) -> Outputs:
    """Takes log(1 − exp(a)) or log1p(−exp(a)) next to a = 0, where nothing of it is left.

    Shown when: An answer that is nearly certain: −∞ or a few digits in single precision, nan in the loss.
    Cause: log1p is known as the stable form; it is so for small exp(a), not for exp(a) next to 1.
    Fix: log(−expm1(a)) for a > −log 2, log1p(−exp(a)) below.
    - log_odds = (chosen - rejected) - (torch.log1p(-chosen.exp()) - torch.log1p(-rejected.exp()))
    + log_odds = (chosen - rejected) - (log1mexp(chosen) - log1mexp(rejected))
    """
    better, worse = _averages(arrays)
    with np.errstate(all="ignore"):
        gap = (better - worse) - (np.log1p(-np.exp(better)) - np.log1p(-np.exp(worse)))
        return _of_gap(better, gap, _beta(arrays))


@fault("precision", "hpcaitech/ColossalAI PR #6407")
def constant_in_the_odds(form: Form, /, **arrays: Any) -> Outputs:
    """Takes log(1.0001 − exp(a)), which is finite and wrong.

    Shown when: Every input; by far where an answer is nearly certain.
    Cause: A constant that keeps the logarithm finite at a = 0.
    Fix: log(−expm1(a)) for a > −log 2, log1p(−exp(a)) below.
    - chosen_odds = chosen - torch.log(1.0001 - torch.exp(chosen))
    + chosen_odds = chosen - log1mexp(chosen)
    """
    better, worse = _averages(arrays)
    gap = (better - np.log(1.0001 - np.exp(better))) - (worse - np.log(1.0001 - np.exp(worse)))
    return _of_gap(better, gap, _beta(arrays))


@fault("sign")
def plus_for_minus_in_the_odds(form: Form, /, **arrays: Any) -> Outputs:
    """Divides by 1 + p: log p − log(1 + p), which is no odds.

    Shown when: Answers whose averages differ.
    Cause: log1p(exp(a)) is what code for a sigmoid has.
    Fix: log(1 − exp(a)), as log(−expm1(a)) for a > −log 2.
    - log_odds = (chosen - rejected) - (torch.log1p(chosen.exp()) - torch.log1p(rejected.exp()))
    + log_odds = (chosen - rejected) - (log1mexp(chosen) - log1mexp(rejected))
    """
    better, worse = _averages(arrays)
    gap = (better - np.log1p(np.exp(better))) - (worse - np.log1p(np.exp(worse)))
    return _of_gap(better, gap, _beta(arrays))


@fault("precision", "huggingface/trl PR #2274")
def logarithm_of_the_sigmoid(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the logarithm of a computed σ, which has become 0.

    Shown when: Log-odds below −104 in single or −745 in double precision: the loss is infinite.
    Cause: The formula was written down as it is printed.
    Fix: Use logsigmoid.
    - ratio = torch.log(torch.sigmoid(log_odds))
    + ratio = F.logsigmoid(log_odds)
    """
    found = dict(form(**arrays))
    with np.errstate(all="ignore"):
        penalty = -np.log(np.exp(-np.logaddexp(np.zeros_like(found["nll"]), -found["log_odds"])))
        losses = found["nll"] + _beta(arrays) * penalty
    return {**found, "losses": losses, "loss": losses.mean(-1)}


@argument_fault("reduction")
def sums_compared(arrays: Arrays) -> Arrays:
    """Takes odds of whole answers, which are next to 0, and their likelihood as a sum.

    Shown when: An answer of more than one token.
    Cause: A helper that sums, as DPO needs it, was used.
    Fix: Divide each sum by the number of tokens.
    - logps = (token_logps * mask).sum(-1)
    + logps = (token_logps * mask).sum(-1) / mask.sum(-1)
    """
    return {name: np.ones_like(arrays[name]) for name in ("chosen_lengths", "rejected_lengths")}


@fault("weighting")
def ratio_without_odds(form: Form, /, **arrays: Any) -> Outputs:
    """Compares log-probabilities where log-odds are meant.

    Shown when: Averages that differ.
    Cause: The 1 − p below each probability was dropped.
    Fix: log odds = a − log(1 − exp(a)).
    - log_odds = chosen - rejected
    + log_odds = (chosen - log1mexp(chosen)) - (rejected - log1mexp(rejected))
    """
    better, worse = _averages(arrays)
    return _of_gap(better, better - worse, _beta(arrays))


@fault("ignored", "turbo-llm/turbo-alignment PR #24", "Goekdeniz-Guelmez/mlx-lm-lora issue #65")
def likelihood_forgotten(form: Form, /, **arrays: Any) -> Outputs:
    """Leaves the likelihood of the chosen answers out.

    Shown when: A chosen answer that is not certain.
    Cause: The penalty alone was taken for the loss, as in other preference losses.
    Fix: loss = nll − β log σ(h).
    - loss = -(beta * ratio).mean()
    + loss = nll.mean() - (beta * ratio).mean()
    """
    found = dict(form(**arrays))
    losses = found["losses"] - found["nll"]
    return {**found, "losses": losses, "loss": losses.mean(-1)}


@fault("reduction")
def mean_over_all_tokens(form: Form, /, **arrays: Any) -> Outputs:
    """Divides the likelihood of all chosen answers by their tokens together, so that long ones weigh more.

    Shown when: Two chosen answers of different lengths and averages.
    Cause: The cross-entropy of a language model's batch was taken.
    Fix: The average of each answer, then the mean over the answers; or declare the other one.
    - nll = -chosen_token_logps.sum() / mask.sum()
    + nll = -(chosen_token_logps.sum(-1) / mask.sum(-1)).mean()
    """
    found = dict(form(**arrays))
    whole = -arrays["chosen"].sum(-1) / arrays["chosen_lengths"].sum(-1)
    penalty = (found["losses"] - found["nll"]).mean(-1)
    return {**found, "loss": (whole + penalty).astype(arrays["chosen"].dtype)}
