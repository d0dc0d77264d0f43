"""Faults of the rewards of tokens."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, sets
from rlcalc.conform.faults._masks import mask_of


def _pieces(form: Form, arrays: Arrays) -> tuple[Any, Any, Any]:
    """The penalties of the tokens, the score at the last of a row, and whether a token is that."""
    penalties = form(**{**arrays, "score": np.zeros_like(arrays["score"])})["rewards"]
    mask = np.broadcast_to(mask_of(arrays, "logp"), penalties.shape)
    after = mask.sum(-1, keepdims=True) - np.cumsum(mask, -1)
    last = mask & (after == 0)
    placed = np.where(last, form(**arrays)["rewards"] - penalties, 0)
    return penalties, placed, last


def _scores(arrays: Arrays) -> Any:
    bound = arrays.get("clip_score")
    return arrays["score"] if bound is None else np.clip(arrays["score"], -bound, bound)


@fault(
    "indexing",
    "huggingface/trl issue #3750",
    "huggingface/trl issue #1893",
    "huggingface/trl PR #5338",
    "huggingface/trl issue #2778",
    "deepspeedai/DeepSpeedExamples PR #672",
)
def score_after_the_end(form: Form, /, **arrays: Any) -> Outputs:
    """Places the score one past the last token of an answer, where the mask takes it away.

    Shown when: An answer that does not fill its row.
    Cause: The length of the answer is taken for the index of its last token.
    Fix: The last token has the index length − 1.
    - rewards[rows, lengths] += scores
    + rewards[rows, lengths - 1] += scores
    """
    penalties, placed, last = _pieces(form, arrays)
    kept = placed * last[..., -1:]
    return {"rewards": (penalties + kept).astype(penalties.dtype)}


@fault("indexing", spared="padding-at-the-end")
def score_at_the_count(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the number of valid tokens for the place of the last one.

    Shown when: A masked token before the last valid one, such as the output of a tool, or an empty answer.
    Cause: It holds for one answer that is followed by padding.
    Fix: Look for the last valid token.
    - rewards[rows, mask.sum(1) - 1] += scores
    + last = (mask * torch.arange(1, T + 1)).argmax(1)
    + rewards[rows, last] += scores * mask.any(1)
    """
    penalties = _pieces(form, arrays)[0]
    place = mask_of(arrays, "logp").sum(-1, keepdims=True) - 1
    width = penalties.shape[-1]
    there = np.arange(width) == np.broadcast_to(place % width, (*penalties.shape[:-1], 1))
    return {"rewards": (penalties + there * _scores(arrays)[..., None]).astype(penalties.dtype)}


@fault("indexing", "volcengine/verl issue #6476", "volcengine/verl PR #6508", spared="padding-at-the-end")
def empty_answer_at_minus_one(form: Form, /, **arrays: Any) -> Outputs:
    """Places the score of an empty answer in the last column.

    Shown when: An answer without a valid token, and a score other than 0.
    Cause: length − 1 is −1 there, which counts from the end.
    Fix: Leave such rows out.
    - rewards[rows, lengths - 1] = scores
    + there = lengths > 0
    + rewards[rows[there], lengths[there] - 1] = scores[there]
    """
    found = form(**arrays)["rewards"].copy()
    empty = ~mask_of(arrays, "logp").any(-1)
    found[..., -1] = np.where(empty, _scores(arrays), found[..., -1])
    return {"rewards": found}


@fault("indexing", "volcengine/verl PR #6392", "radixark/miles PR #1827")
def score_in_the_last_column(form: Form, /, **arrays: Any) -> Outputs:
    """Places the score on the last token of the row, be it tool output or padding.

    Shown when: An answer whose last column is masked.
    Cause: The attention mask, or the width of the row, says where an answer ends.
    Fix: The last token that the policy wrote.
    - rewards[:, -1] += scores
    + rewards[rows, last_response_token] += scores
    """
    penalties, _, _ = _pieces(form, arrays)
    found = penalties.copy()
    live = mask_of(arrays, "logp").any(-1)
    found[..., -1] = found[..., -1] + np.where(live, _scores(arrays), 0)
    return {"rewards": found}


