"""Faults of the causal cross-entropy."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import argument_fault, fault, output_fault
from rlcalc.conform.faults._masks import positive
from rlcalc.conform.forms import Arrays, Form, Outputs
from rlcalc.formulas.sft_loss import NO_LABEL


def _log_softmax(logits: Any) -> Any:
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


@output_fault("unshifted-count", "counting", reported_in=["huggingface/transformers PR #46204"])
def unshifted_count(found: Outputs, arrays: Arrays) -> Outputs:
    """Divides by all labels, the first of each row too, which nothing predicts.

    Shown when: A row whose first label is one, and no count that is given.
    Cause: Labels are counted before the shift.
    Fix: Count the labels from the second column on.
    Diff:
        - count = (labels != -100).sum()
        + count = (labels[:, 1:] != -100).sum()
    """
    first = (arrays["labels"][..., 0] != NO_LABEL).sum(-1)
    count = found["count"]
    loss = found["loss"]
    if arrays.get("tokens") is None:
        loss = (loss * count / positive(count + first)).astype(loss.dtype)
    return {"loss": loss, "count": count + first}


@argument_fault("shifted-twice", "indexing", reported_in=["huggingface/accelerate PR #4303"])
def shifted_twice(arrays: Arrays) -> Arrays:
    """Asks every line for the token after the next.

    Shown when: Three tokens or more.
    Cause: The labels come shifted from the collator, and the loss shifts them again.
    Fix: Shift in one place.
    Diff:
        - labels = labels[:, 1:]
        - loss = cross_entropy(logits[:, :-1], labels[:, 1:])
        + loss = cross_entropy(logits[:, :-1], labels[:, 1:])
    """
    labels = np.full_like(arrays["labels"], NO_LABEL)
    labels[..., :-1] = arrays["labels"][..., 1:]
    return {"labels": labels}


@argument_fault("shift-missing", "indexing")
def shift_missing(arrays: Arrays) -> Arrays:
    """Asks every line for the token that it has read.

    Shown when: Two tokens or more.
    Cause: A model that does not shift by itself is given unshifted labels.
    Fix: The line before a token predicts it.
    Diff:
        - loss = cross_entropy(logits, labels)
        + loss = cross_entropy(logits[:, :-1], labels[:, 1:])
    """
    labels = np.full_like(arrays["labels"], NO_LABEL)
    labels[..., 1:] = arrays["labels"][..., :-1]
    return {"labels": labels}


@fault("shift-across-rows", "indexing")
def shift_across_rows(form: Form, /, **arrays: Any) -> Outputs:
    """Has the end of a row predict the first token of the next one.

    Shown when: A row whose first label is one.
    Cause: Rows are joined before the labels or their mask are rolled by one.
    Fix: Roll within a row; in packed rows give the first token of each document the label −100.
    Diff:
        - mask = torch.roll(mask.flatten(), -1)
        + mask = torch.cat([mask[:, 1:], torch.zeros_like(mask[:, :1])], 1)
    """
    found = form(**arrays)
    labels = np.roll(arrays["labels"][..., 0], -1, axis=-1)
    learned = labels != NO_LABEL
    last = _log_softmax(arrays["logits"][..., -1, :])
    taken = np.where(learned, labels, 0)[..., None]
    terms = np.where(learned, -np.take_along_axis(last, taken, -1)[..., 0], 0)
    tokens = arrays.get("tokens")
    count = found["count"] + learned.sum(-1)
    whole = found["loss"] * (positive(found["count"]) if tokens is None else tokens) + terms.sum(-1)
    loss = whole / (positive(count) if tokens is None else tokens)
    return {"loss": loss.astype(found["loss"].dtype), "count": count}


@fault(
    "smoothing-unmasked",
    "ignored",
    reported_in=["huggingface/transformers issue #46731", "huggingface/transformers PR #47261"],
)
def smoothing_unmasked(form: Form, /, **arrays: Any) -> Outputs:
    """Smooths over all positions, those without a label too.

    Shown when: Label smoothing above 0, and a position without a label.
    Cause: The mask is applied to the cross-entropy alone.
    Fix: Mask both terms before they are added up.
    Diff:
        - smooth = -log_probs.mean(-1).sum()
        + smooth = -log_probs.mean(-1)[labels != -100].sum()
    """
    found = form(**arrays)
    smoothing = arrays.get("smoothing") or 0.0
    unlearned = arrays["labels"][..., 1:] == NO_LABEL
    means = -_log_softmax(arrays["logits"][..., :-1, :]).mean(-1)
    extra = smoothing * np.where(unlearned, means, 0).sum((-2, -1))
    below = positive(found["count"]) if arrays.get("tokens") is None else arrays["tokens"]
    return {**found, "loss": (found["loss"] + extra / below).astype(found["loss"].dtype)}


@fault(
    "mean-of-row-means",
    "reduction",
    reported_in=[
        "ml-explore/mlx-lm PR #1413",
        "pytorch/torchtitan PR #2206",
        "volcengine/verl PR #3994",
        "ml-explore/mlx-lm PR #1544",
    ],
)
def mean_of_row_means(form: Form, /, **arrays: Any) -> Outputs:
    """Averages each piece of the batch, here each row, and then the pieces.

    Shown when: Rows with different numbers of labels, and no count that is given.
    Cause: The mean is taken within a micro-batch or a rank, and the gradients are averaged after that.
    Fix: Divide by the labels of the whole batch.
    Diff:
        - loss = cross_entropy(logits, labels) / accumulation_steps
        + loss = cross_entropy(logits, labels, reduction="sum") / labels_of_all_micro_batches
    """
    found = form(**arrays)
    if arrays.get("tokens") is not None:
        return dict(found)
    rows = form(
        **{**arrays, "logits": arrays["logits"][..., None, :, :], "labels": arrays["labels"][..., None, :]}
    )
    live = positive((rows["count"] > 0).sum(-1))
    return {**found, "loss": (rows["loss"].sum(-1) / live).astype(found["loss"].dtype)}


@argument_fault(
    "global-count-ignored",
    "ignored",
    reported_in=[
        "huggingface/transformers issue #38448",
        "unslothai/unsloth-zoo PR #1066",
        "unslothai/unsloth-zoo PR #1023",
        "unslothai/unsloth-zoo PR #1217",
        "NovaSky-AI/SkyRL issue #1504",
    ],
)
def global_count_ignored(arrays: Arrays) -> Arrays:
    """Divides by the labels of the piece, though the count of the whole batch is given.

    Shown when: A count that is given and is not that of the piece.
    Cause: A model's own loss does not take the argument, or a wrapper drops it.
    Fix: Hand num_items_in_batch on, and divide the sum by it.
    Diff:
        - loss = cross_entropy(logits, labels)
        + loss = cross_entropy(logits, labels, reduction="sum") / num_items_in_batch
    """
    return {"tokens": None}


@argument_fault("smoothing-ignored", "ignored")
def smoothing_ignored(arrays: Arrays) -> Arrays:
    """Takes every label to be certain.

    Shown when: Label smoothing above 0.
    Cause: The option is accepted and never reaches the loss.
    Fix: (1 − s)·NLL − s times the mean of the log-probabilities.
    Diff:
        - loss = nll
        + loss = (1 - s) * nll - s * log_probs.mean(-1)
    """
    return {"smoothing": 0.0}
