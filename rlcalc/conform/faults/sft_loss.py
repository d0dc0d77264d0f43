"""Faults of the causal cross-entropy."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, given, output_fault, sets
from rlcalc.conform.faults import _softmax
from rlcalc.conform.faults._answers import sign_flipped as sign_flipped
from rlcalc.conform.faults._masks import positive
from rlcalc.conform.faults._softmax import log_softmax
from rlcalc.formulas.sft_loss import NO_LABEL


@output_fault("counting", "huggingface/transformers PR #46204")
def unshifted_count(found: Outputs, arrays: Arrays) -> Outputs:
    """Divides by all labels, the first of each row too, which nothing predicts.

    Shown when: A row whose first label is one, and no count that is given.
    Cause: Labels are counted before the shift.
    Fix: Count the labels from the second column on.
    - count = (labels != -100).sum()
    + count = (labels[:, 1:] != -100).sum()
    """
    first = (arrays["labels"][..., 0] != NO_LABEL).sum(-1)
    count = found["count"]
    loss = found["loss"]
    if arrays.get("tokens") is None:
        loss = (loss * count / positive(count + first)).astype(loss.dtype)
    return {"loss": loss, "count": count + first}


@argument_fault("indexing", "huggingface/accelerate PR #4303")
def shifted_twice(arrays: Arrays) -> Arrays:
    """Asks every line for the token after the next.

    Shown when: Three tokens or more.
    Cause: The labels come shifted from the collator, and the loss shifts them again.
    Fix: Shift in one place.
    - labels = labels[:, 1:]
    - loss = cross_entropy(logits[:, :-1], labels[:, 1:])
    + loss = cross_entropy(logits[:, :-1], labels[:, 1:])
    """
    labels = np.full_like(arrays["labels"], NO_LABEL)
    labels[..., :-1] = arrays["labels"][..., 1:]
    return {"labels": labels}


@argument_fault("indexing")
def shift_missing(arrays: Arrays) -> Arrays:
    """Asks every line for the token that it has read.

    Shown when: Two tokens or more.
    Cause: A model that does not shift by itself is given unshifted labels.
    Fix: The line before a token predicts it.
    - loss = cross_entropy(logits, labels)
    + loss = cross_entropy(logits[:, :-1], labels[:, 1:])
    """
    labels = np.full_like(arrays["labels"], NO_LABEL)
    labels[..., 1:] = arrays["labels"][..., :-1]
    return {"labels": labels}


@fault("indexing")
def shift_across_rows(form: Form, /, **arrays: Any) -> Outputs:
    """Has the end of a row predict the first token of the next one.

    Shown when: A row whose first label is one.
    Cause: Rows are joined before the labels or their mask are rolled by one.
    Fix: Roll within a row; in packed rows give the first token of each document the label −100.
    - mask = torch.roll(mask.flatten(), -1)
    + mask = torch.cat([mask[:, 1:], torch.zeros_like(mask[:, :1])], 1)
    """
    found = form(**arrays)
    labels = np.roll(arrays["labels"][..., 0], -1, axis=-1)
    learned = labels != NO_LABEL
    last = log_softmax(arrays["logits"][..., -1, :])
    taken = np.where(learned, labels, 0)[..., None]
    terms = np.where(learned, -np.take_along_axis(last, taken, -1)[..., 0], 0)
    tokens = arrays.get("tokens")
    count = found["count"] + learned.sum(-1)
    whole = found["loss"] * (positive(found["count"]) if tokens is None else tokens) + terms.sum(-1)
    loss = whole / (positive(count) if tokens is None else tokens)
    return {"loss": loss.astype(found["loss"].dtype), "count": count}


@fault("ignored", "huggingface/transformers issue #46731", "huggingface/transformers PR #47261")
def smoothing_unmasked(form: Form, /, **arrays: Any) -> Outputs:
    """Smooths over all positions, those without a label too.

    Shown when: Label smoothing above 0, and a position without a label.
    Cause: The mask is applied to the cross-entropy alone.
    Fix: Mask both terms before they are added up.
    - smooth = -log_probs.mean(-1).sum()
    + smooth = -log_probs.mean(-1)[labels != -100].sum()
    """
    found = form(**arrays)
    smoothing = arrays.get("smoothing") or 0.0
    unlearned = arrays["labels"][..., 1:] == NO_LABEL
    means = -log_softmax(arrays["logits"][..., :-1, :]).mean(-1)
    extra = smoothing * np.where(unlearned, means, 0).sum((-2, -1))
    below = given(arrays, "tokens", positive(found["count"]))
    return {**found, "loss": (found["loss"] + extra / below).astype(found["loss"].dtype)}


@output_fault("counting")
def padding_in_the_denominator(found: Outputs, arrays: Arrays) -> Outputs:
    """Divides by every position that predicts one, the prompt and the padding too.

    Shown when: A label of −100 after the first column, and no count that is given.
    Cause: Losses that are 0 where a label is ignored are averaged with the others.
    Fix: Divide by the number of labels that are learned from.
    - loss = cross_entropy(logits, labels, reduction="none", ignore_index=-100).mean()
    + loss = cross_entropy(logits, labels, reduction="mean", ignore_index=-100)
    """
    if arrays.get("tokens") is not None:
        return found
    rows, width = np.shape(arrays["labels"])[-2:]
    learned = found["loss"] * positive(found["count"])
    return {**found, "loss": (learned / max(rows * (width - 1), 1)).astype(found["loss"].dtype)}


@fault(
    "reduction",
    "ml-explore/mlx-lm PR #1413",
    "pytorch/torchtitan PR #2206",
    "volcengine/verl PR #3994",
    "ml-explore/mlx-lm PR #1544",
)
def mean_of_row_means(form: Form, /, **arrays: Any) -> Outputs:
    """Averages each piece of the batch, here each row, and then the pieces.

    Shown when: Rows with different numbers of labels, and no count that is given.
    Cause: The mean is taken within a micro-batch or a rank, and the gradients are averaged after that.
    Fix: Divide by the labels of the whole batch.
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