@fault("indexing")
def score_on_every_token(form: Form, /, **arrays: Any) -> Outputs:
    """Gives the score to every valid token of an answer, and not once.

    Shown when: An answer of two tokens or more, and a score other than 0.
    Cause: The score is broadcast over the row, whose sum then has it as often as there are tokens.
    Fix: Add it to the last token alone.
    - rewards = (scores[:, None] - beta * kl) * mask
    + rewards = -beta * kl * mask
    + rewards[rows, last] += scores
    """
    penalties, _, _ = _pieces(form, arrays)
    everywhere = mask_of(arrays, "logp") * _scores(arrays)[..., None]
    return {"rewards": (penalties + everywhere).astype(penalties.dtype)}


@fault("ignored", "THUDM/slime PR #1372", "radixark/miles PR #559", "radixark/miles PR #1383")
def penalty_under_the_mask(form: Form, /, **arrays: Any) -> Outputs:
    """Charges masked tokens for their divergence too.

    Shown when: A masked token whose log-probabilities differ, and a coefficient other than 0.
    Cause: The divergence is computed for whole rows, and the mask is for the loss.
    Fix: Mask the divergence before it becomes a reward.
    - rewards = -beta * kl
    + rewards = torch.where(mask, -beta * kl, 0)
    """
    unmasked = {**arrays, "mask": None, "score": np.zeros_like(arrays["score"])}
    _, placed, _ = _pieces(form, arrays)
    penalties = form(**unmasked)["rewards"]
    return {"rewards": (penalties + placed).astype(penalties.dtype)}


@argument_fault("sign")
def penalty_rewarded(arrays: Arrays) -> Arrays:
    """Adds the divergence: tokens are paid for leaving the reference.

    Shown when: A divergence and a coefficient other than 0.
    Cause: A penalty has a plus in a loss and a minus in a reward.
    Fix: Subtract it from the reward.
    - rewards = beta * kl
    + rewards = -beta * kl
    """
    return {"beta": -np.asarray(arrays["beta"])}


@fault("reduction", "liziniu/ReMax issue #4")
def penalty_of_the_last_token_alone(form: Form, /, **arrays: Any) -> Outputs:
    """Charges an answer for its last token alone.

    Shown when: An answer of two tokens or more, the first of which left the reference.
    Cause: The divergence of one step is taken for the sum over the steps.
    Fix: Every token pays for itself; over a row it is the sum.
    - rewards[rows, last] = scores - beta * kl[rows, last]
    + rewards = -beta * kl
    + rewards[rows, last] += scores
    """
    penalties, placed, last = _pieces(form, arrays)
    return {"rewards": (np.where(last, penalties, 0) + placed).astype(penalties.dtype)}


@fault("indexing")
def last_token_unpenalised(form: Form, /, **arrays: Any) -> Outputs:
    """Puts the score in the place of the last token's penalty, not beside it.

    Shown when: A last token that left the reference, and a coefficient other than 0.
    Cause: The rewards are filled with penalties, and the one at the end is overwritten.
    Fix: Add the score to what stands there.
    - rewards = penalties * (1 - is_last) + scores * is_last
    + rewards = penalties + scores * is_last
    """
    penalties, placed, last = _pieces(form, arrays)
    return {"rewards": (np.where(last, 0, penalties) + placed).astype(penalties.dtype)}


@sets("ignored", kind="k1")
def estimator_ignored() -> None:
    """Takes the log-ratio, whichever estimator is asked for.

    Shown when: Another estimator than k1.
    Cause: The reward path has an estimator of its own.
    Fix: Hand the kind on.
    - kl = logp - ref_logp
    + kl = estimate(logp, ref_logp, kind)
    """


@sets("clipping", clip_score=None)
def score_not_clipped() -> None:
    """Places the score as it comes from the reward model.

    Shown when: A bound for the score, and a score beyond it.
    Cause: The bound is applied to the rewards of the log, not to those of training.
    Fix: Clamp the score before it is placed.
    - rewards[rows, last] += scores
    + rewards[rows, last] += torch.clamp(scores, -bound, bound)
    """
