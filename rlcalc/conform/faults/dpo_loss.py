"""Faults of the loss of direct preference optimisation."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, given, output_fault, sets
from rlcalc.conform.faults import _preferences as pairs
from rlcalc.conform.faults._answers import sign_flipped as sign_flipped

of_pairs = (pairs.answers_swapped, pairs.answers_added, *pairs.OF_BETA)


def _ratios(arrays: Arrays, chosen: Any, rejected: Any) -> Any:
    """Differences of two per-answer quantities, per token where lengths are given."""
    lengths = arrays.get("chosen_lengths"), arrays.get("rejected_lengths")
    parts = [x if n is None else x / n for x, n in zip((chosen, rejected), lengths, strict=True)]
    return parts[0] - parts[1]


@output_fault("swapped", "locuslab/open-unlearning issue #30", "locuslab/open-unlearning issue #44")
def loss_overwritten(found: Outputs, arrays: Arrays) -> Outputs:
    """Returns minus the mean of the policy's log-ratio of the two answers, not the loss.

    Shown when: Every input, the untrained policy among them.
    Cause: A line of an experiment assigns the loss once more below the right one and was left there.
    Fix: Delete the later assignment.
    - loss = -F.logsigmoid(beta * margin).mean()
    - loss = -pi_logratios.mean()
    + loss = -F.logsigmoid(beta * margin).mean()
    """
    gap = _ratios(arrays, arrays["chosen"], arrays["rejected"])
    return {**found, "losses": -gap, "loss": -gap.mean(-1)}


@fault("weighting", "AI-Hypercomputer/maxtext issue #1530")
def beta_twice(form: Form, /, **arrays: Any) -> Outputs:
    """Multiplies the margin by β in the implicit rewards and once more in the loss.

    Shown when: A margin that is not 0 and a β other than 1.
    Cause: The rewards of both answers, which hold β already, are compared in the loss.
    Fix: −log σ of the difference of the rewards, or of β times that of the log-ratios.
    - loss = -logsigmoid(beta * (chosen_rewards - rejected_rewards))
    + loss = -logsigmoid(chosen_rewards - rejected_rewards)
    """
    beta = given(arrays, "beta", 0.1)
    right, found = form(**arrays), form(**{**arrays, "beta": beta * beta})
    return {**found, "chosen_rewards": right["chosen_rewards"], "rejected_rewards": right["rejected_rewards"]}


@sets("ignored", "modelscope/ms-swift PR #10167", kind="sigmoid")
def kind_ignored() -> None:
    """Trains on −log σ whatever kind of loss is asked for.

    Shown when: The hinge, or the robust loss with label smoothing.
    Cause: The option is read by one trainer, and another backend builds the loss by itself.
    Fix: Hand the kind on to the loss and refuse one that is not implemented.
    - loss = -logsigmoid(beta * margin)
    + loss = LOSSES[loss_type](beta * margin)
    """


@fault("precision")
def logarithm_of_the_sigmoid(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the logarithm of a computed σ, which has become 0.

    Shown when: An argument of σ below −89 in single or −710 in double precision: the loss is infinite.
    Cause: The formula was written down as it is printed.
    Fix: Use logsigmoid, or −log1p(exp(−x)) for positive x and x − log1p(exp(x)) for negative.
    - losses = -torch.log(torch.sigmoid(logits))
    + losses = -F.logsigmoid(logits)
    """
    found = dict(form(**arrays))
    if arrays.get("kind") not in (None, "sigmoid") or (arrays.get("label_smoothing") or 0) > 0:
        return found
    x = np.exp(-found["losses"])
    with np.errstate(all="ignore"):
        losses = -np.log(x)
    # what autograd makes of 0·inf is nobody's wish
    found = {name: value for name, value in found.items() if not name.startswith("d_")}
    return {**found, "losses": losses, "loss": losses.mean(-1)}


