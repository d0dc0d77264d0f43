"""Faults of the loss of identity preference optimisation."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, sets
from rlcalc.conform.faults import _preferences as pairs
from rlcalc.conform.faults import dpo_loss
from rlcalc.conform.faults._answers import sign_flipped as sign_flipped

sum_for_mean = dpo_loss.sum_for_mean
of_pairs = (pairs.answers_swapped, pairs.answers_added)
reference_forgotten = dpo_loss.reference_forgotten


def _margin(arrays: Arrays) -> tuple[Any, Any]:
    """h and β."""
    parts = []
    for side in ("chosen", "rejected"):
        gap, lengths = arrays[side] - arrays[f"ref_{side}"], arrays.get(f"{side}_lengths")
        parts.append(gap if lengths is None else (gap / lengths).astype(gap.dtype))
    beta = arrays.get("beta")
    return parts[0] - parts[1], 0.1 if beta is None else beta


def _whole(losses: Any) -> Outputs:
    return {"losses": losses, "loss": losses.mean(-1)}


@sets(
    "reduction",
    "huggingface/trl PR #1265",
    "meta-pytorch/torchtune issue #1291",
    "h2oai/h2o-llmstudio issue #580",
    "h2oai/h2o-llmstudio PR #586",
    "meta-pytorch/torchtune PR #1615",
    chosen_lengths=None,
    rejected_lengths=None,
)
def sums_for_averages() -> None:
    """Compares whole answers where averages per token are asked for.

    Shown when: Lengths that are given and longer than 1.
    Cause: The paper prints the probability of an answer; its authors asked for averages later.
    Fix: Divide each log-ratio by the number of tokens of its answer.
    - logps = token_logps.sum(-1)
    + logps = token_logps.sum(-1) / mask.sum(-1)
    """


@fault("ignored", "modelscope/ms-swift PR #10167")
def sigmoid_for_ipo(form: Form, /, **arrays: Any) -> Outputs:
    """Trains on −log σ(β h), the loss of DPO.

    Shown when: Every input.
    Cause: The kind of loss is read by one trainer, and another backend builds the loss by itself.
    Fix: Hand the kind on to the loss and refuse one that is not implemented.
    - losses = -F.logsigmoid(beta * margin)
    + losses = (margin - 1 / (2 * beta)) ** 2
    """
    margin, beta = _margin(arrays)
    x = (beta * margin).astype(margin.dtype)
    return _whole(np.logaddexp(np.zeros_like(x), -x))


@fault("weighting")
def half_missing(form: Form, /, **arrays: Any) -> Outputs:
    """Aims at 1/β.

    Shown when: Every input.
    Cause: The 2 of 1/(2β) was taken for that of a derivative.
    Fix: The target is 1/(2β).
    - losses = (margin - 1 / beta) ** 2
    + losses = (margin - 1 / (2 * beta)) ** 2
    """
    margin, beta = _margin(arrays)
    return _whole(np.square(margin - 1 / beta))


@fault("weighting")
def precedence_of_the_division(form: Form, /, **arrays: Any) -> Outputs:
    """Aims at β/2, since 1 / 2 * β divides first.

    Shown when: A β other than 1.
    Cause: Parentheses around 2 * beta are missing.
    Fix: 1 / (2 * beta).
    - losses = (margin - 1 / 2 * beta) ** 2
    + losses = (margin - 1 / (2 * beta)) ** 2
    """
    margin, beta = _margin(arrays)
    return _whole(np.square(margin - beta / 2))


@fault("clipping")
def stopped_at_the_target(form: Form, /, **arrays: Any) -> Outputs:
    """Counts a margin beyond the target as one at the target.

    Shown when: A margin above 1/(2β).
    Cause: A larger margin looks better, so the square was cut off as in a hinge.
    Fix: Leave the square as it is: the loss holds the policy to its reference.
    - losses = F.relu(1 / (2 * beta) - margin) ** 2
    + losses = (margin - 1 / (2 * beta)) ** 2
    """
    margin, beta = _margin(arrays)
    return _whole(np.square(np.minimum(margin - 1 / (2 * beta), 0)))


@argument_fault("counting", "modelscope/ms-swift PR #9925")
def divided_by_the_packed_row(arrays: Arrays) -> Arrays:
    """Averages every answer over the tokens of all answers that are packed with it.

    Shown when: Lengths that are given; a margin of any size, since no answer is the whole batch.
    Cause: Without padding the answers of a batch stand in one row, and its tokens were counted.
    Fix: Divide each answer by its own number of tokens.
    - averages = sums / (labels != -100).sum(-1)
    + averages = sums / lengths_of_the_answers
    """
    lengths = arrays.get("chosen_lengths"), arrays.get("rejected_lengths")
    if lengths[0] is None or lengths[1] is None:
        return {}
    whole = (lengths[0] + lengths[1]).sum(-1, keepdims=True) + np.zeros_like(lengths[0])
    return {"chosen_lengths": whole, "rejected_lengths": whole}
