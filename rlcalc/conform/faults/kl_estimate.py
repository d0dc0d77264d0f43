"""Faults of the estimates of the KL divergence per token."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, output_fault, sets


@argument_fault("swapped", "OpenRLHF/OpenRLHF PR #1309", "NVIDIA-NeMo/RL PR #2506")
def k1_for_k3(arrays: Arrays) -> Arrays:
    """Takes the log-ratio itself, whose expected gradient as a loss is 0 whatever the reference is.

    Shown when: The estimator k3 and a token whose probability differs from the reference's.
    Cause: The estimator for rewards is the default of the one for losses.
    Fix: exp(−x) − 1 + x, or k2; k1 belongs into the reward (see kl-expected-gradient).
    - kl = logp - ref_logp
    + kl = torch.exp(ref_logp - logp) - 1 + logp - ref_logp
    """
    return {"kind": "k1"} if arrays.get("kind") in (None, "k3") else {}


@output_fault("ignored", "allenai/open-instruct issue #530")
def no_gradient(found: Outputs, arrays: Arrays) -> Outputs:
    """Has the right value, and no derivative: as a loss it does nothing.

    Shown when: A derivative that is not 0.
    Cause: The estimate is computed under no_grad, with the log-probabilities of the rollout.
    Fix: Compute it from the log-probabilities of the policy being trained, within the graph.
    - with torch.no_grad():
    -     kl = estimate(logp, ref_logp)
    + kl = estimate(logp, ref_logp)
    """
    return {**found, "d_logp": np.zeros_like(found["d_logp"])}


@argument_fault("ignored", "allenai/open-instruct issue #534", "allenai/open-instruct PR #535")
def reference_ignored(arrays: Arrays) -> Arrays:
    """Measures the policy's log-probability alone.

    Shown when: A reference that is not certain of the token.
    Cause: The reference is not loaded where the coefficient was 0 once, and stands for zeros.
    Fix: Subtract the log-probability of the reference.
    - x = logp
    + x = logp - ref_logp
    """
    return {"ref_logp": np.zeros_like(arrays["ref_logp"])}


@fault("swapped", "lucidrains/PaLM-rlhf-pytorch issue #38", "nebuly-ai/optimate issue #298")
def arguments_swapped(form: Form, /, **arrays: Any) -> Outputs:
    """Takes log π_ref − log π for the log-ratio.

    Shown when: A token whose probability differs from the reference's, and any estimator but k2 and abs.
    Cause: Two log-probabilities, handed over in the other order.
    Fix: x = log π − log π_ref, the policy that sampled first.
    - x = ref_logp - logp
    + x = logp - ref_logp
    """
    found = form(**{**arrays, "logp": arrays["ref_logp"], "ref_logp": arrays["logp"]})
    return {**found, "d_logp": -found["d_logp"]}


@fault("logarithm")
def one_not_subtracted(form: Form, /, **arrays: Any) -> Outputs:
    """Gives exp(−x) + x for k3: 1 too much for every token.

    Shown when: k3 of any token; of two equal probabilities it is 1 and not 0.
    Cause: The gradient is right, and a penalty that is never 0 is seldom looked at.
    Fix: k3 is exp(−x) − 1 + x, which is 0 for equal probabilities and never below.
    - kl = torch.exp(ref_logp - logp) - (ref_logp - logp)
    + kl = torch.exp(ref_logp - logp) - (ref_logp - logp) - 1
    """
    found = form(**arrays)
    more = arrays.get("kind") in (None, "k3")
    return {**found, "estimate": found["estimate"] + more} if more else dict(found)


@output_fault("sign", "Unakar/Logic-RL issue #58", "mll-lab-nu/RAGEN issue #58")
def divergence_maximised(found: Outputs, arrays: Arrays) -> Outputs:
    """Has the other sign: the policy is driven away from its reference.

    Shown when: Any estimate that is not 0.
    Cause: A penalty is subtracted from a reward and added to a loss; here it was subtracted from the loss.
    Fix: Add the coefficient times the estimate to the loss.
    - loss = policy_loss - beta * kl
    + loss = policy_loss + beta * kl
    """
    return {name: -value for name, value in found.items()}


@sets(
    "clipping",
    "OpenRLHF/OpenRLHF PR #1335",
    "huggingface/trl issue #3015",
    "volcengine/verl PR #1779",
    "OpenRLHF/OpenRLHF PR #1160",
    "google/tunix PR #1560",
    clamp_in=None,
)
def input_clamp_missing() -> None:
    """Takes the exponential of any log-ratio, and clamps nothing before it.

    Shown when: A clamp of the log-ratio, and a log-ratio beyond it.
    Cause: Only the estimate is clamped: it is finite then, and the gradient is not.
    Fix: Clamp the log-ratio before the exponential.
    - kl = torch.exp(-x) - 1 + x
    + x = torch.clamp(x, -20, 20)
    + kl = torch.exp(-x) - 1 + x
    """


@sets("clipping", clamp_out=None)
def output_clamp_missing() -> None:
    """Leaves the estimate as large as it is.

    Shown when: A clamp of the estimate, and an estimate beyond it.
    Cause: The option was read for one of several estimators.
    Fix: Clamp the estimate last.
    - return kl
    + return torch.clamp(kl, -10, 10)
    """


@output_fault("weighting")
def square_without_half(found: Outputs, arrays: Arrays) -> Outputs:
    """Squares the log-ratio: twice the estimate, and twice the gradient of the divergence.

    Shown when: The estimator k2, and a log-ratio other than 0.
    Cause: The half was left to the coefficient.
    Fix: x²/2, whose expected gradient is that of the divergence.
    - kl = (logp - ref_logp) ** 2
    + kl = (logp - ref_logp) ** 2 / 2
    """
    return {name: 2 * value if arrays.get("kind") == "k2" else value for name, value in found.items()}


@fault("precision")
def terms_cancel(form: Form, /, **arrays: Any) -> Outputs:
    """Adds exp(−x), −1 and x as they are printed: for a small x no digit is left.

    Shown when: The estimator k3, and a policy that has just left its reference.
    Cause: The formula was written down as it is printed.
    Fix: expm1(−x) + x keeps half of the digits, the series x²/2 − x³/6 + … all of them.
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


