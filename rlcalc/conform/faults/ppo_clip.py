"""Faults of PPO's clipped objective."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault


def _smaller(unclipped: Any, clipped: Any) -> Outputs:
    return {"objective": np.minimum(unclipped, clipped)}


@fault("clipping", "takuseno/ppo issue #3")
def minimum_before_the_product(form: Form, ratio: Any, adv: Any, eps: Any) -> Outputs:
    """Takes the smaller of ratio and clipped ratio and multiplies that by the advantage.

    Shown when: A negative advantage with a ratio outside the interval, on either side.
    Cause: The advantage is moved out of the minimum; a negative factor turns a minimum into a maximum.
    Fix: Form both products first: min(r·A, clip(r, 1−ε, 1+ε)·A).
    - objective = np.minimum(ratio, np.clip(ratio, 1 - eps, 1 + eps)) * adv
    + objective = np.minimum(ratio * adv, np.clip(ratio, 1 - eps, 1 + eps) * adv)
    """
    return {"objective": np.minimum(ratio, np.clip(ratio, 1 - eps, 1 + eps)) * adv}


@fault("clipping")
def maximum_for_minimum(form: Form, ratio: Any, adv: Any, eps: Any) -> Outputs:
    """Takes the larger of the two products.

    Shown when: A ratio outside the interval and an advantage that is not 0.
    Cause: Loss code reads max(−r·A, −clip(r)·A); the signs were taken away and the maximum stayed.
    Fix: The minimum belongs to the objective, the maximum to its negative.
    - objective = np.maximum(ratio * adv, np.clip(ratio, 1 - eps, 1 + eps) * adv)
    + objective = np.minimum(ratio * adv, np.clip(ratio, 1 - eps, 1 + eps) * adv)
    """
    return {"objective": np.maximum(ratio * adv, np.clip(ratio, 1 - eps, 1 + eps) * adv)}


@fault("clipping")
def minimum_forgotten(form: Form, ratio: Any, adv: Any, eps: Any) -> Outputs:
    """Uses the clipped product alone.

    Shown when: A ratio that left the interval against the advantage (A > 0 and r < 1−ε, or A < 0 and r >
        1+ε).
    Cause: The clip is taken for the whole method; the three usual examples all agree with it.
    Fix: Compare with r·A and take the minimum: otherwise a bad step that overshot has no gradient back.
    - objective = np.clip(ratio, 1 - eps, 1 + eps) * adv
    + objective = np.minimum(ratio * adv, np.clip(ratio, 1 - eps, 1 + eps) * adv)
    """
    return {"objective": np.clip(ratio, 1 - eps, 1 + eps) * adv}


@fault("clipping")
def surrogate_clipped(form: Form, ratio: Any, adv: Any, eps: Any) -> Outputs:
    """Clips the product r·A to 1 ± ε, whatever the advantage is.

    Shown when: Most inputs: a product below 1−ε is left as it is, one above 1+ε is held there.
    Cause: The advantage was multiplied before the clip, in a line that is used twice.
    Fix: Clip the ratio, then multiply: clip(r, 1−ε, 1+ε)·A.
    - objective = np.minimum(ratio * adv, np.clip(ratio * adv, 1 - eps, 1 + eps))
    + objective = np.minimum(ratio * adv, np.clip(ratio, 1 - eps, 1 + eps) * adv)
    """
    return _smaller(ratio * adv, np.clip(ratio * adv, 1 - eps, 1 + eps))


@fault("clipping")
def clip_forgotten(form: Form, ratio: Any, adv: Any, eps: Any) -> Outputs:
    """Uses the product of ratio and advantage as it is.

    Shown when: A ratio that moved further than ε with the advantage.
    Cause: clamp returns a new tensor and its result was dropped, or both arguments of min are the unclipped
        one.
    Fix: Assign what clamp returns and put it into the second product.
    - torch.clamp(ratio, 1 - eps, 1 + eps)
    - objective = torch.min(ratio * adv, ratio * adv)
    + clipped = torch.clamp(ratio, 1 - eps, 1 + eps)
    + objective = torch.min(ratio * adv, clipped * adv)
    """
    return {"objective": ratio * adv}


@fault("clipping")
def clipped_above_only(form: Form, ratio: Any, adv: Any, eps: Any) -> Outputs:
    """Bounds the ratio by 1+ε and not by 1−ε.

    Shown when: A negative advantage with a ratio below 1−ε.
    Cause: clamp(max=1+ε) was written with good actions in mind.
    Fix: Clip on both sides: for a bad action the lower bound is the one that acts.
    - clipped = torch.clamp(ratio, max=1 + eps)
    + clipped = torch.clamp(ratio, 1 - eps, 1 + eps)
    """
    return _smaller(ratio * adv, np.minimum(ratio, 1 + eps) * adv)


@fault("clipping")
def bounds_swapped(form: Form, ratio: Any, adv: Any, eps: Any) -> Outputs:
    """Clips with 1+ε as the lower and 1−ε as the upper bound, which always gives 1−ε.

    Shown when: Nearly every input, as the clipped product no longer depends on the ratio.
    Cause: The arguments of clip were given in the wrong order; NumPy and Torch accept them silently.
    Fix: clip(r, 1−ε, 1+ε): the lower bound comes first.
    - clipped = np.clip(ratio, 1 + eps, 1 - eps)
    + clipped = np.clip(ratio, 1 - eps, 1 + eps)
    """
    # with the lower bound above the upper one, clip gives the last bound that it applies
    return _smaller(ratio * adv, np.clip(ratio, 1 + eps, 1 - eps) * adv)


@fault("clipping")
def interval_around_zero(form: Form, ratio: Any, adv: Any, eps: Any) -> Outputs:
    """Clips the ratio to [−ε, ε].

    Shown when: Any positive advantage with a ratio above ε; nothing is learnt from it.
    Cause: The interval of the difference r − 1, or of the log-ratio, was used for the ratio.
    Fix: The interval lies around 1: [1−ε, 1+ε].
    - clipped = np.clip(ratio, -eps, eps)
    + clipped = np.clip(ratio, 1 - eps, 1 + eps)
    """
    return _smaller(ratio * adv, np.clip(ratio, -eps, eps) * adv)


@fault("clipping")
def advantage_clipped(form: Form, ratio: Any, adv: Any, eps: Any) -> Outputs:
    """Clips the advantage to [1−ε, 1+ε] and leaves the ratio as it is.

    Shown when: Nearly every advantage outside the interval.
    Cause: The arguments of clip were mixed up.
    Fix: Clip the ratio; the advantage stays as it is in both products.
    - objective = np.minimum(ratio * adv, ratio * np.clip(adv, 1 - eps, 1 + eps))
    + objective = np.minimum(ratio * adv, np.clip(ratio, 1 - eps, 1 + eps) * adv)
    """
    return _smaller(ratio * adv, ratio * np.clip(adv, 1 - eps, 1 + eps))


@fault("clipping", "HanlardResearch/Hetero-RL issue #6")
def product_clipped(form: Form, ratio: Any, adv: Any, eps: Any) -> Outputs:
    """Clips the product of ratio and advantage to [1−ε, 1+ε] and multiplies it with the advantage again.

    Shown when: A product outside the interval, such as a ratio of 1 with an advantage of 1/2.
    Cause: The advantage slipped into the argument of clip.
    Fix: Clip the ratio, then multiply with the advantage once.
    - np.minimum(ratio * adv, np.clip(ratio * adv, 1 - eps, 1 + eps) * adv)
    + np.minimum(ratio * adv, np.clip(ratio, 1 - eps, 1 + eps) * adv)
    """
    return _smaller(ratio * adv, np.clip(ratio * adv, 1 - eps, 1 + eps) * adv)


@fault("clipping", "AI4Finance-Foundation/ElegantRL")
def scaled_by_the_bounds(form: Form, ratio: Any, adv: Any, eps: Any) -> Outputs:
    """Multiplies r·A by 1−ε where the advantage is positive and by 1+ε elsewhere: nothing is ever clipped.

    Shown when: Any ratio and advantage other than 0, also a ratio of 1.
    Cause: The bounds are factors of the ratio here, where they are to stand in its place.
    Fix: min(r·A, clip(r, 1−ε, 1+ε)·A).
    - ratio * adv * np.where(adv > 0, 1 - eps, 1 + eps)
    + np.minimum(ratio * adv, np.clip(ratio, 1 - eps, 1 + eps) * adv)
    """
    return {"objective": ratio * adv * np.where(adv > 0, 1 - eps, 1 + eps)}


@fault("clipping", "opendilab/PPOxFamily issue #95")
def dual_clip_below_one(form: Form, ratio: Any, adv: Any, eps: Any) -> Outputs:
    """Holds the objective of a negative advantage at c·A or above with a c below 1, such as 1/2: the bound
    acts on every bad action, even at a ratio of 1.

    Shown when: A negative advantage with a ratio above c.
    Cause: c is read as a bound of the loss, or as another ε.
    Fix: Take c above 1, such as 3: only a ratio beyond it is held.
    - objective = np.where(adv < 0, np.maximum(clipped, 0.5 * adv), clipped)
    + objective = np.where(adv < 0, np.maximum(clipped, 3 * adv), clipped)
    """
    plain = form(ratio=ratio, adv=adv, eps=eps)["objective"]
    return {"objective": np.where(adv < 0, np.maximum(plain, adv / 2), plain)}


@argument_fault("logarithm")
def log_ratio_for_ratio(arrays: Arrays) -> Arrays:
    """Uses the difference of the log-probabilities where the ratio is meant.

    Shown when: Wherever clipping does not hide it. A ratio of 1 gives 0 for a positive advantage A and
        (1−ε)·A for a negative one, where A is right.
    Cause: The exponential between the difference of the logs and the ratio is missing.
    Fix: ratio = exp(log π_new − log π_old).
    - ratio = log_prob - old_log_prob
    + ratio = np.exp(log_prob - old_log_prob)
    """
    return {"ratio": np.log(arrays["ratio"])}


@argument_fault("swapped")
def ratio_inverted(arrays: Arrays) -> Arrays:
    """Takes π_old/π_new for the ratio: the more likely an action became, the less it counts.

    Shown when: A ratio other than 1 and an advantage other than 0.
    Cause: The difference of the log-probabilities was written as old − new.
    Fix: ratio = exp(log π_new − log π_old).
    - ratio = torch.exp(old_log_probs - log_probs)
    + ratio = torch.exp(log_probs - old_log_probs)
    """
    with np.errstate(divide="ignore"):
        return {"ratio": 1 / arrays["ratio"]}


@fault("clipping")
def advantage_once(form: Form, ratio: Any, adv: Any, eps: Any) -> Outputs:
    """Compares r·A with the clipped ratio alone, which is not multiplied by the advantage.

    Shown when: Most inputs.
    Cause: The advantage stands in the first of the two lines alone.
    Fix: Both products hold the advantage.
    - objective = np.minimum(ratio * adv, np.clip(ratio, 1 - eps, 1 + eps))
    + objective = np.minimum(ratio * adv, np.clip(ratio, 1 - eps, 1 + eps) * adv)
    """
    return _smaller(ratio * adv, np.clip(ratio, 1 - eps, 1 + eps))
