"""Declared conventions: interpretations under which other answers are right.

Each names the formulas that have it, with who uses it there; in a formula
they stand in the order of this file. ``call`` changes what the target is
called with, where a convention is about the arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.catalogue import Constant, Form, Outputs, convention


def _shorter_values(arguments: dict[str, Any]) -> dict[str, Any]:
    return {**arguments, "values": arguments["values"][..., :-1]} if "values" in arguments else arguments


def _flags(arrays: dict[str, Any], name: str) -> Any:
    given = arrays.get(name)
    return np.zeros(arrays["rewards"].shape, bool) if given is None else given


@convention(
    "truncation-as-termination",
    {
        "discounted_return": "libraries with one flag, done",
        "double_q_target": "libraries with one flag, done",
        "expected_sarsa_target": "libraries with one flag, done",
        "gae": "cleanrl, LeanRL, baselines ppo1 and ppo2, purejaxrl",
        "lambda_return": "libraries with one flag, done",
        "n_step_return": "libraries with one flag, done",
        "c51_projection": "libraries with one flag, done",
        "q_target": "libraries with one flag, done",
        "sac_target": "libraries with one flag, done",
        "sarsa_target": "libraries with one flag, done",
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
        "gaussian_entropy": "stable-baselines3, under the name entropy loss",
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


def _clipped(arrays: dict[str, Any], low: Any, high: Any) -> Outputs:
    ratio, adv = arrays["ratio"], arrays["adv"]
    held = np.clip(ratio, low, high)
    return {"objective": np.minimum(ratio * adv, held * adv)}


def _clip(arrays: dict[str, Any]) -> Any:
    """The ε of a call, or what it is by default."""
    return 0.2 if arrays["eps"] is None else arrays["eps"]


@convention(
    "dual-clip",
    {"ppo_clip": "verl and AReaL, where it is set"},
    constants=[Constant("c", 1.0, 1e4)],
)
def dual_clip(form: Form, c: float, /, **arrays: Any) -> Outputs:
    """For a negative advantage the objective is held at c·A or above: a huge ratio cannot dominate."""
    adv, plain = arrays["adv"], form(**arrays)["objective"]
    return {"objective": np.where(adv < 0, np.maximum(plain, c * adv), plain)}


dual_clip_3 = dual_clip.instance("dual-clip-3", {"ppo_clip": "verl, by default"}, 3.0)


@convention(
    "clip-higher",
    {"ppo_clip": "DAPO, and slime, EasyR1, SkyRL and AReaL as an option"},
    constants=[Constant("eps_high", 1e-3, 50.0)],
)
def clip_higher(form: Form, eps_high: float, /, **arrays: Any) -> Outputs:
    """The ratio is held below 1 + eps_high, which is a constant; the lower bound is 1 − ε as it was asked."""
    return _clipped(arrays, 1 - _clip(arrays), 1 + eps_high)


@convention(
    "clip-bounds",
    {"ppo_clip": "DAPO, and slime, EasyR1, SkyRL and AReaL as an option"},
    constants=[Constant("eps_low", 1e-3, 0.999), Constant("eps_high", 1e-3, 50.0)],
)
def clip_bounds(form: Form, eps_low: float, eps_high: float, /, **arrays: Any) -> Outputs:
    """The ratio is held between 1 − eps_low and 1 + eps_high, which are constants."""
    return _clipped(arrays, 1 - eps_low, 1 + eps_high)


@convention("reciprocal-bounds", {"ppo_clip": "sample-factory"})
def reciprocal_bounds(form: Form, /, **arrays: Any) -> Outputs:
    """The ratio is held between 1/(1 + ε) and 1 + ε, which are equally far from 1 as factors."""
    eps = _clip(arrays)
    return _clipped(arrays, 1 / (1 + eps), 1 + eps)


@convention("quarter-mean-reduction", {"critic_loss": "libraries that return the weighted loss"})
def quarter_mean_reduction(form: Form, /, **arrays: Any) -> Outputs:
    """A quarter of the mean: one half belongs to the loss and another one is its coefficient."""
    found = dict(form(**{**arrays, "reduction": "half-mean"}))
    found.pop("updated", None)
    return {name: value if name == "minimiser" else value / 2 for name, value in found.items()}


@convention("per-sample", {"critic_loss": "rl_games, labml and others that reduce later"})
def per_sample(form: Form, /, **arrays: Any) -> Outputs:
    """The loss of each sample, which the caller adds up or averages."""
    alone = {name: arrays[name][..., None] for name in ("values", "returns") if arrays[name].ndim}
    return {"loss": form(**{**arrays, **alone})["loss"]}


def _mean_loss(arrays: dict[str, Any], of_size: Callable[[Any], Any]) -> Outputs:
    """The mean of a loss of the sizes of the errors."""
    return {"loss": of_size(np.abs(arrays["values"] - arrays["returns"])).mean(axis=-1)}


@convention(
    "smooth-l1-mean",
    {"critic_loss": "users of Torch's smooth_l1_loss with a beta of their own"},
    constants=[Constant("beta", 1e-3, 1e3)],
)
def smooth_l1_mean(form: Form, beta: float, /, **arrays: Any) -> Outputs:
    """The mean of smooth L1 errors: the square by 2·beta up to beta, the size less beta/2 beyond it."""
    return _mean_loss(
        arrays, lambda size: np.where(size < beta, np.square(size) / (2 * beta), size - beta / 2)
    )


smooth_l1_mean_1 = smooth_l1_mean.instance(
    "smooth-l1-mean", {"critic_loss": "users of Torch's smooth_l1_loss"}, 1.0
)


@convention(
    "huber-mean",
    {"critic_loss": "on-policy with delta 10, users of huber_loss"},
    constants=[Constant("delta", 1e-3, 1e3)],
)
def huber_mean(form: Form, delta: float, /, **arrays: Any) -> Outputs:
    """The mean of Huber's errors: half the square up to delta, delta times (size − delta/2) beyond it."""
    return _mean_loss(
        arrays,
        lambda size: np.where(size < delta, np.square(size) / 2, delta * (size - delta / 2)),
    )


