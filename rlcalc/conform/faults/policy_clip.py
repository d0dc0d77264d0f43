"""Faults of the clipped surrogate of tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, given, sets
from rlcalc.conform.faults import _widths

widths_exchanged = _widths.widths_exchanged


def _bounds(arrays: Arrays) -> tuple[Any, Any]:
    low = given(arrays, "eps_low", 0.2)
    high = given(arrays, "eps_high", low)
    return 1 - low, 1 + high


def _dual(arrays: Arrays, found: Mapping[str, Any], bound: Any) -> Outputs:
    """The objective held at bound·A or above, whatever the sign of the advantage."""
    adv, floor = arrays["adv"], bound * arrays["adv"]
    held = floor > found["objective"]
    return {
        **found,
        "objective": np.where(held, floor, found["objective"]).astype(adv.dtype),
        "d_logp": np.where(held, 0, found["d_logp"]).astype(adv.dtype),
        "clipped": np.where(held, 2, found["clipped"]).astype(adv.dtype),
    }


@fault("clipping", "thu-ml/tianshou issue #433")
def dual_clip_on_good_actions(form: Form, /, **arrays: Any) -> Outputs:
    """Holds the objective at c·A for positive advantages too: they count c times, and teach nothing.

    Shown when: A dual clip and a positive advantage.
    Cause: The maximum is taken before the sign of the advantage is looked at.
    Fix: The dual clip acts where A < 0 alone.
    - objective = torch.max(clipped, c * adv)
    + objective = torch.where(adv < 0, torch.max(clipped, c * adv), clipped)
    """
    found = form(**arrays)
    dual = arrays.get("dual")
    return dict(found) if dual is None else _dual(arrays, found, dual)


@fault("weighting", "walkinglabs/hands-on-modern-rl issue #75")
def ratio_of_the_whole_answer(form: Form, /, **arrays: Any) -> Outputs:
    """Gives every token the product of the ratios of all.

    Shown when: Two tokens or more whose probabilities changed.
    Cause: The log-probabilities are summed over the answer before the ratio is formed.
    Fix: One ratio a token; of one an answer GSPO takes the geometric mean.
    - ratio = torch.exp(logp.sum(-1) - old_logp.sum(-1))
    + ratio = torch.exp(logp - old_logp)
    """
    gaps = arrays["logp"] - arrays["old_logp"]
    whole = np.broadcast_to(gaps.sum(-1, keepdims=True), gaps.shape).astype(gaps.dtype)
    found = form(**{**arrays, "logp": whole, "old_logp": np.zeros_like(gaps)})
    return {name: found[name] for name in ("objective", "ratio", "clipped")}


@fault("normalisation", "pytorch/rl PR #1033")
def whitened_between_the_products(form: Form, /, **arrays: Any) -> Outputs:
    """Whitens the advantages after the plain product was formed: only the clipped one has them whitened.

    Shown when: Two tokens or more whose advantages have another mean than 0 or another deviation than 1.
    Cause: The option was put where the clipped product is, in the middle of the function.
    Fix: Whiten first, then form both products.
    - plain = ratio * adv
      adv = (adv - adv.mean()) / adv.std()
    + plain = ratio * adv
      clipped = ratio.clamp(1 - eps, 1 + eps) * adv
    """
    found, adv = dict(form(**arrays)), arrays["adv"]
    if adv.shape[-1] < 2:
        return found
    low, high = _bounds(arrays)
    spread = np.maximum(adv.std(-1, ddof=1, keepdims=True), 1e-6)
    clipped = np.clip(found["ratio"], low, high) * (adv - adv.mean(-1, keepdims=True)) / spread
    objective = np.minimum(found["ratio"] * adv, clipped).astype(adv.dtype)
    return {"objective": objective, "ratio": found["ratio"]}


@fault("clipping", "takuseno/ppo issue #3")
def maximum_for_minimum(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the larger of the two products: what is clipped is what was to be kept.

    Shown when: A ratio outside the range, and an advantage other than 0.
    Cause: Losses have a maximum there; the sign was taken away and the maximum stayed.
    Fix: The minimum belongs to the objective.
    - objective = torch.max(ratio * adv, torch.clamp(ratio, low, high) * adv)
    + objective = torch.min(ratio * adv, torch.clamp(ratio, low, high) * adv)
    """
    right = form(**{**arrays, "dual": None})
    low, high = _bounds(arrays)
    ratio, adv = right["ratio"], arrays["adv"]
    plain, inner = ratio * adv, np.clip(ratio, low, high) * adv
    held = inner > plain
    found = {
        **right,
        "objective": np.maximum(plain, inner),
        "d_logp": np.where(
            held, 0, form(**{**arrays, "eps_low": 1.0, "eps_high": np.inf, "dual": None})["d_logp"]
        ),
        "clipped": np.where(held, 1.0, 0.0),
    }
    return {name: value.astype(ratio.dtype) for name, value in found.items()}


