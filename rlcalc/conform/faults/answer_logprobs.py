"""Faults of the log-probabilities of whole answers, as preference losses compare them."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, sets
from rlcalc.conform.faults._masks import mask_of


@fault("reduction", "jingyaogong/minimind issue #298")
def mean_over_the_row(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the mean over all columns, those of the prompt and of the padding too.

    Shown when: Rows of two columns or more.
    Cause: mean(dim=1) of a table that was multiplied by its mask.
    Fix: Add up, or divide by the number of valid tokens where the average is meant.
    - logps = (token_logps * mask).mean(dim=1)
    + logps = (token_logps * mask).sum(dim=1)
    """
    width = arrays["logps"].shape[-1]
    found = form(**{**arrays, "average": False})
    return {name: value / width for name, value in found.items()}


@sets("reduction", "jingyaogong/minimind issue #659", average=True)
def average_for_sum() -> None:
    """Divides by the number of valid tokens where the sum is asked for: short answers weigh more.

    Shown when: An answer of two valid tokens or more.
    Cause: Long answers were thought to dominate the loss.
    Fix: The probability of an answer is a product; leave the division to losses that are made for it.
    - logps = (token_logps * mask).sum(dim=1) / mask.sum(dim=1)
    + logps = (token_logps * mask).sum(dim=1)
    """


@argument_fault("swapped", "FunAudioLLM/CosyVoice issue #1449")
def mask_inverted(arrays: Arrays) -> Arrays:
    """Adds up the tokens of the prompt and of the padding.

    Shown when: A masked token, or a valid one.
    Cause: One side marks what is there, and another what is to be ignored.
    Fix: Say in the name what 1 means, and turn it at one place.
    - logps = (token_logps * ignored).sum(-1)
    + logps = (token_logps * ~ignored).sum(-1)
    """
    return {"mask": ~mask_of(arrays, "logps")}


@argument_fault("ignored", "OpenRLHF/OpenRLHF issue #294")
def rejected_unmasked(arrays: Arrays) -> Arrays:
    """Masks the prompts of the first half of a batch, and none of the second.

    Shown when: A masked token in the second half: the rejected answers hold their prompts.
    Cause: Both kinds of answers stand in one batch, and the lengths of the prompts are those of one half.
    Fix: Repeat the lengths for both halves.
    - for mask, length in zip(masks, prompt_lengths):
    + for mask, length in zip(masks, prompt_lengths * 2):
    """
    mask = np.broadcast_to(mask_of(arrays, "logps"), arrays["logps"].shape)
    second = np.arange(mask.shape[-2]) >= mask.shape[-2] / 2
    return {"mask": mask | second[:, None]}


@sets("ignored", mask=None)
def mask_ignored() -> None:
    """Adds up every token of the row.

    Shown when: A masked token.
    Cause: Prompt and padding were thought to cancel, which they do where both answers have them alike.
    Fix: Multiply by the mask, better where(mask, logps, 0), before the sum.
    - logps = token_logps.sum(-1)
    + logps = torch.where(mask, token_logps, 0).sum(-1)
    """


@sets("ignored", average=False)
def average_ignored() -> None:
    """Gives the sum where the average is asked for.

    Shown when: An answer of two valid tokens or more, whose average is asked for.
    Cause: The option of the loss does not reach the helper.
    Fix: Hand it on.
    - logps = batch_logps(logits, labels)
    + logps = batch_logps(logits, labels, average=loss_type in ("ipo", "simpo"))
    """
