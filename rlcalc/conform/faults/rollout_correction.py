"""Faults of the weights for tokens that another engine sampled."""

from __future__ import annotations

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, argument_fault
from rlcalc.conform.faults._masks import mask_of


@argument_fault("clipping", "volcengine/verl PR #6377")
def bounds_inverted(arrays: Arrays) -> Arrays:
    """Drops by the reciprocal of the ratio, with the bounds of the ratio.

    Shown when: The action mask, with bounds that are not each other's reciprocals.
    Cause: The statistic is an estimate of KL, −log w, and the bounds are the logarithms of those of w.
    Fix: Compare log w, or exchange the bounds and their signs.
    - keep = (-log_ratio >= log(low)) & (-log_ratio <= log(high))
    + keep = (log_ratio >= log(low)) & (log_ratio <= log(high))
    """
    if arrays.get("action") != "mask":
        return {}
    low, high = arrays.get("low"), arrays.get("high")
    return {
        "low": None if high is None else 1 / high,
        "high": None if low is None or low == 0 else 1 / low,
    }


@argument_fault("ignored", "yaof20/Flash-RL issue #19")
def masked_log_probabilities_set_to_one(arrays: Arrays) -> Arrays:
    """Lets masked tokens into the product, with 1 for what the engine reported of them.

    Shown when: A masked token, under the product or the geometric mean of an answer.
    Cause: Log-probabilities that the engine does not report are filled with 1, as if they were ratios.
    Fix: Both log-probabilities are 0 there, or the sum runs over the mask.
    - rollout_logp = rollout_logp.masked_fill(~mask, 1)
    + log_ratio = torch.where(mask, train_logp - rollout_logp, 0)
    """
    if arrays.get("level") in (None, "token"):
        return {}
    mask = mask_of(arrays, "train_logp")
    # the sum of a row, put on its first valid token
    leaked = np.where(mask, 0, arrays["train_logp"] - 1).sum(-1, keepdims=True)
    first = mask & (np.cumsum(mask, -1) == 1)
    return {"train_logp": np.where(first, arrays["train_logp"] + leaked, arrays["train_logp"])}


@argument_fault("reduction")
def product_for_the_mean(arrays: Arrays) -> Arrays:
    """Takes the product of an answer's ratios where their geometric mean is asked for.

    Shown when: The geometric level or gate, and an answer of two tokens or more.
    Cause: Both are called the ratio of the sequence.
    Fix: Divide the sum of the log-ratios by the number of valid tokens; bounds of the two differ.
    - weight = torch.exp((log_ratio * mask).sum(-1))
    + weight = torch.exp((log_ratio * mask).sum(-1) / mask.sum(-1))
    """
    return {name: "sequence" for name in ("level", "gate") if arrays.get(name) == "geometric"}


@argument_fault("reduction", "unslothai/unsloth-zoo PR #870")
def sum_for_the_product(arrays: Arrays) -> Arrays:
    """Adds up the ratios of an answer where their product is asked for: about its length, and never about 1.

    Shown when: The product of an answer of two tokens or more.
    Cause: The exponential is taken first, and its sum in the place of that of the logarithms.
    Fix: Sum the log-ratios, then take the exponential once.
    - weight = (torch.exp(log_ratio) * mask).sum(-1)
    + weight = torch.exp((log_ratio * mask).sum(-1))
    """
    if arrays.get("level") != "sequence" or arrays.get("gate") not in (None, "sequence"):
        return {}
    mask = mask_of(arrays, "train_logp")
    gaps = np.where(mask, arrays["train_logp"] - arrays["rollout_logp"], -np.inf)
    with np.errstate(over="ignore", divide="ignore"):
        added = np.log(np.exp(gaps).sum(-1, keepdims=True))
    first = mask & (np.cumsum(mask, -1) == 1)
    whole = np.where(first, arrays["rollout_logp"] + added, arrays["rollout_logp"])
    return {"train_logp": whole.astype(np.asarray(arrays["train_logp"]).dtype)}


@argument_fault("swapped")
def ratio_inverted(arrays: Arrays) -> Arrays:
    """Weighs with μ/π_old: what the engine found more likely than the trainer weighs more.

    Shown when: A token whose two log-probabilities differ.
    Cause: The difference is taken as rollout less training, as for a KL of the rollout.
    Fix: The policy that is trained is the numerator, the one that sampled the denominator.
    - weight = torch.exp(rollout_logp - train_logp)
    + weight = torch.exp(train_logp - rollout_logp)
    """
    return {"train_logp": arrays["rollout_logp"], "rollout_logp": arrays["train_logp"]}
