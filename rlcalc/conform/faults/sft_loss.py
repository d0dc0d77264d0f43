"""Faults of the causal cross-entropy."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import argument_fault, fault, output_fault
from rlcalc.conform.faults._masks import positive
from rlcalc.conform.faults._softmax import ADDED, log_softmax, log_softmax_of_rows, logs_with_eps
from rlcalc.conform.forms import Arrays, Form, Outputs
from rlcalc.formulas.sft_loss import NO_LABEL


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
    last = log_softmax(arrays["logits"][..., -1, :])
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
    means = -log_softmax(arrays["logits"][..., :-1, :]).mean(-1)
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


@fault("softmax-over-rows", "reduction")
def softmax_over_rows(form: Form, /, **arrays: Any) -> Outputs:
    """Normalises over the tokens of a row, not over the vocabulary.

    Shown when: Two tokens to predict or more.
    Cause: dim=1 was the vocabulary of [B, V], and is the sequence of [B, K, V]; the shapes say nothing.
    Fix: Name the last axis, dim=-1.
    Diff:
        - log_probs = torch.log_softmax(logits[:, :-1], dim=1)
        + log_probs = torch.log_softmax(logits[:, :-1], dim=-1)
    """
    return _of_logs(form, arrays, log_softmax_of_rows(arrays["logits"][..., :-1, :]))


@fault("eps-in-the-logarithm", "logarithm", constants=[ADDED])
def eps_in_the_logarithm(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """Adds a small number to the probability before the logarithm: −log(softmax + ε).

    Shown when: A token whose probability is not far above ε: the loss of what the model finds impossible, and
        its gradient, stop at −log ε.
    Cause: log 0 was to be avoided after a softmax that underflows.
    Fix: cross_entropy of the logits, or log_softmax.
    Diff:
        - loss = -torch.log(torch.softmax(logits, -1) + 1e-8).gather(-1, labels)
        + loss = -torch.log_softmax(logits, -1).gather(-1, labels)
    """
    return _of_logs(form, arrays, logs_with_eps(arrays["logits"][..., :-1, :], eps))


def _of_logs(form: Form, arrays: Arrays, logs: Any) -> Outputs:
    """The loss of log-probabilities that are already there."""
    found, labels = form(**arrays), arrays["labels"][..., 1:]
    learned, smoothing = labels != NO_LABEL, arrays.get("smoothing") or 0.0
    taken = np.where(learned, labels, 0)[..., None].astype(np.int64)
    own = np.take_along_axis(logs, taken, -1)[..., 0]
    terms = np.where(learned, -(1 - smoothing) * own - smoothing * logs.mean(-1), 0)
    below = positive(found["count"]) if arrays.get("tokens") is None else arrays["tokens"]
    return {**found, "loss": (terms.sum((-2, -1)) / below).astype(found["loss"].dtype)}
