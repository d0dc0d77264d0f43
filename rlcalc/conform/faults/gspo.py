"""Faults of the loss with one clipped ratio a sequence."""

from __future__ import annotations

from rlcalc._lazy import np
from rlcalc.conform.catalogue import Arrays, Outputs, output_fault


@output_fault("averaged-over-tokens", "reduction", reported_in=["huggingface/trl issue #3823"])
def averaged_over_tokens(found: Outputs, arrays: Arrays) -> Outputs:
    """Averages over all tokens of the batch, so that answers weigh by their length.

    Shown when: Answers of different lengths.
    Cause: The ratio of the answer is repeated for its tokens, and the aggregation of a loss by token is kept.
    Fix: Average each row, then the rows.
    Diff:
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
