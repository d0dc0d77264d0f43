"""Faults of the loss of simple preference optimisation."""

from __future__ import annotations

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, argument_fault, given, sets
from rlcalc.conform.faults import _preferences as pairs
from rlcalc.conform.faults import dpo_loss
from rlcalc.conform.faults._answers import sign_flipped as sign_flipped

sum_for_mean = dpo_loss.sum_for_mean
of_pairs = (pairs.answers_swapped, pairs.answers_added, *pairs.OF_BETA)
logarithm_of_the_sigmoid = dpo_loss.logarithm_of_the_sigmoid


@argument_fault(
    "reduction",
    "princeton-nlp/SimPO issue #4",
    "princeton-nlp/SimPO issue #7",
    "princeton-nlp/SimPO issue #13",
    "princeton-nlp/SimPO issue #32",
    "princeton-nlp/SimPO issue #59",
    "hiyouga/LlamaFactory issue #7301",
)
def sums_compared(arrays: Arrays) -> Arrays:
    """Compares sums over the tokens, so that the shorter answer wins.

    Shown when: An answer of more than one token.
    Cause: The loss function takes averages that its caller has to make, and gets sums.
    Fix: Divide each sum by the number of tokens, or name the arguments averages.
    - logps = (token_logps * mask).sum(-1)
    + logps = (token_logps * mask).sum(-1) / mask.sum(-1)
    """
    return {name: np.ones_like(arrays[name]) for name in ("chosen_lengths", "rejected_lengths")}


@sets("ignored", gamma=0.0)
def margin_forgotten() -> None:
    """Leaves γ out.

    Shown when: A γ above 0.
    Cause: A loss of DPO without reference was taken.
    Fix: Subtract γ within σ.
    - losses = -F.logsigmoid(beta * margin)
    + losses = -F.logsigmoid(beta * margin - gamma)
    """


@argument_fault("sign")
def margin_added(arrays: Arrays) -> Arrays:
    """Adds γ.

    Shown when: A γ above 0.
    Cause: The margin is taken for a head start of the chosen answer.
    Fix: Subtract it: the chosen answer has to lead by it.
    - losses = -F.logsigmoid(beta * margin + gamma)
    + losses = -F.logsigmoid(beta * margin - gamma)
    """
    return {"gamma": -given(arrays, "gamma", 0.5)}


@argument_fault("swapped")
def lengths_of_the_chosen_for_both(arrays: Arrays) -> Arrays:
    """Divides both sums by the length of the chosen answer.

    Shown when: Two answers of different lengths.
    Cause: The line of the chosen answer was copied, and one of its names was not changed.
    Fix: Divide each sum by the number of tokens of its own answer.
    - rejected = rejected_logps / chosen_lengths
    + rejected = rejected_logps / rejected_lengths
    """
    return {"rejected_lengths": arrays["chosen_lengths"]}


@argument_fault("swapped")
def lengths_of_the_rejected_for_both(arrays: Arrays) -> Arrays:
    """Divides both sums by the length of the rejected answer.

    Shown when: Two answers of different lengths.
    Cause: One mask is taken for both halves of the batch.
    Fix: Divide each sum by the number of tokens of its own answer.
    - chosen = chosen_logps / rejected_lengths
    + chosen = chosen_logps / chosen_lengths
    """
    return {"chosen_lengths": arrays["rejected_lengths"]}
