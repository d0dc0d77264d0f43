"""Faults of the aggregation of token losses."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, given, output_fault, sets
from rlcalc.conform.faults._answers import sign_flipped as sign_flipped
from rlcalc.conform.faults._masks import mask_of, valid


def _by(weights: Any, losses: Any) -> Outputs:
    weights = weights.astype(losses.dtype)
    return {"loss": (weights * losses).sum((-2, -1)), "weights": weights}


def _token_mean(arrays: Arrays) -> bool:
    return arrays.get("mode") in (None, "token-mean") and arrays.get("tokens") is None


@argument_fault(
    "reduction",
    "allenai/open-instruct PR #1161",
    "NovaSky-AI/SkyRL PR #1296",
    "modelscope/Trinity-RFT PR #336",
    "PrimeIntellect-ai/prime-rl PR #583",
    "huggingface/trl PR #3231",
    "volcengine/verl issue #5625",
    "allenai/open-instruct PR #1137",
    "NovaSky-AI/SkyRL issue #462",
    "modelscope/twinkle PR #292",
    "NVIDIA-NeMo/RL PR #3791",
    "radixark/miles PR #3231",
    "NVIDIA/Megatron-LM PR #7513",
    "huggingface/trl issue #3021",
)
def mean_of_local_means(arrays: Arrays) -> Arrays:
    """Averages each piece of the batch, here each answer, and then the pieces.

    Shown when: The mean over tokens, of answers of different lengths.
    Cause: A loss is a mean within its micro-batch or its rank, and the gradients of those are averaged.
    Fix: Divide every piece by the tokens of the whole batch, counted before the loop, and add up.
    - loss = (losses * mask).sum() / mask.sum() / accumulation_steps
    + loss = (losses * mask).sum() / tokens_of_all_micro_batches
    """
    return {"mode": "seq-mean-token-mean", "sequences": None} if _token_mean(arrays) else {}


@sets(
    "ignored",
    "unslothai/unsloth-zoo PR #1023",
    "NovaSky-AI/SkyRL issue #1504",
    "volcengine/verl issue #7200",
    "areal-project/AReaL issue #1730",
    "areal-project/AReaL PR #1546",
    tokens=None,
    sequences=None,
)
def global_count_lost() -> None:
    """Divides by what the piece itself holds, not by the count that is handed in.

    Shown when: A count of tokens or of answers that is given and is not that of the piece.
    Cause: One of several paths to the loss does not hand the count on, and the default takes over.
    Fix: Make the count a required argument of the inner function.
    - loss = (losses * mask).sum() / mask.sum()
    + loss = (losses * mask).sum() / num_items_in_batch
    """


@fault(
    "counting",
    "PrimeIntellect-ai/prime-rl PR #674",
    "Tencent-Hunyuan/UniRL PR #448",
    "rllm-org/rllm PR #508",
    "THUDM/slime PR #657",
)
def padding_in_the_denominator(form: Form, /, **arrays: Any) -> Outputs:
    """Divides by all columns, those of the padding too.

    Shown when: A masked token, under a mean over tokens without a count that is given.
    Cause: mean() or numel() of the padded table, whose masked losses are 0.
    Fix: Divide by the sum of the mask.
    - loss = (losses * mask).mean()
    + loss = (losses * mask).sum() / mask.sum()
    """
    losses, mask = valid(arrays, "loss"), mask_of(arrays, "loss")
    weights = form(**arrays)["weights"]
    lengths = mask.sum(-1)[..., None]
    if _token_mean(arrays):
        weights = weights * lengths.sum(-2)[..., None] / (mask.shape[-2] * mask.shape[-1])
    elif arrays.get("mode") == "seq-mean-token-mean":
        weights = weights * lengths / mask.shape[-1]
    return _by(weights, losses)


@fault("counting", "huggingface/trl PR #6439", "huggingface/trl issue #6369", "NVIDIA-NeMo/RL issue #212")
def rejected_answers_counted(form: Form, /, **arrays: Any) -> Outputs:
    """Counts answers that are masked as a whole, with all their tokens.

    Shown when: An answer without a valid token, and no count that is given.
    Cause: The denominator was counted before answers that were truncated or rejected were masked.
    Fix: Count what is left of the mask that multiplies the losses, or say that rejected answers count.
    - count = completion_mask.sum()
      mask = completion_mask * kept[:, None]
    + count = mask.sum()
      loss = (losses * mask).sum() / count
    """
    losses, mask = valid(arrays, "loss"), mask_of(arrays, "loss")
    weights = form(**arrays)["weights"]
    lengths = mask.sum(-1)
    live = (lengths > 0).sum(-1)
    rows = mask.shape[-2]
    if _token_mean(arrays):
        counted = np.where(lengths > 0, lengths, mask.shape[-1]).sum(-1)
        weights = weights * (lengths.sum(-1) / counted)[..., None, None]
    elif str(arrays.get("mode")).startswith("seq-mean") and arrays.get("sequences") is None:
        weights = weights if arrays.get("count_all") else weights * (live / rows)[..., None, None]
    return _by(weights, losses)


@argument_fault("indexing", "volcengine/verl issue #1758", "mll-lab-nu/VAGEN issue #8")
def mask_one_token_late(arrays: Arrays) -> Arrays:
    """Counts a token by the mask of the one before it: the first always, the padding after the last one too.

    Shown when: A row whose mask is not that of its neighbour.
    Cause: The losses were cut to the answer already, and the mask is shifted once more.
    Fix: Cut the mask at the place where the losses were cut.
    - mask = attention_mask[:, -length - 1 : -1]
    + mask = attention_mask[:, -length:]
    """
    mask = arrays.get("mask")
    if mask is None:
        return {}
    return {"mask": np.concatenate([np.ones_like(mask[..., :1]), mask[..., :-1]], axis=-1)}


@output_fault("reduction", "modelscope/ms-swift PR #10116", "modelscope/ms-swift issue #10117")
def divided_twice(found: Outputs, arrays: Arrays) -> Outputs:
    """Divides by the steps of accumulation, here two, though the count that is given is global.

    Shown when: A count of tokens or of answers that is given.
    Cause: The trainer or its wrapper divides every loss by the number of its pieces unless it is told not to.
    Fix: Multiply by the steps of accumulation, or keep the wrapper from dividing.
    - loss = (losses * mask).sum() / tokens_of_all_micro_batches / accumulation_steps
    + loss = (losses * mask).sum() / tokens_of_all_micro_batches
    """
    given = arrays.get("tokens") is not None or arrays.get("sequences") is not None
    return {name: value / 2 if given else value for name, value in found.items()}


@sets("reduction", ranks=1)
def ranks_forgotten() -> None:
    """Lets the average over the ranks divide the loss once more.

    Shown when: More than one rank.
    Cause: Gradients are averaged over the ranks by the framework, though the count is that of all of them.
    Fix: Multiply the loss of each rank by the number of ranks.
    - loss = (losses * mask).sum() / tokens_of_all_ranks
    + loss = world_size * (losses * mask).sum() / tokens_of_all_ranks
    """


@fault("ignored", "alibaba/ROLL PR #444")
def numerator_unmasked(form: Form, /, **arrays: Any) -> Outputs:
    """Adds up the losses of masked tokens too, and divides by the valid ones.

    Shown when: A masked token whose loss is not 0, under the mean over tokens.
    Cause: The mask is in the count alone: losses were 0 there once.
    Fix: Multiply by the mask, better where(mask, loss, 0), before the sum.
    - loss = losses.sum() / mask.sum()
    + loss = torch.where(mask, losses, 0).sum() / mask.sum()
    """
    found = form(**arrays)
    if arrays.get("mode") not in (None, "token-mean"):
        return dict(found)
    one = found["weights"].max((-2, -1), keepdims=True)
    return _by(np.broadcast_to(one, found["weights"].shape), np.asarray(arrays["loss"]))


@argument_fault("reduction", "volcengine/verl issue #3741")
def sum_named_mean(arrays: Arrays) -> Arrays:
    """Adds up the answers where their mean is asked for.

    Shown when: A mean over answers of sums over tokens, of two answers or more.
    Cause: The norm replaced the mean: the sum is divided by a length, and never by the number of answers.
    Fix: Divide by the number of answers as well.
    - loss = (losses * mask).sum() / max_length
    + loss = (losses * mask).sum(-1).mean() / max_length
    """
    sums = {"fixed-divisor": "fixed-divisor-sum", "seq-mean-token-sum": "token-sum"}
    mode = arrays.get("mode")
    return {"mode": sums.get(str(mode), mode)}


@argument_fault(
    "reduction", "volcengine/verl issue #911", "volcengine/verl PR #931", "volcengine/verl issue #1233"
)
def mean_named_sum(arrays: Arrays) -> Arrays:
    """Averages the tokens of an answer where their sum is asked for.

    Shown when: A mean over answers of sums over tokens, with an answer of two tokens or more.
    Cause: The branch of one mode was copied for the other, and the division stayed in it.
    Fix: Add up the tokens, and divide by the number of answers alone.
    - loss = ((losses * mask).sum(-1) / mask.sum(-1)).mean()
    + loss = (losses * mask).sum(-1).mean()
    """
    mode = arrays.get("mode")
    return {"mode": "seq-mean-token-mean" if mode == "seq-mean-token-sum" else mode}


@fault("swapped", "unslothai/unsloth-zoo PR #1282", "huggingface/trl PR #6654")
def length_for_the_mask(form: Form, /, **arrays: Any) -> Outputs:
    """Multiplies a row by the number of its tokens, not each token by its mask, and averages all columns.

    Shown when: A mean over answers of sums over tokens, with a masked token.
    Cause: Right for one loss an answer, [N, 1]; a term of [N, T] broadcasts into a table, without a word.
    Fix: Multiply every token by its own mask and add up the row.
    - loss = (losses * mask.sum(1, keepdim=True)).mean()
    + loss = (losses * mask).sum(1).mean()
    """
    found = form(**arrays)
    if arrays.get("mode") != "seq-mean-token-sum":
        return dict(found)
    mask = mask_of(arrays, "loss")
    share = mask.sum(-1, keepdims=True) / mask.shape[-1]
    rows = found["weights"].max(-1, keepdims=True) * share
    return _by(np.broadcast_to(rows, mask.shape), np.asarray(arrays["loss"]))


@sets("ignored", "Tencent-Hunyuan/UniRL PR #448", mode="token-mean")
def mode_ignored() -> None:
    """Takes the mean over tokens, whichever way is asked for.

    Shown when: Any other mode, of answers of different lengths.
    Cause: A name that the chain of ifs does not know falls through to its last branch.
    Fix: Refuse a mode that is not implemented.
    - else:
    -     loss = (losses * mask).sum() / mask.sum()
    + raise ValueError(f"unknown mode {mode!r}")
    """


@fault("swapped", "volcengine/verl issue #2506")
def advantages_for_the_mask(form: Form, /, **arrays: Any) -> Outputs:
    """Weighs tokens by their advantages, which at a ratio of 1 are the losses less their sign.

    Shown when: Losses that differ, under the mean over tokens.
    Cause: Two tables of one shape, handed over by position in the wrong order.
    Fix: Hand the mask over by its name.
    - loss = agg_loss(losses, advantages, mode)
    + loss = agg_loss(loss_mat=losses, loss_mask=mask, loss_agg_mode=mode)
    """
    losses = valid(arrays, "loss")
    if not _token_mean(arrays):
        return dict(form(**arrays))
    whole = losses.sum((-2, -1), keepdims=True)
    ranks = given(arrays, "ranks", 1)
    return _by(ranks * losses / np.where(whole == 0, 1, whole), losses)


@argument_fault("swapped", "mll-lab-nu/RAGEN issue #71")
def mask_inverted(arrays: Arrays) -> Arrays:
    """Learns from the prompt, the tool output and the padding.

    Shown when: Any masked token.
    Cause: 1 marks what is padding in one library and what is valid in another.
    Fix: 1 for a token that the policy wrote.
    - mask = ~response_mask
    + mask = response_mask
    """
    return {"mask": ~mask_of(arrays, "loss")}


@sets("ignored", groups=None)
def group_sizes_ignored() -> None:
    """Takes every answer for a prompt of its own.

    Shown when: A mean over prompts, with two answers or more to one of them.
    Cause: The prompts of the answers are not handed on.
    Fix: Add up tokens over the answers of a prompt, then average the prompts.
    - loss = ((losses * mask).sum(-1) / mask.sum(-1)).mean()
    + loss = (sums_of_prompts / tokens_of_prompts).mean()
    """


@sets("ignored", mask=None)
def mask_ignored() -> None:
    """Averages the losses of all tokens, those of the prompt and of the padding too.

    Shown when: A masked token whose loss is not 0, or a mean over tokens with a masked one.
    Cause: mean() of the whole table; the mask is accepted and never used.
    Fix: Multiply by the mask, and divide by its sum.
    - loss = losses.mean()
    + loss = (losses * mask).sum() / mask.sum()
    """