@fault("sign")
def log_ratio_added(form: Form, /, **arrays: Any) -> Outputs:
    """Gives exp(−x) − 1 − x for k3, which is negative for tokens that became more likely.

    Shown when: k3 of a token whose probability differs from the reference's.
    Cause: With r = log π_ref − log π the estimate is exp(r) − r − 1; the sign of r was turned once only.
    Fix: exp(−x) − 1 + x, which is never below 0.
    - kl = torch.exp(ref_logp - logp) + (ref_logp - logp) - 1
    + kl = torch.exp(ref_logp - logp) - (ref_logp - logp) - 1
    """
    found = dict(form(**arrays))
    if arrays.get("kind") in (None, "k3"):
        found["estimate"] = found["estimate"] - 2 * (arrays["logp"] - arrays["ref_logp"])
        found.pop("d_logp", None)
    return found


@fault("weighting")
def weighted_with_the_probability(form: Form, /, **arrays: Any) -> Outputs:
    """Multiplies the log-ratio by the probability of the token: a term of the whole sum, not an estimate.

    Shown when: A token that is not certain and whose probability differs from the reference's.
    Cause: The definition, Σ p·(log p − log q), was applied to the tokens that were sampled.
    Fix: Sampled tokens bring their frequencies along: leave the factor out.
    - kl = torch.exp(logp) * (logp - ref_logp)
    + kl = logp - ref_logp
    """
    kl = np.exp(arrays["logp"]) * (arrays["logp"] - arrays["ref_logp"])
    return {**form(**arrays), "estimate": kl}


@fault("logarithm")
def log_ratio_forgotten(form: Form, /, **arrays: Any) -> Outputs:
    """Gives exp(−x) − 1 for k3: below 0 for every token that became more likely, and without expectation 0.

    Shown when: k3 of a token whose probability differs from the reference's.
    Cause: The last term of exp(r) − 1 − r was left out.
    Fix: exp(−x) − 1 + x, with r = −x, which is never below 0.
    - kl = torch.exp(ref_logp - logp) - 1
    + kl = torch.exp(ref_logp - logp) - 1 - (ref_logp - logp)
    """
    found = dict(form(**arrays))
    if arrays.get("kind") in (None, "k3"):
        found["estimate"] = found["estimate"] - (arrays["logp"] - arrays["ref_logp"])
        found.pop("d_logp", None)
    return found
