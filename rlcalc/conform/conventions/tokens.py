"""Conventions of language-model formulas: what a trainer's function has in its body where the formula asks.

A function of a KL that computes k1 is right as k1. What is asked for by a
parameter of its own is not excused in this way (``sets``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.convention import Constant, convention
from rlcalc.conform.conventions._always import always
from rlcalc.conform.forms import Form, Outputs, given

token_sum = always(
    "token-sum",
    "The losses of all valid tokens are added up.",
    {"loss_aggregation": "verl as an option, code that divides later"},
    mode="token-sum",
)
seq_mean_token_sum = always(
    "seq-mean-token-sum",
    "The sums of the answers are averaged.",
    {"loss_aggregation": "verl as an option, nano-aha-moment"},
    mode="seq-mean-token-sum",
)
seq_mean_token_mean = always(
    "seq-mean-token-mean",
    "The means of the answers are averaged: a token of a long answer weighs less.",
    {"loss_aggregation": "slime, ROLL, tunix GRPO, trl's grpo"},
    mode="seq-mean-token-mean",
)
fixed_divisor = always(
    "fixed-divisor",
    "The sum is divided by the number of answers and by a fixed length, without one by the width, which "
    "padding changes: where the mean over tokens is meant, that is the bug padding-in-the-denominator.",
    {"loss_aggregation": "trl's dr_grpo, verl's seq-mean-token-sum-norm"},
    mode="fixed-divisor",
)
fixed_divisor_sum = always(
    "fixed-divisor-sum",
    "The sum is divided by a fixed length, without one by the width.",
    {"loss_aggregation": "ROLL's seq-mean-token-sum-norm, understand-r1-zero"},
    mode="fixed-divisor-sum",
)
count_all_rows = always(
    "count-all-rows",
    "A row without a valid token counts as well.",
    {"loss_aggregation": "trl's grpo and dr_grpo, EasyR1, SkyRL"},
    count_all=True,
)


@convention("count-all-rows", {"gspo": "trl and code that takes the mean over the batch"}, sets="sequences")
def every_answer_counts(form: Form, /, **arrays: Any) -> Outputs:
    """An answer without a valid token counts as well."""
    return dict(form(**{**arrays, "sequences": np.shape(arrays["logp"])[-2]}))


@convention(
    "nan-when-empty",
    {
        "loss_aggregation": "verl, OpenRLHF",
        "sft_loss": "torch.cross_entropy",
        "value_clip_loss": "verl, OpenRLHF, whose masked means are 0/0",
        "gspo": "code that averages the answers with a valid token",
    },
    undefined=True,
)
def nan_when_empty(form: Form, /, **arrays: Any) -> Outputs:
    """Where nothing is valid the loss is 0/0."""
    found = dict(form(**arrays))
    if "labels" in arrays:
        empty = not np.any(found["count"])
        given = arrays.get("tokens") is not None
    else:
        mask = arrays.get("mask")
        empty = mask is not None and not np.asarray(mask).any()
        given = arrays.get("tokens") is not None or arrays.get("mode") not in (None, "token-mean")
        given |= "adv" in arrays and arrays.get("sequences") is not None
    if not empty or given:
        return found
    # answers have their own; a derivative is nan or 0, as the mask is a factor or a choice
    own = ("objective", "ratio") if "adv" in arrays else ()
    return {n: v if n in own else np.full_like(v, np.nan) for n, v in found.items() if n[:2] != "d_"}


@convention("nan-when-a-row-is-empty", {"loss_aggregation": "older verl, nano projects"}, undefined=True)
def nan_when_a_row_is_empty(form: Form, /, **arrays: Any) -> Outputs:
    """A mean over the tokens of an answer, or of a batch, that has none is 0/0."""
    found, mask = dict(form(**arrays)), arrays.get("mask")
    mode = arrays.get("mode") or "token-mean"
    given = arrays.get("tokens") is not None
    empty = mask is not None and not np.asarray(mask).any(-1).all()
    nothing = mask is not None and not np.asarray(mask).any()
    if (mode == "seq-mean-token-mean" and empty) or (mode == "token-mean" and nothing and not given):
        return {"loss": np.full_like(found["loss"], np.nan)}
    return found


@convention("nan-when-empty", {"answer_logprobs": "trl and DPO's reference code"}, undefined=True)
def nan_average_when_empty(form: Form, /, **arrays: Any) -> Outputs:
    """The average over no token is 0/0."""
    found, mask = dict(form(**arrays)), arrays.get("mask")
    if mask is None or not np.all(arrays.get("average") or 0):
        return found
    empty = ~np.broadcast_to(np.asarray(mask, bool), np.shape(arrays["logps"])).any(-1)
    return {"logprobs": np.where(empty, np.nan, found["logprobs"])}


@convention("ratio-1-without-a-token", {"gspo": "code that clamps the length of an answer to 1"})
def ratio_1_without_a_token(form: Form, /, **arrays: Any) -> Outputs:
    """An answer without a valid token has the ratio 1 and counts with its advantage: it has no gradient."""
    shape = np.broadcast_shapes(np.shape(arrays["logp"]), np.shape(arrays["old_logp"]))
    mask, found = arrays.get("mask"), dict(form(**arrays))
    if mask is None or arrays.get("sequences") is not None:
        return found
    empty = ~np.broadcast_to(np.asarray(mask, bool), shape).any(-1)
    rows = shape[-2]
    objective = np.where(empty, arrays["adv"], found["objective"])
    live = (~empty).sum(-1)
    slope = found["d_logp"] * (live / rows)[..., None, None]
    return {**found, "objective": objective, "loss": -objective.mean(-1), "d_logp": slope}


@convention(
    "nan-when-a-row-is-empty", {"gspo": "code that divides by the sum of a row's mask"}, undefined=True
)
def nan_for_an_answer_without_a_token(form: Form, /, **arrays: Any) -> Outputs:
    """An answer without a valid token has 0/0 for its mean, and with it the batch."""
    found, mask = dict(form(**arrays)), arrays.get("mask")
    if mask is None or np.asarray(mask).any(-1).all():
        return found
    empty = ~np.broadcast_to(np.asarray(mask, bool), np.shape(arrays["logp"])).any(-1)
    rows = {name: np.where(empty, np.nan, found[name]) for name in ("objective", "ratio")}
    whole = {name: np.full_like(found[name], np.nan) for name in ("loss", "d_logp")}
    return {**found, **rows, **whole}


@convention(
    "denominator-plus-eps",
    {"loss_aggregation": "NeMo-RL, torchtune and ROLL, which divide by mask.sum() + ε"},
    constants=[Constant("eps", 1e-12, 0.1)],
)
def denominator_plus_eps(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """ε is added to the number of valid tokens, or of answers, that the sum is divided by."""
    found = dict(form(**arrays))
    mask = np.broadcast_to(given(arrays, "mask", True), np.shape(arrays["loss"]))
    by_rows = str(arrays.get("mode") or "").startswith("seq-mean")
    counted = arrays.get("sequences" if by_rows else "tokens")
    rows = len(mask) if arrays.get("count_all") else mask.any(-1).sum()
    count = counted if counted is not None else rows if by_rows else mask.sum()
    return {"loss": (found["loss"] * (count / (count + eps))).astype(found["loss"].dtype)}


hinge = always(
    "hinge", "max(0, 1 − h) for −log σ(h).", {"dpo_loss": "SLiC, and trl under hinge"}, kind="hinge"
)

averages = always(
    "averages",
    "The mean over the tokens of an answer.",
    {"answer_logprobs": "SimPO, ORPO, and IPO in trl"},
    average=True,
)

# a few roundings of single precision
SINGLE_ROUNDING = 2.0**-21
k1 = always(
    "k1",
    "The difference of the log-probabilities itself.",
    {"kl_estimate": "OpenRLHF, verl, AReaL and tunix under kl"},
    kind="k1",
)
k2 = always(
    "k2",
    "Half the square of the difference.",
    {"kl_estimate": "verl under mse", "token_rewards": "verl under mse"},
    kind="k2",
)
k3 = always("k3", "exp(−x) − 1 + x.", {"token_rewards": "tunix PPO, verl under low_var_kl"}, kind="k3")
absolute = always(
    "abs",
    "The size of the difference.",
    {"kl_estimate": "verl and ROLL under abs", "token_rewards": "verl and ROLL under abs"},
    kind="abs",
)


def _k3_slack(form: Form, arrays: dict[str, Any]) -> Any:
    """1 is taken away from a number near it, or the difference from a large number."""
    gap = np.asarray(arrays["ref_logp"]) - np.asarray(arrays["logp"])
    return np.exp(np.clip(gap, 0, 700)).max(initial=1.0)


@convention(
    "k3-as-written",
    {"kl_estimate": "trl, verl and most libraries, and what autograd makes of expm1"},
    slack=_k3_slack,
    rounds=True,
)
def k3_as_written(form: Form, /, **arrays: Any) -> Outputs:
    """exp(−x) − 1 + x and its derivative are added up as written, which leaves few digits for a small x."""
    return dict(form(**arrays))


@convention("square", {"kl_estimate": "prime-rl, against the sampler"})
def square(form: Form, /, **arrays: Any) -> Outputs:
    """The square of the difference, without the half."""
    return {name: 2 * value for name, value in form(**{**arrays, "kind": "k2"}).items() if value is not None}


@convention("clamped-20-10", {"kl_estimate": "verl, EasyR1, SkyRL and NeMo-RL, for k3"})
def clamped_20_10(form: Form, /, **arrays: Any) -> Outputs:
    """Of k3, the difference is held within ±20 first, and the estimate within ±10 last."""
    if arrays.get("kind") not in (None, "k3"):
        return dict(form(**arrays))
    return dict(form(**{**arrays, "clamp_in": np.float64(20), "clamp_out": np.float64(10)}))


@convention("clamped-10", {"kl_estimate": "ROLL, OpenRLHF, slime's low_var_kl"})
def clamped_10(form: Form, /, **arrays: Any) -> Outputs:
    """The estimate k3 is held within ±10."""
    if arrays.get("kind") not in (None, "k3"):
        return dict(form(**arrays))
    return dict(form(**{**arrays, "clamp_out": np.float64(10)}))


@convention("every-estimate-clamped-10", {"kl_estimate": "OpenRLHF and AReaL, for k1, k2 and k3"})
def every_estimate_clamped_10(form: Form, /, **arrays: Any) -> Outputs:
    """The estimate is held within ±10, whichever it is."""
    return dict(form(**{**arrays, "clamp_out": np.float64(10)}))


@convention("log-ratio-clamped-20", {"policy_clip": "verl, OpenRLHF, tunix"}, sets="log_clamp")
def log_ratio_clamped_20(form: Form, /, **arrays: Any) -> Outputs:
    """The difference of the log-probabilities is held within ±20."""
    return dict(form(**{**arrays, "log_clamp": np.float64(20)}))


@convention("log-ratio-clamped-20", {"cispo": "verl"})
def weight_of_a_clamped_log_ratio(form: Form, /, **arrays: Any) -> Outputs:
    """The weight is that of a difference of the log-probabilities within ±20."""
    logp, old = np.asarray(arrays["logp"]), np.asarray(arrays["old_logp"])
    found = form(**{**arrays, "logp": old + np.clip(logp - old, -20, 20)})
    return {**found, "losses": -found["weights"] * arrays["adv"] * logp}


dual_clip_3 = always(
    "dual-clip-3",
    "With a negative advantage the objective is not below 3·A.",
    {"policy_clip": "verl and EasyR1, always"},
    dual=3.0,
)


@convention(
    "loss",
    {
        "policy_clip": "nearly every library",
        "decoupled_ppo": "AReaL",
        "gspo": "code that keeps the loss of each answer",
        "token_entropy": "code that minimises",
        "answer_logprobs": "code that gives the negative log-likelihood of an answer",
    },
)
def loss(form: Form, /, **arrays: Any) -> Outputs:
    """The negative of the objective, to be minimised."""
    turned = ("objective", "d_logp", "entropy", "d_logits", "logprobs", "d_logps")
    return {n: -v if n in turned else v for n, v in form(**arrays).items() if v is not None and n != "loss"}


def _numbers(found: Mapping[str, Any]) -> Outputs:
    """Outputs that can be reduced: no codes and no reduced ones."""
    return {
        n: v for n, v in found.items() if v is not None and n not in ("kept", "loss", "clipped", "d_logits")
    }


def _divided(found: Mapping[str, Any], by: float) -> Outputs:
    """Sums divided by a number; the derivative of each entry alike."""
    return {n: v / by if n.startswith("d_") else np.sum(v) / by for n, v in _numbers(found).items()}


def _count(found: Mapping[str, Any]) -> int:
    """Tokens of the answer, in the reach of its widest output."""
    return int(np.size(next(v for n, v in found.items() if not n.startswith("d_") and n != "loss")))


_REDUCED = {
    "policy_clip": "nearly every library, as the loss that is minimised",
    "cispo": "nearly every library",
    "decoupled_ppo": "AReaL",
    "kl_estimate": "nearly every library, as the penalty of a batch",
    "token_entropy": "nearly every library, as a bonus or a metric",
    "token_logprobs": "code for one sequence",
}


@convention("mean-over-batch", _REDUCED, reduces=True)
def mean_over_batch(form: Form, /, **arrays: Any) -> Outputs:
    """One number for a batch: the mean over all tokens."""
    found = form(**arrays)
    return _divided(found, _count(found))


@convention("sum-over-batch", {**_REDUCED, "token_logprobs": "DPO's sum over an answer"}, reduces=True)
def sum_over_batch(form: Form, /, **arrays: Any) -> Outputs:
    """One number for a batch: the sum over all tokens."""
    return _divided(form(**arrays), 1.0)


@convention(
    "mean-plus-eps",
    dict.fromkeys(_REDUCED, "NeMo-RL, torchtune, ROLL and others that divide by mask.sum() + ε"),
    reduces=True,
    constants=[Constant("eps", 1e-12, 0.1)],
)
def mean_plus_eps(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """One number for a batch: the sum over all tokens by their number plus ε, as under a mask."""
    found = form(**arrays)
    return _divided(found, _count(found) + eps)


without_half = always(
    "without-half",
    "The mean of the larger squares, without a half.",
    {"value_clip_loss": "slime"},
    factor=1.0,
)
no_floor = always(
    "no-floor",
    "The penalty goes on beyond the longest length.",
    {"overlong_penalty": "verl, NeMo-RL, AReaL"},
    floor=False,
)
level_sequence = always(
    "sequence-level",
    "One weight an answer: the product of its ratios.",
    {"rollout_correction": "trl, verl, SkyRL"},
    level="sequence",
)
level_geometric = always(
    "geometric-level",
    "One weight an answer: the geometric mean of its ratios.",
    {"rollout_correction": "AReaL, OpenRLHF's gate"},
    level="geometric",
)
action_mask = always(
    "out-of-bounds-masked",
    "A weight outside the bounds becomes 0.",
    {"rollout_correction": "trl, OpenRLHF, IcePop"},
    action="mask",
)
gated_by_the_mean = always(
    "gated-by-the-mean",
    "The geometric mean of an answer's ratios decides whether its tokens keep their weights.",
    {"rollout_correction": "OpenRLHF at the level of sequences, slime and NeMo-RL as seq-mask-tis"},
    gate="geometric",
)


_OF_SIMPO = (("gamma", 0.5), ("beta", 2.0))


@convention(
    "gamma-as-ratio",
    {"simpo_loss": "the authors' code, open-instruct, HALOs and rlhf-book; trl and LLaMA-Factory do not"},
)
def gamma_as_ratio(form: Form, /, **arrays: Any) -> Outputs:
    """γ is the ratio of margin and scale: γ·β is subtracted."""
    gamma, beta = (arrays[name] if arrays.get(name) is not None else usual for name, usual in _OF_SIMPO)
    return dict(form(**{**arrays, "gamma": gamma * beta}))


def _next_to_a_bound(form: Form, arrays: dict[str, Any]) -> Any:
    """The derivative of a value that single precision may put on the bound, in its roundings."""
    moved = np.abs(arrays["values"] - arrays["old_values"])
    size = np.maximum(np.abs(arrays["values"]), np.abs(arrays["old_values"]))
    near = np.abs(moved - arrays["eps"]) <= SINGLE_ROUNDING * np.maximum(size, arrays["eps"])
    return np.where(near, np.abs(form(**arrays).get("d_values", 0)) / SINGLE_ROUNDING, 0)


@convention(
    "halved-on-the-bound",
    {"value_clip_loss": "verl, whose clip is a minimum and a maximum"},
    slack=_next_to_a_bound,
)
def halved_on_the_bound(form: Form, /, **arrays: Any) -> Outputs:
    """The clip is a minimum and a maximum, each of which passes half of a derivative on its bound; since both
    squares are equal there and share it, three quarters of it are left.
    """
    found, values, old, eps = dict(form(**arrays)), arrays["values"], arrays["old_values"], arrays["eps"]
    if "d_values" not in found:  # another convention or a bug has left it out
        return found
    passed = 0.5 ** ((values == old + eps).astype(int) + (values == old - eps))
    return {**found, "d_values": (found["d_values"] * (1 + passed) / 2).astype(values.dtype)}
