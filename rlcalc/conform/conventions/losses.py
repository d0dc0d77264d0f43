"""Conventions of losses: signs, means, clip bounds, errors that are not squared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.convention import Constant, convention
from rlcalc.conform.conventions._whitening import EPS, ROOT_EPS, magnified, whitened, whitened_inside_root
from rlcalc.conform.forms import Form, Outputs


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


@convention("mean-reduction", {"actor_loss": "most libraries", "critic_loss": "most libraries"})
def mean_reduction(form: Form, /, **arrays: Any) -> Outputs:
    """The mean over the samples, where the definition sums."""
    return dict(form(**{**arrays, "reduction": "mean"}))


@convention("half-mean-reduction", {"critic_loss": "cleanrl, verl and others"})
def half_mean_reduction(form: Form, /, **arrays: Any) -> Outputs:
    """Half of the mean of the squared errors, whose derivative has no factor 2."""
    return dict(form(**{**arrays, "reduction": "half-mean"}))


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
    "clip-higher-factor",
    {"ppo_clip": "code that has one ε, and a wider bound above than below"},
    constants=[Constant("factor", 1e-2, 50.0)],
)
def clip_higher_factor(form: Form, factor: float, /, **arrays: Any) -> Outputs:
    """The ratio is held between 1 − ε and 1 + factor·ε."""
    eps = _clip(arrays)
    return _clipped(arrays, 1 - eps, 1 + factor * eps)


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


def _whitening_slack(form: Form, arrays: dict[str, Any], eps: float) -> Any:
    """Of whitened advantages that are all equal, which the sum over the steps multiplies."""
    advantages = arrays["advantages"]
    largest = np.abs(advantages).max(axis=-1) * np.abs(arrays["advantages"] * 0 + 1).sum(axis=-1)
    even = np.ptp(advantages, axis=-1) == 0
    return np.where(even, largest * magnified(advantages, eps)[..., 0], 0)


@convention(
    "whitened-advantages",
    {"actor_loss": "libraries that whiten with Torch's std and an ε of their own"},
    constants=[EPS],
)
def whitened_advantages(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """Advantages get mean 0 and standard deviation 1 first (ddof 1, ε added); a single one is kept."""
    adv = arrays["advantages"]
    return dict(form(**{**arrays, "advantages": whitened(adv, eps, 1) if adv.shape[-1] > 1 else adv}))


@convention(
    "whitened-advantages-eps-inside-root",
    {"actor_loss": "code that whitens with rsqrt(variance + ε)"},
    constants=[ROOT_EPS],
)
def whitened_advantages_inside_root(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """Advantages get mean 0 and standard deviation 1 first (ddof 1, ε added to the variance and not to its
    root); a single one is kept.
    """
    adv = arrays["advantages"]
    return dict(
        form(**{**arrays, "advantages": whitened_inside_root(adv, eps) if adv.shape[-1] > 1 else adv})
    )


@convention(
    "whitened-advantages-ddof-0",
    {"actor_loss": "libraries that whiten with NumPy's std and an ε of their own"},
    constants=[EPS],
)
def whitened_advantages_ddof_0(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """Advantages get mean 0 and standard deviation 1 first (ddof 0, ε added); a single one becomes 0."""
    return dict(form(**{**arrays, "advantages": whitened(arrays["advantages"], eps, 0)}))


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


whitened_advantages_1e_8_inside_root = whitened_advantages_inside_root.instance(
    "whitened-advantages-eps-inside-root",
    {"actor_loss": "verl, trl's PPO and torchtune, where they whiten"},
    1e-8,
)
