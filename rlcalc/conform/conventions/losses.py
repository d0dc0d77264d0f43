"""Conventions of losses: signs, means, clip bounds, errors that are not squared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.convention import Constant, convention
from rlcalc.conform.conventions._whitening import DDOF_0, DDOF_1, INSIDE_ROOT, Way, whitening
from rlcalc.conform.forms import Form, Outputs, given


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


@convention(
    "objective",
    {
        "actor_loss": "textbooks",
        "decoupled_ppo": "code whose caller turns it",
        "policy_clip": "code whose caller turns it",
        "ppo_clip": "the paper, and code whose caller turns it",
        "ppo_loss": "the paper, and code whose caller turns it",
    },
    excuses="that its name says loss, and it grows with what is to be maximised",
)
def objective(form: Form, /, **arrays: Any) -> Outputs:
    """The objective itself, to be maximised, whatever the function is called."""
    return dict(form(**arrays))


@convention("mean-reduction", {"actor_loss": "most libraries", "critic_loss": "most libraries"})
def mean_reduction(form: Form, /, **arrays: Any) -> Outputs:
    """The mean over the samples, where the definition sums."""
    return dict(form(**{**arrays, "reduction": "mean"}))


@convention("half-mean-reduction", {"critic_loss": "cleanrl, verl and others"})
def half_mean_reduction(form: Form, /, **arrays: Any) -> Outputs:
    """Half of the mean of the squared errors, whose derivative has no factor 2."""
    return dict(form(**{**arrays, "reduction": "half-mean"}))


@convention("penalty-to-subtract", {"orpo_loss": "trl's odds_ratio_loss"})
def penalty_to_subtract(form: Form, /, **arrays: Any) -> Outputs:
    """β log σ(h) alone, which the caller takes away from the likelihood term."""
    found = form(**arrays)
    gained = found["nll"] - found["losses"]
    return {"losses": gained, "loss": gained.mean(-1), "log_odds": found["log_odds"]}


def _odds_slack(form: Form, arrays: dict[str, Any], bound: float) -> Any:
    """What 1 − exp(a) loses next to a = 0."""
    sides = ("chosen", "rejected")
    nearest = max((arrays[side] / arrays[f"{side}_lengths"]).max() for side in sides)
    return 1 / max(bound, -nearest)


_GUARDS = {"orpo_loss": "code that keeps log(1 − exp(a)) finite"}


@convention("averages-held", _GUARDS, constants=[Constant("bound", 1e-9, 1e-2)], slack=_odds_slack)
def averages_held(form: Form, bound: float, /, **arrays: Any) -> Outputs:
    """The average log-probability of a token is held at −bound or below."""
    sides = ("chosen", "rejected")
    held = {side: np.minimum(arrays[side], -bound * arrays[f"{side}_lengths"]) for side in sides}
    return dict(form(**{**arrays, **held}))


@convention("odds-held", _GUARDS, constants=[Constant("bound", 1e-9, 1e-2)], slack=_odds_slack)
def odds_held(form: Form, bound: float, /, **arrays: Any) -> Outputs:
    """In the odds the average log-probability is held at −bound or below; the likelihood has it as it is."""
    found = averages_held.change(form, bound, **arrays)
    return _of_odds(arrays, arrays["chosen"] / arrays["chosen_lengths"], found["log_odds"])


@convention("odds-eps", _GUARDS, constants=[Constant("eps", 1e-9, 1e-5)], slack=_odds_slack)
def odds_eps(form: Form, eps: float, /, **arrays: Any) -> Outputs:
    """log(1 − exp(a) + ε) is taken for log(1 − exp(a))."""
    return _with_rest(arrays, lambda rest: rest + eps)


@convention("odds-floor", _GUARDS, constants=[Constant("floor", 1e-9, 1e-2)], slack=_odds_slack)
def odds_floor(form: Form, floor: float, /, **arrays: Any) -> Outputs:
    """1 − exp(a) is held at the floor or above."""
    return _with_rest(arrays, lambda rest: np.maximum(rest, floor))


def _with_rest(arrays: dict[str, Any], guarded: Callable[[Any], Any]) -> Outputs:
    """The loss with another number than 1 − exp(a) under the logarithm."""
    better, worse = (arrays[side] / arrays[f"{side}_lengths"] for side in ("chosen", "rejected"))
    odds = [average - np.log(guarded(-np.expm1(average))) for average in (better, worse)]
    return _of_odds(arrays, better, odds[0] - odds[1])


def _of_odds(arrays: dict[str, Any], better: Any, gap: Any) -> Outputs:
    losses = given(arrays, "beta", 0.1) * np.logaddexp(np.zeros_like(gap), -gap) - better
    return {"losses": losses, "loss": losses.mean(-1), "log_odds": gap, "nll": 0 - better}


@convention("means-of-kinds", {"kto_loss": "code that is given pairs"})
def means_of_kinds(form: Form, /, **arrays: Any) -> Outputs:
    """The mean over desirable answers and that over undesirable ones are added."""
    found = form(**arrays)
    kinds = np.asarray(arrays["desirable"], bool)
    loss = sum(found["losses"][kinds == kind].mean() for kind in (True, False) if (kinds == kind).any())
    parts = np.where(kinds, kinds.sum(), (~kinds).sum())
    return {**found, "loss": np.asarray(loss), "d_logps": found["d_logps"] * kinds.size / parts}


def _clipped(arrays: dict[str, Any], low: Any, high: Any) -> Outputs:
    ratio, adv = arrays["ratio"], arrays["adv"]
    held = np.clip(ratio, low, high)
    return {"objective": np.minimum(ratio * adv, held * adv)}


def _clip(arrays: dict[str, Any]) -> Any:
    """The ε of a call, or what it is by default."""
    return given(arrays, "eps", 0.2)


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


def _whitened(way: Way, form: Form, eps: float, /, **arrays: Any) -> Outputs:
    adv = arrays["advantages"]
    kept = adv.shape[-1] <= way.ddof
    return dict(form(**{**arrays, "advantages": adv if kept else way.whitened(adv, eps)}))


whitened, whitened_inside_root, whitened_ddof_0 = whitening(
    "whitened-advantages",
    "Advantages get mean 0 and standard deviation 1 first ({words}); a single one {alone}.",
    "actor_loss",
    {
        DDOF_1: "libraries that whiten with Torch's std and an ε of their own",
        INSIDE_ROOT: "code that whitens with rsqrt(variance + ε)",
        DDOF_0: "libraries that whiten with NumPy's std and an ε of their own",
    },
    _whitened,
)
# their names of before, by the ε of most libraries
whitened_1e_8, whitened_ddof_0_1e_8, whitened_inside_root_1e_8 = (
    way.instance(way.name, {"actor_loss": users}, 1e-8)
    for way, users in (
        (whitened, "stable-baselines3, and cleanrl for more than one"),
        (whitened_ddof_0, "baselines, purejaxrl, pfrl; spinningup without ε"),
        (whitened_inside_root, "verl, trl's PPO and torchtune, where they whiten"),
    )
)