EPS = Constant("eps", 1e-13, 0.5, zero=True)


def _whitened(found: Any, eps: float, ddof: int) -> Any:
    """Mean 0 and deviation 1 over all entries of the last axis."""
    spread = np.std(found, axis=-1, ddof=ddof, keepdims=True) + found.dtype.type(eps)
    return (found - np.mean(found, axis=-1, keepdims=True)) / spread


def _magnified(found: Any, eps: float) -> Any:
    """How much the division by a small deviation magnifies."""
    return 1 / (np.std(found, axis=-1, keepdims=True) + max(eps, 1e-300))


def _whitening_slack(form: Form, arrays: dict[str, Any], eps: float) -> Any:
    """Of whitened advantages that are all equal, which the sum over the steps multiplies."""
    advantages = arrays["advantages"]
    largest = np.abs(advantages).max(axis=-1) * np.abs(arrays["advantages"] * 0 + 1).sum(axis=-1)
    even = np.ptp(advantages, axis=-1) == 0
    return np.where(even, largest * _magnified(advantages, eps)[..., 0], 0)


@convention(
    "whitened-advantages",
    {"actor_loss": "libraries that whiten with Torch's std and an ε of their own"},
    constants=[EPS],
)
def whitened_advantages(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """Advantages get mean 0 and standard deviation 1 first (ddof 1, ε added); a single one is kept."""
    adv = arrays["advantages"]
    return dict(form(**{**arrays, "advantages": _whitened(adv, eps, 1) if adv.shape[-1] > 1 else adv}))


@convention(
    "whitened-advantages-ddof-0",
    {"actor_loss": "libraries that whiten with NumPy's std and an ε of their own"},
    constants=[EPS],
)
def whitened_advantages_ddof_0(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """Advantages get mean 0 and standard deviation 1 first (ddof 0, ε added); a single one becomes 0."""
    return dict(form(**{**arrays, "advantages": _whitened(arrays["advantages"], eps, 0)}))


whitened_advantages_1e_8 = whitened_advantages.instance(
    "whitened-advantages",
    {"actor_loss": "stable-baselines3, and cleanrl for more than one"},
    1e-8,
)
whitened_advantages_ddof_0_1e_8 = whitened_advantages_ddof_0.instance(
    "whitened-advantages-ddof-0",
    {"actor_loss": "baselines, purejaxrl, pfrl; spinningup without ε"},
    1e-8,
)


def _all_whitened(advantages: Any, eps: float, ddof: int) -> Any:
    """Over all rows of a batch, as libraries do; of a single number nothing is said."""
    if advantages.size < 2:
        return np.full_like(advantages, np.nan)
    return _whitened(advantages.reshape(-1), eps, ddof).reshape(advantages.shape)


def _gae_slack(form: Form, arrays: dict[str, Any], eps: float) -> Any:
    """Advantages that are all equal but for rounding."""
    largest = max(np.abs(arrays["rewards"]).max(), np.abs(arrays["values"]).max())
    return largest * _magnified(form(**arrays)["advantages"].reshape(-1), eps).item()


@convention(
    "whitened-advantages",
    {"gae": "skrl, trlx, SkyRL, EasyR1, HALOs and AReaL, some as an option"},
    constants=[EPS],
    slack=_gae_slack,
)
def whitened_inside(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """Advantages get mean 0 and standard deviation 1 (ddof 1, ε added); returns are of those before."""
    found = dict(form(**arrays))
    return {**found, "advantages": _all_whitened(found["advantages"], eps, 1)}


@convention(
    "whitened-advantages-ddof-0",
    {"gae": "code that whitens with NumPy's std"},
    constants=[EPS],
    slack=_gae_slack,
)
def whitened_inside_ddof_0(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """Advantages get mean 0 and standard deviation 1 (ddof 0, ε added); returns are of those before."""
    found = dict(form(**arrays))
    return {**found, "advantages": _all_whitened(found["advantages"], eps, 0)}


def _returns_slack(form: Form, arrays: dict[str, Any], eps: float) -> Any:
    """Returns that are all equal but for rounding."""
    returns = form(**arrays)["returns"]
    return np.abs(returns).max() * _magnified(returns.reshape(-1), eps).item()


@convention(
    "standardised-returns",
    {"discounted_return": "pytorch/examples and PPO-PyTorch"},
    constants=[EPS],
    slack=_returns_slack,
)
def standardised_returns(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """Returns get mean 0 and standard deviation 1 (ddof 1, ε added) over all steps."""
    return {"returns": _all_whitened(form(**arrays)["returns"], eps, 1)}


@convention(
    "standardised-returns-ddof-0",
    {"discounted_return": "code that standardises with NumPy's std"},
    constants=[EPS],
    slack=_returns_slack,
)
def standardised_returns_ddof_0(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """Returns get mean 0 and standard deviation 1 (ddof 0, ε added) over all steps."""
    return {"returns": _all_whitened(form(**arrays)["returns"], eps, 0)}


@convention(
    "log-ratio-clamped",
    {"ratio": "SLM-Lab, EasyR1 and SkyRL"},
    constants=[Constant("bound", 1e-2, 700.0)],
)
def log_ratio_clamped(form: Form, bound: float, /, **arrays: Any) -> Outputs:
    """The log-ratio is held within ±bound before it is exponentiated, so that the ratio stays finite."""
    held = np.clip(form(**arrays)["log_ratio"], -bound, bound)
    return {"ratio": np.exp(held), "log_ratio": held}


log_ratio_clamped_20 = log_ratio_clamped.instance("log-ratio-clamped-20", {"ratio": "verl"}, 20.0)


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


@convention("absolute-k1", {"kl": "ROLL and verl, under the name abs"})
def absolute_k1(form: Form, /, **arrays: Any) -> Outputs:
    """The expectation of the size of the log-ratio, which is never below the divergence."""
    return _expected(arrays, np.abs(_log_quotients(arrays)))


def _expected(arrays: dict[str, Any], estimates: Any) -> Outputs:
    """The expectation under p of one estimate per outcome."""
    return {"divergence": np.where(arrays["p"] > 0, arrays["p"] * estimates, 0).sum(axis=-1)}


BOUND = Constant("bound", 1e-2, 1e3)


@convention(
    "k1-clamped",
    {"kl": "libraries for tokens with a bound of their own"},
    # a smaller one holds ordinary log-ratios, and the divergence need not rise with it
    constants=[Constant("bound", 2.5, 1e3)],
)
def k1_clamped(form: Form, bound: float, /, **arrays: Any) -> Outputs:
    """The log-ratio of each outcome is held within ±bound before the expectation is taken."""
    return _expected(arrays, np.clip(_log_quotients(arrays), -bound, bound))


k1_clamped_10 = k1_clamped.instance("k1-clamped-10", {"kl": "OpenRLHF"}, 10.0)


@convention("k3-clamped", {"kl": "libraries for tokens with a bound of their own"}, constants=[BOUND])
def k3_clamped(form: Form, bound: float, /, **arrays: Any) -> Outputs:
    """The estimate k3 of each outcome is held within ±bound before the expectation is taken."""
    logs = _log_quotients(arrays)
    return _expected(arrays, np.clip(np.exp(-logs) - 1 + logs, -bound, bound))


k3_clamped_10 = k3_clamped.instance("k3-clamped-10", {"kl": "verl, OpenRLHF"}, 10.0)


def _safe_logs(arrays: dict[str, Any], log: Callable[[Any], Any]) -> Outputs:
    """Entropy or divergence of probabilities whose logarithm is taken by another function."""
    if "q" in arrays:
        p, q = np.broadcast_arrays(arrays["p"], arrays["q"])
        return {"divergence": (p * (log(p) - log(q))).sum(axis=-1)}
    base = arrays["base"]
    scale = 1 if base is None or isinstance(base, str) else np.log(base)
    return {"entropy": -(arrays["p"] * log(arrays["p"])).sum(axis=-1) / scale}


@convention(
    "log-eps",
    {"entropy": "epymarl with 1e-10", "kl": "code that guards a logarithm of 0"},
    constants=[Constant("eps", 1e-40, 1e-3)],
)
def log_eps(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """log(p + ε) is taken for log p, so that it stays finite at 0."""
    return _safe_logs(arrays, lambda x: np.log(x + x.dtype.type(eps)))


@convention(
    "log-floor",
    {"entropy": "code that clamps probabilities", "kl": "PaLM-rlhf-pytorch with 1e-20"},
    constants=[Constant("floor", 1e-40, 1e-3)],
)
def log_floor(form: Form, floor: float, /, **arrays: Any) -> Outputs:
    """Probabilities are held at a floor or above before their logarithm is taken."""
    return _safe_logs(arrays, lambda x: np.log(np.maximum(x, x.dtype.type(floor))))


def _with_eps(form: Form, arrays: dict[str, Any], eps: float) -> Outputs:
    return dict(form(**{**arrays, "eps": np.asarray(eps, arrays["rewards"].dtype)}))


GROUP_EPS = Constant("eps", 1e-13, 0.5)


def _group_slack(form: Form, arrays: dict[str, Any], eps: float) -> Any:
    """Equal rewards have a mean that is rounded, which a small ε magnifies."""
    rewards = arrays["rewards"]
    equal = rewards.max(axis=-1, keepdims=True) == rewards.min(axis=-1, keepdims=True)
    return np.where(equal, np.abs(rewards).max(axis=-1, keepdims=True) / eps, 0) if eps else 0


def _root_slack(form: Form, arrays: dict[str, Any], eps: float) -> Any:
    return _group_slack(form, arrays, max(eps, 0.0) ** 0.5)


@convention(
    "eps",
    {"grpo_advantage": "nearly every library, each with its own"},
    constants=[GROUP_EPS],
    slack=_group_slack,
)
def any_eps(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """ε is added to the standard deviation, whatever was asked for."""
    return _with_eps(form, arrays, eps)


eps_1e_8 = any_eps.instance(
    "eps-1e-8", {"grpo_advantage": "code that follows the whitening of stable-baselines3 and cleanrl"}, 1e-8
)
eps_1e_6 = any_eps.instance("eps-1e-6", {"grpo_advantage": "verl"}, 1e-6)
eps_1e_4 = any_eps.instance("eps-1e-4", {"grpo_advantage": "trl"}, 1e-4)


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


@convention(
    "eps-inside-root",
    {"grpo_advantage": "whitening with rsqrt(variance + ε)"},
    constants=[GROUP_EPS],
    slack=_root_slack,
)
def any_eps_inside_root(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """ε is added to the variance and not to its root, whatever was asked for."""
    changed = {**arrays, "eps": np.asarray(eps, arrays["rewards"].dtype)}
    return dict(eps_inside_root.change(form, **changed))


eps_1e_8_inside_root = any_eps_inside_root.instance(
    "eps-1e-8-inside-root",
    {"grpo_advantage": "torchtune and the old PPO of trl, where they whiten"},
    1e-8,
)


def _floor_slack(form: Form, arrays: dict[str, Any]) -> Any:
    return _group_slack(form, arrays, 1e-12)


@convention("std-floored", {"grpo_advantage": "code that divides by max(std, floor)"}, slack=_floor_slack)
def std_floored(form: Form, /, **arrays: Any) -> Outputs:
    """The standard deviation is held at a small floor (1e-12 or above), so that equal rewards give what
    their mean was rounded by and not 0.
    """
    rewards = arrays["rewards"]
    noise = (rewards - rewards.mean(axis=-1, keepdims=True)) / rewards.dtype.type(1e-12)
    equal = rewards.max(axis=-1, keepdims=True) == rewards.min(axis=-1, keepdims=True)
    return {"advantages": np.where(equal, noise, form(**arrays)["advantages"])}


@convention(
    "ddof",
    {"grpo_advantage": "code with a degree of freedom of its own"},
    constants=[Constant("ddof", 0, 1.9)],
)
def any_ddof(form: Form, ddof: float, /, **arrays: Any) -> Outputs:
    """The variance divides by G − ddof, whatever ddof was asked for."""
    count = arrays["rewards"].shape[-1]
    eps = 0.0 if arrays["eps"] is None else arrays["eps"]
    # the form divides by √(sum/G) + ε, and has to divide by √(sum/(G − ddof)) + ε
    grown = np.sqrt(count / (count - ddof))
    changed = {**arrays, "ddof": np.asarray(0), "eps": np.asarray(eps / grown, arrays["rewards"].dtype)}
    return {name: value / grown for name, value in form(**changed).items() if value is not None}


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


@convention(
    "weights-truncated",
    {"importance": "V-trace, and truncated weights between rollout engine and trainer"},
    constants=[Constant("cap", 1e-2, 1e3)],
)
def weights_truncated(form: Form, cap: float, /, **arrays: Any) -> Outputs:
    """No weight counts for more than a cap: a bias, traded for a bounded variance."""
    weights = np.minimum(form(**arrays)["weights"], cap)
    estimate = (arrays["q"] * weights * arrays["f"]).sum(axis=-1)
    return {"expectation": estimate, "estimate": estimate, "weights": weights}


weights_truncated_1 = weights_truncated.instance(
    "weights-truncated-1", {"importance": "V-trace with its default thresholds"}, 1.0
)


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


@convention(
    "mean-plus-eps",
    {
        "critic_loss": "EasyR1 and others that divide by mask.sum() + ε",
        "ppo_clip": "EasyR1, nanoGRPO and ROLL, which divide by mask.sum() + ε",
    },
    reduces=True,
    constants=[Constant("eps", 1e-12, 0.1)],
)
def mean_plus_eps(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """One number for a batch: the sum over all samples by their number plus ε, as under a mask."""
    found = _whole(form(**arrays))
    return {name: np.sum(value) / (np.size(value) + eps) for name, value in found.items()}


@convention(
    "per-dimension",
    {
        "gaussian_entropy": "users of torch.distributions.Normal who sum later",
        "gaussian_log_prob": "users of torch.distributions.Normal who sum later",
        "squashed_gaussian_log_prob": "users of torch.distributions.Normal who sum later",
    },
)
def per_dimension(form: Form, /, **arrays: Any) -> Outputs:
    """One number per dimension of the action, which the caller adds up."""
    found = dict(form(**arrays))
    name, parts = ("entropy", "entropies") if "entropy" in found else ("log_prob", "log_probs")
    return {**found, name: found[parts]}


def _squashed(form: Form, arrays: dict[str, Any], inside: Callable[[Any, Any], Any]) -> Outputs:
    """A squashed density with another logarithm of its slope, made from the slope of tanh and from s."""
    found, u, low = dict(form(**arrays)), arrays["u"], arrays.get("low")
    half = arrays["scale"] if low is None else (arrays["high"] - low) / 2
    slope = 2 * (np.log(2).astype(u.dtype) - u - np.logaddexp(np.zeros_like(u), -2 * u))
    logs = found["log_probs"] + np.log(half) + slope - inside(1 - np.square(np.tanh(u)), half)
    return {**found, "log_prob": logs.sum(-1), "log_probs": logs}


@convention(
    "epsilon-inside",
    {"squashed_gaussian_log_prob": "SAC of rlkit, CleanRL and pytorch-soft-actor-critic, with 1e-6"},
    constants=[Constant("eps", 1e-13, 0.5)],
)
def epsilon_inside(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """The logarithm of s·(1 − tanh²) + eps: a density that is cut off near the bounds."""
    return _squashed(form, arrays, lambda slope, half: np.log(half * slope + eps))


epsilon_inside_1e_6 = epsilon_inside.instance(
    "epsilon-inside",
    {"squashed_gaussian_log_prob": "SAC of rlkit, CleanRL and pytorch-soft-actor-critic"},
    1e-6,
)


@convention("td3", {"sac_target": "TD3 of its authors, CleanRL, stable-baselines3 and others"})
def td3(form: Form, /, **arrays: Any) -> Outputs:
    """No entropy at all, α = 0: the smaller of two critics, for the action of the target policy."""
    return dict(form(**{**arrays, "alpha": arrays["alpha"] * 0}))


@convention("mean-over-quantiles", {"quantile_huber_loss": "TQC of sb3-contrib, users of mean()"})
def mean_over_quantiles(form: Form, /, **arrays: Any) -> Outputs:
    """The mean over the quantiles as well as over the sample."""
    return dict(form(**{**arrays, "reduction": "mean"}))


@convention("kappa-undivided", {"quantile_huber_loss": "the paper of QR-DQN, where κ = 1"})
def kappa_undivided(form: Form, /, **arrays: Any) -> Outputs:
    """The loss is not divided by κ, so that its slope far out grows with κ; κ = 0 is the quantile loss."""
    kappa = arrays["kappa"]
    return {name: value * np.where(kappa > 0, kappa, 1) for name, value in form(**arrays).items()}


@convention(
    "n-step",
    {
        "double_q_target": "Rainbow and others with a buffer of n-step returns",
        "expected_sarsa_target": "code with a buffer of n-step returns",
        "q_target": "Rainbow and others with a buffer of n-step returns",
        "sac_target": "code with a buffer of n-step returns",
        "sarsa_target": "code with a buffer of n-step returns",
    },
    constants=[Constant("n", 1.0, 1000.0)],
)
def n_step(form: Form, n: float, /, **arrays: Any) -> Outputs:
    """Rewards sum n steps, a constant of the code, so that what follows is discounted by γ^n."""
    return dict(form(**{**arrays, "n": np.asarray(n, arrays["gamma"].dtype)}))


@convention("first-of-equals", {"epsilon_greedy": "code with argmax"})
def first_of_equals(form: Form, /, **arrays: Any) -> Outputs:
    """Of several equal best actions the first gets the whole greedy probability."""
    q = arrays["q"]
    first = np.arange(q.shape[-1]) == q.argmax(-1)[..., None]
    epsilon = arrays["epsilon"][..., None]
    policy = (epsilon / q.shape[-1] + (1 - epsilon) * first).astype(q.dtype)
    return {"policy": policy, "value": (policy * q).sum(-1)}


@convention("t-counts-this-pull", {"ucb": "Sutton and Barto, equation 2.10"})
def t_counts_this_pull(form: Form, /, **arrays: Any) -> Outputs:
    """The time in the logarithm counts the choice at hand: one more than the pulls so far."""
    if arrays.get("t") is not None:
        return dict(form(**arrays))
    rows = arrays["counts"].reshape(-1, arrays["counts"].shape[-1])
    each = [_one_bandit(form, arrays, q, n) for q, n in zip(_spread(arrays["q"], rows), rows, strict=True)]
    shape = arrays["counts"].shape
    return {
        "scores": np.stack([one["scores"] for one in each]).reshape(shape),
        "action": np.stack([one["action"] for one in each]).reshape(shape[:-1]),
    }


def _spread(q: Any, rows: Any) -> Any:
    return np.broadcast_to(q.reshape(-1, q.shape[-1]), rows.shape)


def _one_bandit(form: Form, arrays: dict[str, Any], q: Any, counts: Any) -> Mapping[str, Any]:
    return form(**{**arrays, "q": q, "counts": counts, "t": np.asarray(counts.sum() + 1)})


@convention(
    "baseline-with-the-reward",
    {"gradient_bandit": "code that updates the mean first, such as that of the book's figures"},
)
def baseline_with_the_reward(form: Form, /, **arrays: Any) -> Outputs:
    """The running mean counts the present reward already."""
    running = isinstance(arrays["baseline"], str)
    return dict(form(**{**arrays, "baseline": "with" if running else arrays["baseline"]}))


@convention("new-to-old", {"trust_region": "the lecture, section 8.5"})
def new_to_old(form: Form, /, **arrays: Any) -> Outputs:
    """The divergence of the old policy from the new one, its expectation under the new policy."""
    found = dict(form(**arrays))
    old, new = arrays["old"], arrays["new"]
    if old is None:
        theta = arrays["theta"]
        powers = np.exp(theta - theta.max(-1, keepdims=True))
        old, new = powers / powers.sum(-1, keepdims=True), found["policy"]
    with np.errstate(all="ignore"):
        parts = np.where(new > 0, new * (np.log(new) - np.log(old)), 0)
    return {**found, "kl": parts.sum(-1).astype(new.dtype)}
