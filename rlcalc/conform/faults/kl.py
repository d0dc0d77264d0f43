"""Faults of the Kullback–Leibler divergence."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, output_fault
from rlcalc.conform.faults import _sequence_faults as shared
from rlcalc.conform.faults import _sequence_precision as precision


@output_fault(
    "sign",
    "lucidrains/PaLM-rlhf-pytorch issue #38",
    "nebuly-ai/optimate issue #298",
    "marin-community/marin issue #1708",
)
def negative_divergence(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the divergence with a minus sign, so that a penalty becomes a reward for moving away.

    Shown when: Two distributions that differ; a divergence is never below 0.
    Cause: p·log(q/p) was summed, or a reward term and a loss term were confused.
    Fix: Sum p·(log p − log q).
    - kl = (p * (log_q - log_p)).sum(-1)
    + kl = (p * (log_p - log_q)).sum(-1)
    """
    return {"divergence": -found["divergence"]}


@argument_fault("swapped", "lucidrains/PaLM-rlhf-pytorch issue #43")
def arguments_swapped(arrays: Arrays) -> Arrays:
    """Gives D(q‖p).

    Shown when: Distributions that are not mirror images of each other.
    Cause: Libraries order the arguments differently; Torch's kl_div takes log q first and p second.
    Fix: Say which distribution the expectation is taken under, and pass by name.
    - kl = F.kl_div(log_p, q, reduction="sum")
    + kl = F.kl_div(log_q, p, reduction="sum")
    """
    return {"p": arrays["q"], "q": arrays["p"]}


@fault("swapped")
def swapped_under_the_mask(form: Form, p: Any, q: Any) -> Outputs:
    """Gives D(q‖p) over the outcomes that p draws: where only q does, an infinite divergence is left out.

    Shown when: Distributions that are not mirror images of each other.
    Cause: The mask p > 0 keeps the logarithm of p finite; it was written for the other direction.
    Fix: Sum p·(log p − log q) over the outcomes with p > 0.
    - kl = np.where(p > 0, q * (log_q - log_p), 0).sum(-1)
    + kl = np.where(p > 0, p * (log_p - log_q), 0).sum(-1)
    """
    drawn = (p > 0) & (q > 0)
    terms = q * (np.log(np.where(drawn, q, 1)) - np.log(np.where(drawn, p, 1)))
    return {"divergence": np.where(drawn, terms, 0).sum(axis=-1).astype(p.dtype)}


@output_fault("logarithm")
def in_bits(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives bits: 1/log 2 ≈ 1.44 times the nats that a limit or a coefficient is tuned for.

    Shown when: Two distributions that differ, by a divergence that is finite.
    Cause: log2 was taken from a text on coding.
    Fix: Use the natural logarithm.
    - kl = (p * (np.log2(p) - np.log2(q))).sum(-1)
    + kl = (p * (np.log(p) - np.log(q))).sum(-1)
    """
    return {"divergence": (found["divergence"] / np.log(2)).astype(arrays["p"].dtype)}


@fault("weighting", stage="inputs")
def weighted_by_q(form: Form, p: Any, q: Any) -> Outputs:
    """Takes the expectation of log(p/q) under q; it is −D(q‖p), never above 0.

    Shown when: Two distributions that differ.
    Cause: The log-ratio of one direction was averaged over samples, or with weights, of the other.
    Fix: Average log p − log q over outcomes that p draws.
    - kl = (q * (log_p - log_q)).sum(-1)
    + kl = (p * (log_p - log_q)).sum(-1)
    """
    return {"divergence": -form(p=q, q=p)["divergence"]}


@fault("precision", spared="positive-probabilities")
def zero_gives_nan(form: Form, p: Any, q: Any) -> Outputs:
    """Gives not a number as soon as p is 0 somewhere.

    Shown when: An outcome that p never draws.
    Cause: In floating point 0·log 0 is not a number; the definition counts it as 0.
    Fix: Leave out the outcomes with p = 0 before taking the logarithm.
    - kl = (p * (np.log(p) - np.log(q))).sum(-1)
    + kl = (p * np.log(np.where(p > 0, p / q, 1))).sum(-1)
    """
    return {"divergence": (p * (np.log(p) - np.log(q))).sum(axis=-1)}


@output_fault("reduction")
def mean_over_outcomes(found: Outputs, arrays: Arrays) -> Outputs:
    """Divides the divergence by the number of outcomes.

    Shown when: Two distributions that differ.
    Cause: A reduction called mean averages over every entry, as that of Torch's kl_div does by default.
    Fix: Sum over the outcomes and average over the states: reduction='batchmean'.
    - kl = F.kl_div(log_q, p)
    + kl = F.kl_div(log_q, p, reduction="batchmean")
    """
    return {"divergence": found["divergence"] / arrays["p"].shape[-1]}


@fault("logarithm")
def log_of_q_missing(form: Form, p: Any, q: Any) -> Outputs:
    """Sums p·(log p − q).

    Shown when: Every input, also two equal distributions.
    Cause: Torch's kl_div expects its first argument as logarithms and was given probabilities.
    Fix: Pass log q.
    - kl = F.kl_div(q, p, reduction="sum")
    + kl = F.kl_div(q.log(), p, reduction="sum")
    """
    plogp = np.where(p > 0, p * np.log(np.where(p > 0, p, np.ones_like(p))), np.zeros_like(p))
    return {"divergence": (plogp - p * q).sum(axis=-1)}


@fault("weighting")
def probability_missing(form: Form, p: Any, q: Any) -> Outputs:
    """Sums log(p/q) over all outcomes alike, without the weights p.

    Shown when: Two distributions that differ.
    Cause: The estimate from samples, the mean of log p − log q, was applied to the list of all outcomes.
    Fix: Weight with p: sampled outcomes bring their frequencies along, a list of all outcomes does not.
    - kl = (log_p - log_q).sum(-1)
    + kl = (p * (log_p - log_q)).sum(-1)
    """
    return {"divergence": (np.log(p) - np.log(q)).sum(axis=-1)}


@fault("swapped")
def cross_entropy_for_divergence(form: Form, p: Any, q: Any) -> Outputs:
    """Gives the cross entropy −Σ p·log q: the entropy of p is not taken off.

    Shown when: Any p that is not certain; two equal distributions do not give 0.
    Cause: As a loss in q both have the same gradient.
    Fix: Sum p·(log p − log q).
    - kl = -(p * log_q).sum(-1)
    + kl = (p * (log_p - log_q)).sum(-1)
    """
    return {"divergence": -(p * np.log(q)).sum(axis=-1)}


computes_in_float32 = shared.reported([precision.computes_in_float32], computes_in_float32=["google/tunix"])