@argument_fault("ignored")
def reference_forgotten(arrays: Arrays) -> Arrays:
    """Compares the policy's log-probabilities alone.

    Shown when: A reference that does not find both answers equally likely.
    Cause: A reference-free variant was switched on, or the reference's answers were never computed.
    Fix: Subtract the reference's log-probability of the same answer from each.
    - logits = policy_chosen - policy_rejected
    + logits = (policy_chosen - policy_rejected) - (ref_chosen - ref_rejected)
    """
    zeros = np.zeros_like(arrays["ref_chosen"])
    return {"ref_chosen": zeros, "ref_rejected": zeros}


@argument_fault("sign")
def reference_added(arrays: Arrays) -> Arrays:
    """Adds the reference's log-ratio to the policy's instead of taking it off.

    Shown when: A reference that does not find both answers equally likely.
    Cause: The two differences of log-probabilities were joined by the wrong sign.
    Fix: h is what the policy prefers beyond the reference: subtract the reference's log-ratio.
    - logits = pi_logratios + ref_logratios
    + logits = pi_logratios - ref_logratios
    """
    return {name: -arrays[name] for name in ("ref_chosen", "ref_rejected")}


@argument_fault("weighting")
def reference_without_beta(arrays: Arrays) -> Arrays:
    """Multiplies the policy's log-ratio by β, and not the reference's.

    Shown when: A reference that does not find both answers equally likely, and a β other than 1.
    Cause: β stands inside of the first bracket alone.
    Fix: β times the difference of both log-ratios.
    - logits = beta * pi_logratios - ref_logratios
    + logits = beta * (pi_logratios - ref_logratios)
    """
    beta = 0.1 if arrays.get("beta") is None else arrays["beta"]
    return {n: (arrays[n] / beta).astype(arrays[n].dtype) for n in ("ref_chosen", "ref_rejected")}


@output_fault("reduction")
def sum_for_mean(found: Outputs, arrays: Arrays) -> Outputs:
    """Adds up the losses of the pairs.

    Shown when: Two pairs or more.
    Cause: The reduction of a helper that sums was taken over.
    Fix: Take the mean over the pairs.
    - loss = losses.sum()
    + loss = losses.mean()
    """
    count = arrays["chosen"].shape[-1]
    return {**found, "loss": found["losses"].sum(-1), "d_chosen": found["d_chosen"] * count}


@sets("ignored", label_smoothing=0.0)
def smoothing_ignored() -> None:
    """Takes every preference to be right.

    Shown when: Label smoothing above 0.
    Cause: The option is accepted and never reaches the loss.
    Fix: −(1−s)·log σ(x) − s·log σ(−x), divided as the robust variant asks.
    - losses = -F.logsigmoid(x)
    + losses = -(1 - s) * F.logsigmoid(x) - s * F.logsigmoid(-x)
    """


@sets("ignored", chosen_lengths=None, rejected_lengths=None)
def lengths_ignored() -> None:
    """Compares sums over the tokens where averages are asked for.

    Shown when: Lengths that are given and longer than 1.
    Cause: The loss was written for sums, and a β for averages (5 in the place of 0.1) came with the options.
    Fix: Divide each log-ratio by the number of tokens of its answer.
    - chosen = chosen_logps.sum(-1)
    + chosen = chosen_logps.sum(-1) / mask.sum(-1)
    """


@output_fault("logarithm")
def logarithm_missing(found: Outputs, arrays: Arrays) -> Outputs:
    """Minimises −σ, without its logarithm: a pair that is far off has no gradient any more.

    Shown when: The loss of the sigmoid, of any pair.
    Cause: sigmoid was called in the place of logsigmoid.
    Fix: −log σ.
    - loss = -torch.sigmoid(logits).mean()
    + loss = -F.logsigmoid(logits).mean()
    """
    if arrays.get("kind") not in (None, "sigmoid") or (arrays.get("label_smoothing") or 0) > 0:
        return dict(found)
    losses = -np.exp(-found["losses"])
    return {**found, "losses": losses, "loss": losses.mean(-1)}
