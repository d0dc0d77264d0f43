"""Declared conventions: interpretations under which other answers are right.

Each names the formulas that have it, with who uses it there; in a formula
they stand in the order of this file. ``call`` changes what the target is
called with, where a convention is about the arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.catalogue import Form, Outputs, convention


def _shorter_values(arguments: dict[str, Any]) -> dict[str, Any]:
    return {**arguments, "values": arguments["values"][..., :-1]} if "values" in arguments else arguments


def _flags(arrays: dict[str, Any], name: str) -> Any:
    given = arrays.get(name)
    return np.zeros(arrays["rewards"].shape, bool) if given is None else given


@convention(
    "truncation-as-termination",
    {
        "discounted_return": "libraries with one flag, done",
        "gae": "cleanrl, LeanRL, baselines ppo1 and ppo2, purejaxrl",
        "lambda_return": "libraries with one flag, done",
        "n_step_return": "libraries with one flag, done",
        "td_error": "libraries with one flag, done",
    },
)
def truncation_as_termination(form: Form, /, **arrays: Any) -> Outputs:
    """Truncation is treated as termination: there is no bootstrap after a truncated step."""
    if arrays.get("truncated") is None:
        return dict(form(**arrays))
    over = _flags(arrays, "terminated") | _flags(arrays, "truncated")
    return dict(form(**{**arrays, "terminated": over, "truncated": None}))


@convention(
    "no-bootstrap",
    {
        "discounted_return": "libraries for token rewards",
        "gae": "verl, trl (old PPO), OpenRLHF, torchtune, tunix, NeMo-RL, open-instruct, garage",
        "lambda_return": "libraries for token rewards",
        "n_step_return": "libraries for token rewards",
    },
)
def no_bootstrap(form: Form, /, **arrays: Any) -> Outputs:
    """The value after the last step counts as 0, whether or not the episode ended there."""
    over = _flags(arrays, "terminated").copy()
    over[..., -1] = True
    return dict(form(**{**arrays, "terminated": over}))


@convention(
    "without-last-value",
    {
        "gae": "libraries for token rewards",
        "lambda_return": "libraries for token rewards",
        "n_step_return": "libraries for token rewards",
    },
    call=_shorter_values,
)
def without_last_value(form: Form, /, **arrays: Any) -> Outputs:
    """Values have T entries, not T + 1: the value after the last step is never given and counts as 0."""
    return dict(no_bootstrap.change(form, **arrays))


@convention(
    "loss",
    {
        "actor_loss": "nearly every library",
        "entropy": "stable-baselines3, rlax and trfl, under the name entropy loss",
        "ppo_clip": "nearly every library",
        "ppo_loss": "nearly every library",
    },
)
def loss(form: Form, /, **arrays: Any) -> Outputs:
    """The negative of the objective or of the entropy, to be minimised."""
    return {name: -value for name, value in form(**arrays).items() if value is not None}


def _whole(found: Mapping[str, Any]) -> Outputs:
    """Outputs that can be reduced; a derivative by one sample is none of the reduced answer."""
    return {name: v for name, v in found.items() if v is not None and not name.startswith("d_")}


@convention("mean-reduction", {"actor_loss": "most libraries", "critic_loss": "most libraries"})
def mean_reduction(form: Form, /, **arrays: Any) -> Outputs:
    """The mean over the samples, where the definition sums."""
    return dict(form(**{**arrays, "reduction": "mean"}))


@convention("half-mean-reduction", {"critic_loss": "cleanrl, verl and others"})
def half_mean_reduction(form: Form, /, **arrays: Any) -> Outputs:
    """Half of the mean of the squared errors, whose derivative has no factor 2."""
    return dict(form(**{**arrays, "reduction": "half-mean"}))


@convention("ddof-1", {"grpo_advantage": "verl, trl and others that use torch.std"})
def ddof_1(form: Form, /, **arrays: Any) -> Outputs:
    """The variance divides by G − 1, whatever ddof was asked for."""
    return dict(form(**{**arrays, "ddof": np.asarray(1)}))


@convention("dual-clip-3", {"ppo_clip": "verl, by default"})
def dual_clip_3(form: Form, /, **arrays: Any) -> Outputs:
    """For a negative advantage the objective is held at 3·A or above: a huge ratio cannot dominate."""
    found = dict(form(**arrays))
    adv, plain = arrays["adv"], found["objective"]
    return {"objective": np.where(adv < 0, np.maximum(plain, 3 * adv), plain)}


@convention("quarter-mean-reduction", {"critic_loss": "libraries that return the weighted loss"})
def quarter_mean_reduction(form: Form, /, **arrays: Any) -> Outputs:
    """A quarter of the mean: one half belongs to the loss and another one is its coefficient."""
    found = dict(form(**{**arrays, "reduction": "half-mean"}))
    found.pop("updated", None)
    return {name: value if name == "minimiser" else value / 2 for name, value in found.items()}


@convention("smooth-l1-mean", {"critic_loss": "users of Torch's smooth_l1_loss"})
def smooth_l1_mean(form: Form, /, **arrays: Any) -> Outputs:
    """The mean of smooth L1 errors: half the square up to 1, the size less one half beyond it."""
    size = np.abs(arrays["values"] - arrays["returns"])
    return {"loss": np.where(size < 1, np.square(size) / 2, size - size.dtype.type(0.5)).mean(axis=-1)}


@convention("per-sample", {"critic_loss": "rl_games, labml and others that reduce later"})
def per_sample(form: Form, /, **arrays: Any) -> Outputs:
    """The loss of each sample, which the caller adds up or averages."""
    alone = {name: arrays[name][..., None] for name in ("values", "returns") if arrays[name].ndim}
    return {"loss": form(**{**arrays, **alone})["loss"]}


@convention("whitened-advantages", {"actor_loss": "stable-baselines3, and cleanrl for more than one"})
def whitened_advantages(form: Form, /, **arrays: Any) -> Outputs:
    """Advantages get mean 0 and standard deviation 1 first (ddof 1, ε = 1e-8); a single one is kept."""
    adv = arrays["advantages"]
    if adv.shape[-1] > 1:
        spread = np.std(adv, axis=-1, ddof=1, keepdims=True) + adv.dtype.type(1e-8)
        adv = (adv - np.mean(adv, axis=-1, keepdims=True)) / spread
    return dict(form(**{**arrays, "advantages": adv}))


@convention("whitened-advantages-ddof-0", {"actor_loss": "baselines, purejaxrl, pfrl; spinningup without ε"})
def whitened_advantages_ddof_0(form: Form, /, **arrays: Any) -> Outputs:
    """Advantages get mean 0 and standard deviation 1 first (ddof 0, ε = 1e-8); a single one becomes 0."""
    adv = arrays["advantages"]
    spread = np.std(adv, axis=-1, keepdims=True) + adv.dtype.type(1e-8)
    return dict(form(**{**arrays, "advantages": (adv - np.mean(adv, axis=-1, keepdims=True)) / spread}))


@convention("log-ratio-clamped-20", {"ratio": "verl"})
def log_ratio_clamped_20(form: Form, /, **arrays: Any) -> Outputs:
    """The log-ratio is held within −20 and 20 before it is exponentiated, so that the ratio stays finite."""
    held = np.clip(form(**arrays)["log_ratio"], -20, 20)
    return {"ratio": np.exp(held), "log_ratio": held}


def _log_quotients(arrays: dict[str, Any]) -> Any:
    """log(p/q) where p is positive, else 0."""
    p, q = np.broadcast_arrays(arrays["p"], arrays["q"])
    drawn = p > 0
    return np.where(drawn, np.log(np.where(drawn, p, 1)) - np.log(np.where(drawn, q, 1)), 0).astype(p.dtype)


@convention(
    "k2",
    {"kl": "libraries for tokens, as a choice next to k1 (whose expectation is the divergence) and k3"},
)
def k2(form: Form, /, **arrays: Any) -> Outputs:
    """The expectation of half the squared log-ratio, an estimator with a small bias and a small variance."""
    squares = np.square(_log_quotients(arrays)) / 2
    return {"divergence": np.where(arrays["p"] > 0, arrays["p"] * squares, 0).sum(axis=-1)}


@convention("k3", {"kl": "trl"})
def k3(form: Form, /, **arrays: Any) -> Outputs:
    """The expectation of q/p − 1 − log(q/p) under p; where p is 0 and q is not, it stays below the
    divergence.
    """
    reached = np.where(arrays["p"] > 0, arrays["q"], 0).sum(axis=-1)
    return {"divergence": form(**arrays)["divergence"] + reached - arrays["p"].sum(axis=-1)}


def _clamped(arrays: dict[str, Any], estimates: Any) -> Outputs:
    """The expectation under p of one estimate per outcome, each held within ±10."""
    held = np.clip(estimates, -10, 10)
    return {"divergence": np.where(arrays["p"] > 0, arrays["p"] * held, 0).sum(axis=-1)}


@convention("k1-clamped-10", {"kl": "OpenRLHF"})
def k1_clamped_10(form: Form, /, **arrays: Any) -> Outputs:
    """The log-ratio of each outcome is held within −10 and 10 before the expectation is taken."""
    return _clamped(arrays, _log_quotients(arrays))


@convention("k3-clamped-10", {"kl": "verl, OpenRLHF"})
def k3_clamped_10(form: Form, /, **arrays: Any) -> Outputs:
    """The estimate k3 of each outcome is held within −10 and 10 before the expectation is taken."""
    logs = _log_quotients(arrays)
    return _clamped(arrays, np.exp(-logs) - 1 + logs)


def _with_eps(form: Form, arrays: dict[str, Any], eps: float) -> Outputs:
    return dict(form(**{**arrays, "eps": np.asarray(eps, arrays["rewards"].dtype)}))


@convention(
    "eps-1e-8", {"grpo_advantage": "code that follows the whitening of stable-baselines3 and cleanrl"}
)
def eps_1e_8(form: Form, /, **arrays: Any) -> Outputs:
    """1e-8 is added to the standard deviation."""
    return _with_eps(form, arrays, 1e-8)


@convention("eps-1e-6", {"grpo_advantage": "verl"})
def eps_1e_6(form: Form, /, **arrays: Any) -> Outputs:
    """1e-6 is added to the standard deviation."""
    return _with_eps(form, arrays, 1e-6)


@convention("eps-1e-4", {"grpo_advantage": "trl"})
def eps_1e_4(form: Form, /, **arrays: Any) -> Outputs:
    """1e-4 is added to the standard deviation."""
    return _with_eps(form, arrays, 1e-4)


@convention("eps-inside-root", {"grpo_advantage": "whitening with rsqrt(variance + ε)"})
def eps_inside_root(form: Form, /, **arrays: Any) -> Outputs:
    """ε is added to the variance and not to its root."""
    rewards = arrays["rewards"]
    if arrays["eps"] is None:
        return dict(form(**arrays))
    ddof = 0 if arrays["ddof"] is None else int(arrays["ddof"])
    std = np.std(rewards, axis=-1, ddof=ddof, keepdims=True)
    # added to the root, this gives the root of the sum
    return dict(form(**{**arrays, "eps": np.sqrt(np.square(std) + arrays["eps"]) - std}))


@convention("eps-1e-8-inside-root", {"grpo_advantage": "torchtune and the old PPO of trl, where they whiten"})
def eps_1e_8_inside_root(form: Form, /, **arrays: Any) -> Outputs:
    """1e-8 is added to the variance and not to its root."""
    changed = {**arrays, "eps": np.asarray(1e-8, arrays["rewards"].dtype)}
    return dict(eps_inside_root.change(form, **changed))


@convention("mean-only", {"grpo_advantage": "Dr. GRPO, and an option of several libraries"})
def mean_only(form: Form, /, **arrays: Any) -> Outputs:
    """The mean is subtracted and nothing is divided."""
    rewards = arrays["rewards"]
    equal = rewards.max(axis=-1, keepdims=True) == rewards.min(axis=-1, keepdims=True)
    return {"advantages": np.where(equal, 0, rewards - rewards.mean(axis=-1, keepdims=True))}


@convention("leave-one-out", {"grpo_advantage": "NeMo-RL"})
def leave_one_out(form: Form, /, **arrays: Any) -> Outputs:
    """Each reward is compared with mean and standard deviation (ddof 1) of the others; equal others divide
    nothing.
    """
    rewards = arrays["rewards"]
    count = rewards.shape[-1]
    others = np.broadcast_to(rewards[..., None, :], (*rewards.shape, count))
    others = others[..., ~np.eye(count, dtype=bool)].reshape(*rewards.shape, count - 1)
    deviations = rewards - others.mean(axis=-1)
    varies = others.max(axis=-1) != others.min(axis=-1)
    spread = np.zeros_like(rewards)
    if count > 2:
        spread = np.std(others, axis=-1, ddof=1)
    eps = 0.0 if arrays["eps"] is None else arrays["eps"]
    return {"advantages": deviations / np.where(varies, spread + eps, 1)}


@convention("sample-variance", {"control_variate": "torch.var, pandas"})
def sample_variance(form: Form, /, **arrays: Any) -> Outputs:
    """The variances divide by N − 1; the best k and the correlation stay as they are."""
    found = dict(form(**arrays))
    count = np.broadcast_shapes(arrays["x"].shape, arrays["b"].shape)[-1]
    grown = count / (count - 1) if count > 1 else np.nan
    return {name: v * grown if name.startswith("variance") else v for name, v in found.items()}


@convention(
    "self-normalised",
    {"importance": "weighted importance sampling, with its small bias and smaller variance"},
)
def self_normalised(form: Form, /, **arrays: Any) -> Outputs:
    """The weighted sum is divided by the sum of the weights, which for whole distributions that q covers is
    1.
    """
    found = dict(form(**arrays))
    estimate = found["estimate"] / (arrays["q"] * found["weights"]).sum(axis=-1)
    # a function of one number is read as the expectation
    return {**found, "expectation": estimate, "estimate": estimate}


@convention("weights-truncated-1", {"importance": "V-trace with its default thresholds"})
def weights_truncated_1(form: Form, /, **arrays: Any) -> Outputs:
    """No weight counts for more than 1: a bias, traded for a bounded variance."""
    weights = np.minimum(form(**arrays)["weights"], 1)
    estimate = (arrays["q"] * weights * arrays["f"]).sum(axis=-1)
    return {"expectation": estimate, "estimate": estimate, "weights": weights}


@convention("reinforce-with-minibatches", {"ppo_count": "comparisons with equal batch sizes"})
def reinforce_with_minibatches(form: Form, /, **arrays: Any) -> Outputs:
    """A step of REINFORCE is counted with N/M trajectories, as few as a minibatch of PPO holds."""
    found = dict(form(**arrays))
    return {**found, "reinforce_trajectories": found["trajectories"] * arrays["epochs"]}


@convention(
    "mean-over-batch",
    {
        "critic_loss": "nearly every library, whose loss is a mean over all samples",
        "entropy": "nearly every library, as the bonus or its negative",
        "kl": "libraries that stop an update by it, torch.nn.functional.kl_div with batchmean",
        "ppo_clip": "nearly every library, as the loss that is minimised",
    },
    reduces=True,
)
def mean_over_batch(form: Form, /, **arrays: Any) -> Outputs:
    """One number for a batch: the mean over all samples."""
    return {name: np.mean(value) for name, value in _whole(form(**arrays)).items()}


@convention(
    "sum-over-batch",
    {
        "critic_loss": "the first public A3C code, whose losses are sums over a rollout",
        "entropy": "the first public A3C code, whose losses are sums over a rollout",
        "kl": "torch.nn.functional.kl_div with sum",
        "ppo_clip": "code that divides by the number of tokens after adding up several batches",
    },
    reduces=True,
)
def sum_over_batch(form: Form, /, **arrays: Any) -> Outputs:
    """One number for a batch: the sum over all samples."""
    return {name: np.sum(value) for name, value in _whole(form(**arrays)).items()}
