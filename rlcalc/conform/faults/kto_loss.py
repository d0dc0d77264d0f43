"""Faults of the loss of Kahneman–Tversky optimisation."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, sets
from rlcalc.conform.faults._answers import sign_flipped as sign_flipped


def _with_estimate(form: Form, arrays: Arrays, kl: Any) -> Outputs:
    """The loss with another estimate, which may be negative."""
    shifted = arrays["ref_logps"] + kl[..., None]
    zeros = np.zeros_like(arrays["kl_logps"])
    found = form(**{**arrays, "ref_logps": shifted, "kl_logps": zeros, "kl_ref_logps": zeros})
    return {**found, "kl": kl}


@fault("reduction", "PKU-Alignment/align-anything PR #216")
def last_for_the_mean(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the last mismatched answer for the mean over all.

    Shown when: Two mismatched answers or more with different log-ratios.
    Cause: A loop over micro-batches assigns the estimate and does not add it up.
    Fix: Add up the log-ratios and divide by their number.
    - kl = (policy_kl_logps - ref_kl_logps)[-1]
    + kl = (policy_kl_logps - ref_kl_logps).mean()
    """
    last = (arrays["kl_logps"] - arrays["kl_ref_logps"])[..., -1]
    return _with_estimate(form, arrays, np.maximum(last, 0))


@fault("clipping")
def clamped_before_the_mean(form: Form, /, **arrays: Any) -> Outputs:
    """Sets negative log-ratios to 0 before their mean is taken, which makes the estimate too large.

    Shown when: A mismatched answer that has become less likely, among others.
    Cause: The clamp was moved to where each process computes its part.
    Fix: The mean over everything first, then the clamp.
    - kl = (policy_kl_logps - ref_kl_logps).clamp(min=0).mean()
    + kl = (policy_kl_logps - ref_kl_logps).mean().clamp(min=0)
    """
    kept = np.maximum(arrays["kl_logps"] - arrays["kl_ref_logps"], 0)
    return _with_estimate(form, arrays, kept.mean(-1))


@fault("clipping")
def clamp_forgotten(form: Form, /, **arrays: Any) -> Outputs:
    """Uses a negative estimate as it is.

    Shown when: Mismatched answers that have become less likely on average.
    Cause: A divergence cannot be negative; its estimate can.
    Fix: max(0, mean).
    - kl = (policy_kl_logps - ref_kl_logps).mean()
    + kl = (policy_kl_logps - ref_kl_logps).mean().clamp(min=0)
    """
    return _with_estimate(form, arrays, (arrays["kl_logps"] - arrays["kl_ref_logps"]).mean(-1))


@argument_fault("ignored")
def estimate_forgotten(arrays: Arrays) -> Arrays:
    """Leaves the estimate of the divergence out.

    Shown when: A positive estimate.
    Cause: The second forward pass, over the mismatched answers, was saved.
    Fix: Compare each log-ratio with the estimate; without one declare the variant.
    - losses = 1 - F.sigmoid(beta * logratios)
    + losses = 1 - F.sigmoid(beta * (logratios - kl))
    """
    zeros = np.zeros_like(arrays["kl_logps"])
    return {"kl_logps": zeros, "kl_ref_logps": zeros}


@argument_fault(
    "swapped",
    "huggingface/trl issue #1911",
    "huggingface/trl PR #1970",
    "hiyouga/LlamaFactory PR #7509",
    "huggingface/trl PR #2153",
)
def estimate_of_matched_answers(arrays: Arrays) -> Arrays:
    """Estimates the divergence from the answers that are trained on, each to its own prompt.

    Shown when: Answers whose log-ratios have another mean than those of the mismatched ones.
    Cause: Mismatched pairs are made by reversing or rotating a batch, which leaves a batch of one, and the
        middle of an odd one, as it is; or the second forward pass was saved.
    Fix: Rotate batches of two prompts or more, so that no prompt keeps its answer.
    - kl = (policy_logps - ref_logps).mean().clamp(min=0)
    + kl = (policy_kl_logps - ref_kl_logps).mean().clamp(min=0)
    """
    return {"kl_logps": arrays["logps"], "kl_ref_logps": arrays["ref_logps"]}


@argument_fault("sign")
def flags_inverted(arrays: Arrays) -> Arrays:
    """Takes undesirable answers for desirable ones.

    Shown when: Every answer whose log-ratio is not the estimate, or whose weight is not the other one's.
    Cause: A column that says "rejected" was read as one that says "chosen".
    Fix: 1 is desirable.
    - chosen = [not label for label in batch["label"]]
    + chosen = batch["label"]
    """
    return {"desirable": ~arrays["desirable"]}


@fault("logarithm")
def logsigmoid_for_sigmoid(form: Form, /, **arrays: Any) -> Outputs:
    """Minimises −log σ, as DPO does, where 1 − σ is meant.

    Shown when: Every input: log 2 for an untrained policy in the place of 1/2.
    Cause: The line was taken from DPO.
    Fix: 1 − σ(β (x − z)), which saturates on both sides.
    - losses = -F.logsigmoid(beta * (logratios - kl))
    + losses = 1 - F.sigmoid(beta * (logratios - kl))
    """
    one = np.ones_like(arrays["logps"])
    plain = dict(form(**{**arrays, "weight_desirable": 1.0, "weight_undesirable": 1.0}))
    good, bad = (
        1.0 if arrays.get(n) is None else arrays[n] for n in ("weight_desirable", "weight_undesirable")
    )
    with np.errstate(all="ignore"):
        losses = np.where(arrays["desirable"], good * one, bad * one) * -np.log1p(-plain["losses"])
    return {**plain, "losses": losses, "loss": losses.mean(-1)}


@sets("ignored", weight_desirable=1.0, weight_undesirable=1.0)
def weights_ignored() -> None:
    """Weighs both kinds of answers alike.

    Shown when: A weight other than 1.
    Cause: The options are accepted and never reach the loss.
    Fix: Multiply each kind's losses by its weight.
    - losses = torch.cat((chosen_losses, rejected_losses))
    + losses = torch.cat((desirable_weight * chosen_losses, undesirable_weight * rejected_losses))
    """