@sets(
    "ignored",
    "huggingface/transformers issue #38448",
    "unslothai/unsloth-zoo PR #1066",
    "unslothai/unsloth-zoo PR #1023",
    "unslothai/unsloth-zoo PR #1217",
    "NovaSky-AI/SkyRL issue #1504",
    tokens=None,
)
def global_count_ignored() -> None:
    """Divides by the labels of the piece, though the count of the whole batch is given.

    Shown when: A count that is given and is not that of the piece.
    Cause: A model's own loss does not take the argument, or a wrapper drops it.
    Fix: Hand num_items_in_batch on, and divide the sum by it.
    - loss = cross_entropy(logits, labels)
    + loss = cross_entropy(logits, labels, reduction="sum") / num_items_in_batch
    """


@sets("ignored", smoothing=0.0)
def smoothing_ignored() -> None:
    """Takes every label to be certain.

    Shown when: Label smoothing above 0.
    Cause: The option is accepted and never reaches the loss.
    Fix: (1 − s)·NLL − s times the mean of the log-probabilities.
    - loss = nll
    + loss = (1 - s) * nll - s * log_probs.mean(-1)
    """


def _of_logs(form: Form, arrays: Arrays, weigh: Any, said: Any) -> Outputs:
    """The loss of other log-probabilities."""
    logs = said(arrays["logits"][..., :-1, :])
    found, labels = form(**arrays), arrays["labels"][..., 1:]
    learned, smoothing = labels != NO_LABEL, arrays.get("smoothing") or 0.0
    taken = np.where(learned, labels, 0)[..., None].astype(np.int64)
    own = np.take_along_axis(logs, taken, -1)[..., 0]
    terms = np.where(learned, -(1 - smoothing) * own - smoothing * logs.mean(-1), 0)
    below = given(arrays, "tokens", positive(found["count"]))
    return {**found, "loss": (terms.sum((-2, -1)) / below).astype(found["loss"].dtype)}


of_a_vocabulary = _softmax.of_a_vocabulary(_of_logs)


@argument_fault("indexing")
def shift_backwards(arrays: Arrays) -> Arrays:
    """Asks every line for the token before the one that it has read.

    Shown when: Two tokens or more.
    Cause: The wrong ends are cut off: the first row of the logits, and the last label.
    Fix: Cut the last row of the logits and the first label.
    - loss = cross_entropy(logits[:, 1:], labels[:, :-1])
    + loss = cross_entropy(logits[:, :-1], labels[:, 1:])
    """
    labels = np.full_like(arrays["labels"], NO_LABEL)
    labels[..., 1:] = arrays["labels"][..., :-1]
    logits = arrays["logits"]
    return {"labels": labels, "logits": np.concatenate([logits[..., 1:, :], logits[..., -1:, :]], -2)}
