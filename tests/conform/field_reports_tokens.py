"""Public reports about the losses and advantages of language-model training, each as a small function.

Of the collected reports these have no function here: a return divided by its discounted length
(huggingface/trl PR #7044) and the advantage of pass@k (hiyouga/EasyR1 issue #585) are formulas that rlcalc
has not; groups that count only accepted answers (verl PR #6452) and V-trace with values of true successors
(pytorch/rl issue #4209) need inputs that its formulas do not take; 0 or the reward for a group of one
(rllm issue #916) are the two values of ``singleton``.
"""

from __future__ import annotations

import math

import numpy as np

from .field_reports import report


def logs(*ratios: float) -> list[float]:
    return [math.log(one) for one in ratios]


# advantages


@report(
    *("rllib-57989", "ray-project/ray issue #57989", "masked_whiten", "mask-ignored"),
    given={"x": [[1, 3, 100]], "mask": [[1, 1, 0]], "ddof": 0},
    wrong=[[-101 / math.sqrt(19214), -95 / math.sqrt(19214), 0]],
)
def whitened_with_the_bootstrap_rows(x, mask, ddof):
    spread = x.std(ddof=ddof) if x.size > ddof else 0.0
    return np.where(mask & (spread > 1e-9), (x - x.mean()) / (spread or 1), 0)


