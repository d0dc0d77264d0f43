"""Faults of the loss with one clipped ratio a sequence."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, fault, given, output_fault
from rlcalc.conform.faults import _widths
from rlcalc.conform.faults._masks import mask_of

widths_exchanged = _widths.widths_exchanged


@output_fault("reduction", "huggingface/trl issue #3823")
def averaged_over_tokens(found: Outputs, arrays: Arrays) -> Outputs:
    """Averages over all tokens of the batch, so that answers weigh by their length.

    Shown when: Answers of different lengths.
    Cause: The ratio of the answer is repeated for its tokens, and the aggregation of a loss by token is kept.
    Fix: Average each row, then the rows.
    - loss = (per_token_loss * mask).sum() / mask.sum()
    + loss = ((per_token_loss * mask).sum(-1) / mask.sum(-1)).mean()
    """
    shape = np.broadcast_shapes(np.shape(arrays["logp"]), np.shape(arrays["old_logp"]))
    mask = arrays.get("mask")
    flags = np.broadcast_to(np.ones(shape) if mask is None else np.asarray(mask, float), shape)
    lengths = flags.sum(-1)
    rows = np.maximum((lengths > 0).sum(-1), 1)
    if arrays.get("sequences") is not None:
        rows = arrays["sequences"]
    tokens = np.maximum(lengths.sum(-1), 1)
    share = lengths * (np.asarray(rows) / tokens)[..., None]
    loss = -(found["objective"] * lengths).sum(-1) / tokens
    return {**found, "loss": loss, "d_logp": found["d_logp"] * share[..., None]}


@fault("reduction")
def product_for_the_mean(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the product of the ratios of an answer for its ratio, which grows with the length.

    Shown when: An answer of two tokens or more whose probability has changed.
    Cause: The importance weight of a whole answer is that product.
    Fix: Divide the sum of the log-ratios by the number of valid tokens.
    - ratio = torch.exp((log_ratio * mask).sum(-1))
    + ratio = torch.exp((log_ratio * mask).sum(-1) / mask.sum(-1))
    """
    lengths = np.maximum(mask_of(arrays, "logp").sum(-1), 1)[..., None]
    gaps = lengths * (arrays["logp"] - arrays["old_logp"])
    found = form(**{**arrays, "logp": gaps, "old_logp": np.zeros_like(gaps)})
    return {**found, "d_logp": found["d_logp"] * lengths}


@fault("swapped")
def ratio_of_each_token(form: Form, /, **arrays: Any) -> Outputs:
    """Clips the ratio of every token, as PPO does, and averages the answers after that.

    Shown when: An answer whose tokens changed by different ratios.
    Cause: The level of the importance weight is an option that does not reach the loss.
    Fix: One ratio an answer, clipped as a whole.
    - ratio = torch.exp(log_ratio)
    + ratio = torch.exp((log_ratio * mask).sum(-1, keepdim=True) / mask.sum(-1, keepdim=True))
    """
    mask = mask_of(arrays, "logp")
    lengths = mask.sum(-1)
    adv = np.broadcast_to(arrays["adv"][..., None], mask.shape)
    logp = np.where(mask, arrays["logp"], 0)
    old = np.where(mask, arrays["old_logp"], 0)
    # every token as an answer of its own
    single = form(**{**arrays, "logp": logp[..., None], "old_logp": old[..., None], "adv": adv,
                     "mask": mask[..., None], "sequences": 1})  # fmt: skip
    per_token = single["objective"] * mask / np.maximum(lengths, 1)[..., None]
    rows = given(arrays, "sequences", np.maximum((lengths > 0).sum(-1), 1))
    objective = per_token.sum(-1)
    kind = objective.dtype
    share = np.maximum(lengths, 1)[..., None] * np.asarray(rows)[..., None, None]
    return {
        "loss": (-objective.sum(-1) / rows).astype(kind),
        "objective": objective,
        "ratio": form(**arrays)["ratio"],
        "d_logp": (single["d_logp"][..., 0] * mask / share).astype(kind),
    }


@fault("reduction", "MakazhanAlpamys/Soup issue #723", "MakazhanAlpamys/Soup PR #744")
def centred_over_the_batch(form: Form, /, **arrays: Any) -> Outputs:
    """Compares a token with those at its place in the other answers, and clips nothing.

    Shown when: Two answers whose tokens changed by different ratios; of a single answer the ratios are 1.
    Cause: The log-ratios are centred over the batch, in the place of a mean over the answer.
    Fix: One ratio an answer, the geometric mean of its tokens', clipped as a whole.
    - ratio = torch.exp(log_ratio - log_ratio.mean(0))
    + ratio = torch.exp((log_ratio * mask).sum(-1, keepdim=True) / mask.sum(-1, keepdim=True))
    """
    mask = mask_of(arrays, "logp")
    gaps = np.where(mask, arrays["logp"], 0) - np.where(mask, arrays["old_logp"], 0)
    members = np.maximum(mask.sum(-2, keepdims=True), 1)
    ratio = np.where(mask, np.exp(gaps - gaps.sum(-2, keepdims=True) / members), 0)
    lengths = np.maximum(mask.sum(-1), 1)
    rows = given(arrays, "sequences", np.maximum(mask.any(-1).sum(-1), 1))
    # what each token adds to the loss, and takes from it through the mean of its column
    parts = -ratio * (arrays["adv"] / lengths)[..., None] / np.asarray(rows)[..., None, None]
    slopes = np.where(mask, parts - parts.sum(-2, keepdims=True) / members, 0)
    kind = gaps.dtype
    objective = -parts.sum(-1) * np.asarray(rows)[..., None]
    return {
        "loss": parts.sum((-2, -1)).astype(kind),
        "objective": objective.astype(kind),
        "ratio": form(**arrays)["ratio"],
        "d_logp": slopes.astype(kind),
    }
