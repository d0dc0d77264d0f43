"""Faults of the estimates of the KL divergence per token."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import argument_fault, fault, output_fault
from rlcalc.conform.forms import Arrays, Form, Outputs


@argument_fault("k1-for-k3", "swapped")
def k1_for_k3(arrays: Arrays) -> Arrays:
    """Takes the log-ratio itself, whose expected gradient as a loss is 0 whatever the reference is.

    Shown when: The estimator k3 and a token whose probability differs from the reference's.
    Cause: The estimator for rewards is the default of the one for losses.
    Fix: exp(−x) − 1 + x, or k2; k1 belongs into the reward (see kl-expected-gradient).
    Diff:
        - kl = logp - ref_logp
        + kl = torch.exp(ref_logp - logp) - 1 + logp - ref_logp
    """
    return {"kind": "k1"} if arrays.get("kind") in (None, "k3") else {}


@output_fault("no-gradient", "ignored", reported_in=["allenai/open-instruct issue #530"])
def no_gradient(found: Outputs, arrays: Arrays) -> Outputs:
    """Has the right value, and no derivative: as a loss it does nothing.

    Shown when: A derivative that is not 0.
    Cause: The estimate is computed under no_grad, with the log-probabilities of the rollout.
    Fix: Compute it from the log-probabilities of the policy being trained, within the graph.
    Diff:
        - with torch.no_grad():
        -     kl = estimate(logp, ref_logp)
        + kl = estimate(logp, ref_logp)
    """
    return {**found, "d_logp": np.zeros_like(found["d_logp"])}


@argument_fault(
    "reference-ignored",
    "ignored",
    reported_in=["allenai/open-instruct issue #534", "allenai/open-instruct PR #535"],
)
def reference_ignored(arrays: Arrays) -> Arrays:
    """Measures the policy's log-probability alone.

    Shown when: A reference that is not certain of the token.
    Cause: The reference is not loaded where the coefficient was 0 once, and stands for zeros.
    Fix: Subtract the log-probability of the reference.
    Diff:
        - x = logp
        + x = logp - ref_logp
    """
    return {"ref_logp": np.zeros_like(arrays["ref_logp"])}


@fault(
    "arguments-swapped",
    "swapped",
    reported_in=["lucidrains/PaLM-rlhf-pytorch issue #38", "nebuly-ai/optimate issue #298"],
)
def arguments_swapped(form: Form, /, **arrays: Any) -> Outputs:
    """Takes log π_ref − log π for the log-ratio.

    Shown when: A token whose probability differs from the reference's, and any estimator but k2 and abs.
    Cause: Two log-probabilities, handed over in the other order.
    Fix: x = log π − log π_ref, the policy that sampled first.
    Diff:
        - x = ref_logp - logp
        + x = logp - ref_logp
    """
    found = form(**{**arrays, "logp": arrays["ref_logp"], "ref_logp": arrays["logp"]})
    return {**found, "d_logp": -found["d_logp"]}


@fault("one-not-subtracted", "logarithm")
def one_not_subtracted(form: Form, /, **arrays: Any) -> Outputs:
    """Gives exp(−x) + x for k3: 1 too much for every token.

    Shown when: k3 of any token; of two equal probabilities it is 1 and not 0.
    Cause: The gradient is right, and a penalty that is never 0 is seldom looked at.
    Fix: k3 is exp(−x) − 1 + x, which is 0 for equal probabilities and never below.
    Diff:
        - kl = torch.exp(ref_logp - logp) - (ref_logp - logp)
        + kl = torch.exp(ref_logp - logp) - (ref_logp - logp) - 1
    """
    found = form(**arrays)
    more = arrays.get("kind") in (None, "k3")
    return {**found, "estimate": found["estimate"] + more} if more else dict(found)


@output_fault("divergence-maximised", "sign", reported_in=["Unakar/Logic-RL issue #58"])
def divergence_maximised(found: Outputs, arrays: Arrays) -> Outputs:
    """Has the other sign: the policy is driven away from its reference.

    Shown when: Any estimate that is not 0.
    Cause: A penalty is subtracted from a reward and added to a loss; here it was subtracted from the loss.
    Fix: Add the coefficient times the estimate to the loss.
    Diff:
        - loss = policy_loss - beta * kl
        + loss = policy_loss + beta * kl
    """
    return {name: -value for name, value in found.items()}


@argument_fault(
    "input-clamp-missing",
    "clipping",
    reported_in=[
        "OpenRLHF/OpenRLHF PR #1335",
        "huggingface/trl issue #3015",
        "volcengine/verl PR #1779",
        "OpenRLHF/OpenRLHF PR #1160",
        "google/tunix PR #1560",
    ],
)
def input_clamp_missing(arrays: Arrays) -> Arrays:
    """Takes the exponential of any log-ratio, and clamps nothing before it.

    Shown when: A clamp of the log-ratio, and a log-ratio beyond it.
    Cause: Only the estimate is clamped: it is finite then, and the gradient is not.
    Fix: Clamp the log-ratio before the exponential.
    Diff:
        - kl = torch.exp(-x) - 1 + x
        + x = torch.clamp(x, -20, 20)
        + kl = torch.exp(-x) - 1 + x
    """
    return {"clamp_in": None}


@argument_fault("output-clamp-missing", "clipping")
def output_clamp_missing(arrays: Arrays) -> Arrays:
    """Leaves the estimate as large as it is.

    Shown when: A clamp of the estimate, and an estimate beyond it.
    Cause: The option was read for one of several estimators.
    Fix: Clamp the estimate last.
    Diff:
        - return kl
        + return torch.clamp(kl, -10, 10)
    """
    return {"clamp_out": None}


@output_fault("square-without-half", "weighting")
def square_without_half(found: Outputs, arrays: Arrays) -> Outputs:
    """Squares the log-ratio: twice the estimate, and twice the gradient of the divergence.

    Shown when: The estimator k2, and a log-ratio other than 0.
    Cause: The half was left to the coefficient.
    Fix: x²/2, whose expected gradient is that of the divergence.
    Diff:
        - kl = (logp - ref_logp) ** 2
        + kl = (logp - ref_logp) ** 2 / 2
    """
    return {name: 2 * value if arrays.get("kind") == "k2" else value for name, value in found.items()}


@fault("terms-cancel", "precision")
def terms_cancel(form: Form, /, **arrays: Any) -> Outputs:
    """Adds exp(−x), −1 and x as they are printed: for a small x no digit is left.

    Shown when: The estimator k3, and a policy that has just left its reference.
    Cause: The formula was written down as it is printed.
    Fix: expm1(−x) + x keeps half of the digits, the series x²/2 − x³/6 + … all of them.
    Diff:
        - kl = torch.exp(-x) - 1 + x
        + kl = torch.expm1(-x) + x
    """
    found = dict(form(**arrays))
    x = arrays["logp"] - arrays["ref_logp"]
    near = np.abs(x) < 0.01
    if arrays.get("kind") in (None, "k3"):
        with np.errstate(over="ignore"):
            found["estimate"] = np.where(near, np.exp(-x) - 1 + x, found["estimate"])
    return found