@report(
    *("areal-1419", "areal-project/AReaL issue #1419", "group_advantage", "fixed-stride"),
    given={"rewards": [0, 2, 4, 10, 12, 14], "groups": [0, 0, 1, 1, 1, 1]},
    wrong=[-4, -2, 0, 6, 12, 14],
)
def groups_by_a_stride(rewards, groups):
    size = np.unique(groups, return_counts=True)[1].max()
    found = rewards.copy()
    for g in range(len(rewards) // size):
        found[g * size : (g + 1) * size] -= rewards[g * size : (g + 1) * size].mean()
    return found


@report(
    *("axolotl-3731", "axolotl-ai-cloud/axolotl PR #3731", "group_advantage", "scale-ignored"),
    given={"rewards": [1, 3], "groups": [0, 0], "scale": "none"},
    wrong=[-math.sqrt(1 / 2), math.sqrt(1 / 2)],
)
def divided_where_the_choice_is_a_word(rewards, groups, scale):
    found = np.zeros_like(rewards)
    for name in np.unique(groups):
        group = rewards[groups == name]
        if scale and group.max() > group.min():  # "none" is a word, and so it is true
            found[groups == name] = (group - group.mean()) / group.std(ddof=1)
    return found


@report(
    *("roll-447", "alibaba/ROLL PR #447", "token_gae", "interior-mask-ignored", "interior-ignored"),
    given={
        **{"rewards": [[0, 1, 0]], "values": [[0, 0, 100]], "mask": [[1, 1, 0]]},
        **{"gamma": 1, "lam": "19/20"},
    },
    wrong=[["57/10", 6, 0]],
)
@report(
    *("miles-1827", "radixark/miles PR #1827", "token_gae", "interior-mask-ignored"),
    "interior-ignored",
    given={
        **{"rewards": [[0, 0, 0, 8]], "values": [[0, 4, 0, 0]], "mask": [[1, 0, 1, 0]]},
        **{"gamma": 1, "lam": "1/2"},
    },
    wrong=[[3, 0, 4, 0]],
)
def recursion_over_tool_output(rewards, values, mask, gamma, lam):
    found, last = np.zeros_like(rewards), 0.0
    for t in reversed(range(rewards.shape[-1])):
        following = values[..., t + 1] if t + 1 < rewards.shape[-1] else 0.0
        last = rewards[..., t] + gamma * following - values[..., t] + gamma * lam * last
        found[..., t] = last
    return found * mask


# losses of a policy


@report(
    *("soup-723", "MakazhanAlpamys/Soup issue #723", "gspo", "centred-over-the-batch"),
    given={
        **{"logp": [logs(4, 1), logs(1, 1)], "old_logp": [[0, 0], [0, 0]], "adv": [3, -1]},
        "mask": [[1, 1], [1, 1]],
    },
    wrong=-(6 + 3 - 1 / 2 - 1) / 4,
)
def centred_log_ratios(logp, old_logp, adv, mask):
    # two whole rows: the reporter's padded one is averaged over tokens besides
    gaps = (logp - old_logp) * mask
    ratio = np.exp(gaps - gaps.sum(-2, keepdims=True) / np.maximum(mask.sum(-2, keepdims=True), 1))
    rows = (ratio * adv[..., None] * mask).sum(-1) / np.maximum(mask.sum(-1), 1)
    return -rows.sum() / max(mask.any(-1).sum(), 1)


@report(
    *("hands-on-modern-rl-75", "walkinglabs/hands-on-modern-rl issue #75", "policy_clip"),
    "ratio-of-the-whole-answer",
    given={
        **{"logp": logs(3 / 5, 5 / 8), "old_logp": logs(1 / 2, 1 / 2), "adv": [1, 1]},
        **{"eps_low": "1/2", "eps_high": "1/2"},
    },
    wrong=["3/2", "3/2"],
)
def one_ratio_for_all_tokens(logp, old_logp, adv, eps_low, eps_high):
    ratio = np.exp(logp.sum(-1, keepdims=True) - old_logp.sum(-1, keepdims=True))
    return np.minimum(ratio * adv, np.clip(ratio, 1 - eps_low, 1 + eps_high) * adv)


@report(
    *("slime-179", "THUDM/slime PR #179", "decoupled_ppo", "weight-of-the-current-policy"),
    given={
        **{"logp": logs(3 / 4), "prox_logp": logs(1 / 2), "behav_logp": logs(2 / 5), "adv": ["2/3"]},
        **{"eps_low": "3/5", "eps_high": "3/5", "cap": 2},
    },
    wrong=["15/8"],
)
def weighed_by_the_current_policy(logp, prox_logp, behav_logp, adv, eps_low, eps_high, cap=None):
    # the advantage takes the ratio of 3/2 away, so that the answer is the weight
    weight = np.exp(logp - behav_logp)
    weight = weight if cap is None else np.minimum(weight, cap)
    ratio = np.exp(logp - prox_logp)
    return weight * np.minimum(ratio * adv, np.clip(ratio, 1 - eps_low, 1 + eps_high) * adv)


@report(
    *("torchrl-1033", "pytorch/rl PR #1033", "policy_clip", "whitened-between-the-products"),
    given={
        **{"logp": [0, 0], "old_logp": [0, 0], "adv": [1, 3]},
        **{"eps_low": "1/5", "eps_high": "1/5"},
    },
    wrong=[-math.sqrt(1 / 2), math.sqrt(1 / 2)],
)
def advantages_whitened_halfway(logp, old_logp, adv, eps_low, eps_high):
    ratio = np.exp(logp - old_logp)
    plain = ratio * adv
    if adv.shape[-1] > 1:
        spread = np.maximum(adv.std(-1, ddof=1, keepdims=True), 1e-6)
        adv = (adv - adv.mean(-1, keepdims=True)) / spread
    return np.minimum(plain, np.clip(ratio, 1 - eps_low, 1 + eps_high) * adv)


@report(
    *("unsloth-zoo-870", "unslothai/unsloth-zoo PR #870", "rollout_correction", "sum-for-the-product"),
    given={
        **{"train_logp": [logs(1 / 2, 1 / 2)], "rollout_logp": [logs(1 / 2, 1 / 2)], "mask": [[1, 1]]},
        **{"level": "sequence", "action": "truncate", "high": 3},
    },
    wrong=[[2, 2]],
)
def ratios_added_up(train_logp, rollout_logp, mask, level, action, low=0.0, high=math.inf):
    gaps = np.where(mask, train_logp - rollout_logp, 0)
    weights = np.exp(gaps)
    if level == "sequence":
        weights = np.where(mask, weights, 0).sum(-1, keepdims=True)
    if level == "geometric":
        weights = np.exp(gaps.sum(-1, keepdims=True) / np.maximum(mask.sum(-1, keepdims=True), 1))
    held = np.clip(weights, low, high)
    held = np.where(held == weights, weights, 0) if action == "mask" else held
    return np.where(mask, weights if action == "none" else held, 0)


@report(
    *("open-instruct-1269", "allenai/open-instruct PR #1269", "cispo", "logarithm-missing"),
    given={"logp": logs(1 / 2), "old_logp": logs(1 / 16), "adv": [1], "high": 5},
    wrong=[-5],
)
def clipped_ratio_alone(logp, old_logp, adv, high):
    return -adv * np.minimum(np.exp(logp - old_logp), high)


# how token losses are put together


@report(
    *("rllm-508", "rllm-org/rllm PR #508", "loss_aggregation"),
    *("padding-in-the-denominator", "fixed-divisor"),
    given={"loss": [[2, 4], [0, 0]], "mask": [[1, 1], [0, 0]]},
    wrong="3/2",
)
def padded_rows_counted(loss, mask):
    return np.where(mask, loss, 0).mean()


@report(
    *("slime-657", "THUDM/slime PR #657", "loss_aggregation"),
    *("padding-in-the-denominator", "fixed-divisor"),
    given={"loss": [[1, "1/2", 12, 8]], "mask": [[1, 0, 0, 1]]},
    wrong="9/4",
)
def rejected_tokens_counted(loss, mask):
    return np.where(mask, loss, 0).sum() / loss.size


@report(
    *("verl-1758", "volcengine/verl issue #1758", "loss_aggregation", "mask-one-token-late"),
    given={"loss": [[1, 4, 9, 16]], "mask": [[1, 1, 1, 0]]},
    wrong="15/2",
)
def mask_shifted_once_more(loss, mask):
    mask = np.concatenate([np.ones_like(mask[:, :1]), mask[:, :-1]], axis=1)
    return np.where(mask, loss, 0).sum() / max(mask.sum(), 1)


@report(
    *("open-instruct-1161", "allenai/open-instruct PR #1161", "loss_aggregation"),
    *("mean-of-local-means", "seq-mean-token-mean"),
    given={"loss": [[1, 2, 0, 0], [3, 4, 5, 6]], "mask": [[1, 1, 0, 0], [1, 1, 1, 1]]},
    wrong=3,
)
def mean_of_micro_batches(loss, mask):
    rows = [loss[k][mask[k]].mean() for k in range(len(loss)) if mask[k].any()]
    return sum(rows) / max(len(rows), 1)


@report(
    *("ms-swift-10116", "modelscope/ms-swift PR #10116", "loss_aggregation", "divided-twice"),
    given={"loss": [[1, 2, 0, 0], [3, 4, 5, 6]], "mask": [[1, 1, 0, 0], [1, 1, 1, 1]], "tokens": 6},
    wrong="7/4",
)
def divided_by_the_steps_too(loss, mask, tokens):
    steps = 2  # of accumulation, each with one row
    return np.where(mask, loss, 0).sum() / tokens / steps


@report(
    *("nemo-rl-212", "NVIDIA-NeMo/RL issue #212", "loss_aggregation"),
    *("rejected-answers-counted", "count-all-rows"),
    given={"loss": [[2, 4], [9, 9]], "mask": [[1, 1], [0, 0]]},
    wrong="3/2",
)
def divided_by_all_micro_batches(loss, mask):
    rows = [loss[k][mask[k]].mean() if mask[k].any() else 0 for k in range(len(loss))]
    return sum(rows) / len(rows)


@report(
    *("unirl-448", "Tencent-Hunyuan/UniRL PR #448", "loss_aggregation"),
    *("padding-in-the-denominator", "fixed-divisor"),
    given={"loss": [[4, 4, 4, 4, 0, 0]], "mask": [[1, 1, 1, 1, 0, 0]]},
    wrong="16/6",
)
def zeroed_and_averaged(loss, mask):
    return (np.where(mask, loss, 0) * 1.0).mean()


@report(
    *("unirl-448-modes", "Tencent-Hunyuan/UniRL PR #448", "loss_aggregation", "mode-ignored"),
    given={"loss": [[1, 3], [8, 0]], "mask": [[1, 1], [1, 0]], "mode": "seq-mean-token-mean"},
    wrong=4,
)
def every_mode_falls_through(loss, mask, mode):
    return np.where(mask, loss, 0).sum() / max(mask.sum(), 1)


@report(
    *("verl-911", "volcengine/verl issue #911", "loss_aggregation", "mean-named-sum"),
    given={"loss": [[1, 2], [6, 0]], "mask": [[1, 1], [1, 0]], "mode": "seq-mean-token-sum"},
    wrong="15/4",
)
def sum_that_is_a_mean(loss, mask, mode):
    sums, tokens = np.where(mask, loss, 0).sum(-1), mask.sum(-1)
    if mode == "token-mean":
        return sums.sum() / max(tokens.sum(), 1)
    if mode in ("seq-mean-token-sum", "seq-mean-token-mean"):
        return (sums / np.maximum(tokens, 1)).sum() / max((tokens > 0).sum(), 1)
    raise ValueError(f"unknown mode {mode!r}")


@report(
    *("unsloth-zoo-1282", "unslothai/unsloth-zoo PR #1282", "loss_aggregation", "length-for-the-mask"),
    given={"loss": [[1, 2], [3, 9]], "mask": [[1, 1], [1, 0]]},
    wrong="9/2",
    conventions=("seq-mean-token-sum", "count-all-rows"),
)
def weighed_by_the_length(loss, mask):
    return (loss * mask.sum(-1, keepdims=True)).mean()


# values


@report(
    *("rllib-2233", "ray-project/ray issue #2233", "value_clip_loss", "minimum-for-maximum"),
    given={"values": [[3]], "old_values": [[1]], "returns": [[4]], "eps": 1, "factor": 1},
    wrong=1,
)
def smaller_square(values, old_values, returns, eps, factor):
    near = old_values + np.clip(values - old_values, -eps, eps)
    return factor * np.minimum((values - returns) ** 2, (near - returns) ** 2).mean()


@report(
    *(
        "code-for-paper-1",
        "implementation-matters/code-for-paper issue #1",
        "value_clip_loss",
        "signed-maximum",
    ),
    given={"values": [[1]], "old_values": [[4]], "returns": [[3]], "eps": 2, "factor": 1},
    wrong=1,
)
def larger_error_squared(values, old_values, returns, eps, factor):
    near = old_values + np.clip(values - old_values, -eps, eps)
    return factor * (np.maximum(values - returns, near - returns) ** 2).mean()


# preferences


@report(
    *("minimind-298", "jingyaogong/minimind issue #298", "answer_logprobs", "mean-over-the-row"),
    given={"logps": [[-math.log(3), 0, 7, 7]], "mask": [[1, 1, 0, 0]]},
    wrong=[-math.log(3) / 4],
)
def averaged_over_the_padded_length(logps, mask):
    return np.where(mask, logps, 0).mean(-1)


@report(
    *("torchtune-1291", "meta-pytorch/torchtune issue #1291", "ipo_loss", "sums-for-averages"),
    given={
        **{"chosen": [-4], "ref_chosen": [-10], "rejected": [-4], "ref_rejected": [-6], "beta": "1/2"},
        **{"chosen_lengths": [2], "rejected_lengths": [2]},
    },
    wrong=9,
)
def distance_of_sums(chosen, rejected, ref_chosen, ref_rejected, beta, chosen_lengths, rejected_lengths):
    margin = (chosen - ref_chosen) - (rejected - ref_rejected)
    return ((margin - 1 / (2 * beta)) ** 2).mean()


@report(
    *("rlhf-book-465", "natolambert/rlhf-book PR #465", "reward_model_loss", "logarithm-of-the-mean"),
    given={"chosen": [0, -math.log(7)], "rejected": [0, 0]},
    wrong=-math.log(5 / 16),
)
def logarithm_of_a_mean(chosen, rejected):
    likely = -np.logaddexp(0, rejected - chosen)
    return np.log(likely.size) - np.logaddexp.reduce(likely)


@report(
    *("exact-optimization-2", "haozheji/exact-optimization issue #2", "dpo_loss"),
    given={
        **{"chosen": [-math.log(2)], "ref_chosen": [-math.log(6)]},
        **{"rejected": [-1], "ref_rejected": [-1], "beta": 1},
    },
    wrong=math.log(4 / 3),
)
def softmax_over_the_pair(chosen, rejected, ref_chosen, ref_rejected, beta):
    # suspected of leaving the rejected answer out; for two entries it is log σ of their difference
    pair = beta * np.stack([chosen - ref_chosen, rejected - ref_rejected])
    highest = pair.max(0)
    return -(pair[0] - highest - np.log(np.exp(pair - highest).sum(0))).mean()


@report(
    *("trl-1911", "huggingface/trl issue #1911", "kto_loss", "estimate-of-matched-answers"),
    given={
        **{"logps": [-1], "ref_logps": [-2], "desirable": [True], "kl_logps": [-3], "kl_ref_logps": [-3]},
        **{"beta": 1},
    },
    wrong="1/2",
)
def estimate_of_a_batch_of_one(logps, ref_logps, desirable, kl_logps, kl_ref_logps, beta):
    # reversed, a batch of one answer is what it was
    gains = logps - ref_logps
    return (1 / (1 + np.exp(beta * np.where(desirable, 1, -1) * (gains - max(gains.mean(), 0))))).mean()


@report(
    *("rlhf-book-358", "natolambert/rlhf-book issue #358", "simpo_loss", "gamma-as-ratio"),
    given={
        **{"chosen": [-4], "rejected": [-4], "chosen_lengths": [4], "rejected_lengths": [2]},
        **{"beta": 2, "gamma": "1/2"},
    },
    wrong=math.log(1 + math.exp(-1)),
)
def margin_times_beta(chosen, rejected, chosen_lengths, rejected_lengths, beta, gamma):
    margin = chosen / chosen_lengths - rejected / rejected_lengths
    return np.logaddexp(0, -beta * (margin - gamma)).mean()


# evaluation


@report(
    *("deepeval-2967", "confident-ai/deepeval PR #2967", "pass_at_k", "any-right-sample-counts-whole"),
    given={"n": 200, "c": 1, "k": 1},
    wrong=1,
)
def solved_if_the_chance_is_true(n, c, k):
    wrong = np.arange(n - c + 1, n + 1)
    chance = 1.0 if n - c < k else 1 - np.prod(1 - k / wrong)
    return 1.0 if chance else 0.0