@argument_fault(
    "swapped",
    "meta-pytorch/torchforge PR #571",
    "tensorforce/tensorforce issue #312",
    "higgsfield-ai/higgsfield issue #20",
)
def ratio_always_one(arrays: Arrays) -> Arrays:
    """Compares the policy with itself: nothing is ever clipped.

    Shown when: Any token whose probability has changed.
    Cause: The old log-probabilities are computed again, with the weights of today.
    Fix: Keep those of the rollout, or compute them once, before the first step.
    - ratio = torch.exp(logp - logp.detach())
    + ratio = torch.exp(logp - old_logp)
    """
    return {"old_logp": arrays["logp"]}


@fault("clipping", "opendilab/PPOxFamily issue #95")
def dual_clip_below_one(form: Form, /, **arrays: Any) -> Outputs:
    """Holds negative advantages at A/c: bad actions teach nothing, even at a ratio of 1.

    Shown when: A dual clip, and a negative advantage with a ratio above 1/c.
    Cause: c is read as a bound of the loss, or as another ε.
    Fix: Take c above 1, such as 3.
    - objective = torch.max(clipped, adv / c)
    + objective = torch.max(clipped, c * adv)
    """
    found = form(**{**arrays, "dual": None})
    dual = arrays.get("dual")
    if dual is None:
        return dict(found)
    bad = arrays["adv"] < 0
    held = _dual(arrays, found, 1 / dual)
    return {name: np.where(bad, held[name], found[name]) for name in found}


@sets("ignored", eps_high=None)
def upper_bound_ignored() -> None:
    """Clips on both sides at the lower width.

    Shown when: A wider range above, and a ratio between the two upper bounds with a positive advantage.
    Cause: One ε was an argument before, and the second does not reach the loss.
    Fix: Hand both on.
    - ratio_clipped = torch.clamp(ratio, 1 - eps_low, 1 + eps_low)
    + ratio_clipped = torch.clamp(ratio, 1 - eps_low, 1 + eps_high)
    """


@sets("clipping", log_clamp=None)
def log_clamp_missing() -> None:
    """Takes the exponential of any difference.

    Shown when: A clamp of the log-ratio, and a difference beyond it that no clip of the ratio hides.
    Cause: Differences are small as long as old and new log-probabilities come from one engine.
    Fix: Clamp the difference before the exponential, as by ±20.
    - ratio = torch.exp(logp - old_logp)
    + ratio = torch.exp(torch.clamp(logp - old_logp, -20, 20))
    """


@fault("clipping")
def gradient_through_the_clip(form: Form, /, **arrays: Any) -> Outputs:
    """Has the right values, and lets held tokens keep the gradient of the plain product.

    Shown when: A ratio that the range or the dual clip holds; only the derivative shows it.
    Cause: The clipped value is put in with a straight-through estimator.
    Fix: torch.min and torch.clamp pass nothing where they hold.
    - objective = plain + (clipped - plain).detach()
    + objective = torch.min(plain, clipped)
    """
    found = form(**arrays)
    return {**found, "d_logp": (found["ratio"] * arrays["adv"]).astype(found["ratio"].dtype)}


def _of_other_ratio(form: Form, arrays: Arrays, ratio: Any, slope: Any) -> Outputs:
    """The clipped objective of something else than the ratio, with its derivative by log π."""
    right = form(**{**arrays, "dual": None})
    adv, (low, high) = arrays["adv"], _bounds(arrays)
    plain, inner = ratio * adv, np.clip(ratio, low, high) * adv
    held = inner < plain
    found = {
        **right,
        "ratio": ratio,
        "objective": np.minimum(plain, inner),
        "d_logp": np.where(held, 0, slope * adv),
        "clipped": np.where(held, 1.0, 0.0),
    }
    typed = {name: np.asarray(value).astype(adv.dtype) for name, value in found.items()}
    if arrays.get("dual") is None:
        return typed
    lower = _dual(arrays, typed, arrays["dual"])
    return {name: np.where(adv < 0, lower[name], typed[name]).astype(adv.dtype) for name in typed}


@fault("logarithm")
def log_ratio_for_ratio(form: Form, /, **arrays: Any) -> Outputs:
    """Uses the difference of the log-probabilities where the ratio is meant.

    Shown when: An advantage other than 0: where nothing has changed, the ratio is 1 and the difference 0.
    Cause: The exponential between the difference of the logs and the ratio is missing.
    Fix: ratio = exp(log π − log π_old).
    - ratio = logp - old_logp
    + ratio = torch.exp(logp - old_logp)
    """
    difference = arrays["logp"] - arrays["old_logp"]
    return _of_other_ratio(form, arrays, difference, np.ones_like(difference))


@fault("logarithm")
def logs_divided(form: Form, /, **arrays: Any) -> Outputs:
    """Divides the log-probabilities by each other where the ratio of probabilities is meant.

    Shown when: A token whose probability has changed: it counts the less, the more likely it became.
    Cause: The line of the formula, π/π_old, is written with the logs that there are.
    Fix: ratio = exp(log π − log π_old).
    - ratio = logp / old_logp
    + ratio = torch.exp(logp - old_logp)
    """
    with np.errstate(all="ignore"):
        ratio, slope = arrays["logp"] / arrays["old_logp"], 1 / arrays["old_logp"]
    return _of_other_ratio(form, arrays, ratio, slope)
