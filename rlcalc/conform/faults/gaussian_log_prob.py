"""Faults of the log-probability of a Gaussian policy."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, output_fault
from rlcalc.conform.faults import _gaussian as shared
from rlcalc.conform.faults._gaussian import HALF_LOG_TWO_PI, one_constant, summed
from rlcalc.conform.forms import log_std

mean_over_dimensions = shared.mean_over_dimensions


@fault("swapped", "hill-a/stable-baselines issue #1059 (PR #1060)")
def std_for_variance(form: Form, /, **arrays: Any) -> Outputs:
    """Puts σ where its square belongs, and half of log σ where the whole does.

    Shown when: A standard deviation other than 1.
    Cause: The formula was written for a variance and gets a standard deviation.
    Fix: Divide by σ twice, and subtract log σ.
    - log_prob = -((x - mean) ** 2) / (2 * std) - 0.5 * std.log() - 0.5 * math.log(2 * math.pi)
    + log_prob = -(((x - mean) / std) ** 2) / 2 - std.log() - 0.5 * math.log(2 * math.pi)
    """
    log = log_std(arrays)
    square = np.square(arrays["x"] - arrays["mean"])
    return summed("log_prob", "log_probs", -square / (2 * np.exp(log)) - log / 2 - HALF_LOG_TWO_PI)


@output_fault("logarithm")
def constant_missing(found: Outputs, arrays: Arrays) -> Outputs:
    """Leaves out log(2π)/2.

    Shown when: Always; a ratio of two log-probabilities hides it.
    Cause: A constant has no gradient. The entropy estimate of SAC and a threshold on log π need it.
    Fix: Subtract log(2π)/2 for every dimension.
    - log_prob = (-(((x - mean) / std) ** 2) / 2 - std.log()).sum(-1)
    + log_prob = (-(((x - mean) / std) ** 2) / 2 - std.log() - 0.5 * math.log(2 * math.pi)).sum(-1)
    """
    return summed("log_prob", "log_probs", found["log_probs"] + HALF_LOG_TWO_PI)


@output_fault("counting")
def constant_once(found: Outputs, arrays: Arrays) -> Outputs:
    """Subtracts log(2π)/2 once, whatever the number of dimensions.

    Shown when: Two dimensions or more.
    Cause: The constant stands outside of the sum.
    Fix: Subtract it for every dimension.
    - log_prob = (-(z**2) / 2 - std.log()).sum(-1) - 0.5 * math.log(2 * math.pi)
    + log_prob = (-(z**2) / 2 - std.log()).sum(-1) - 0.5 * dim * math.log(2 * math.pi)
    """
    return one_constant(found, "log_prob", "log_probs", -HALF_LOG_TWO_PI)


@fault("weighting")
def half_missing(form: Form, /, **arrays: Any) -> Outputs:
    """Subtracts the whole squared distance, not half of it.

    Shown when: An action away from the mean.
    Cause: The 2 under the fraction bar is forgotten.
    Fix: Half of the square of (x − μ)/σ.
    - log_prob = -(((x - mean) / std) ** 2) - std.log() - 0.5 * math.log(2 * math.pi)
    + log_prob = -(((x - mean) / std) ** 2) / 2 - std.log() - 0.5 * math.log(2 * math.pi)
    """
    z = (arrays["x"] - arrays["mean"]) / np.exp(log_std(arrays))
    return summed("log_prob", "log_probs", form(**arrays)["log_probs"] - z * z / 2)


@fault("sign")
def width_added(form: Form, /, **arrays: Any) -> Outputs:
    """Adds log σ where it has to be subtracted.

    Shown when: A standard deviation other than 1.
    Cause: The sign is carried over from the entropy, which does add it.
    Fix: A wider density is lower: subtract log σ.
    - log_prob = -(z**2) / 2 + log_std - 0.5 * math.log(2 * math.pi)
    + log_prob = -(z**2) / 2 - log_std - 0.5 * math.log(2 * math.pi)
    """
    return summed("log_prob", "log_probs", form(**arrays)["log_probs"] + 2 * log_std(arrays))


@fault("ignored")
def width_missing(form: Form, /, **arrays: Any) -> Outputs:
    """Leaves out log σ.

    Shown when: A standard deviation other than 1.
    Cause: The width was a constant once; now it is learned, and only grows.
    Fix: Subtract log σ for every dimension.
    - log_prob = -(z**2) / 2 - 0.5 * math.log(2 * math.pi)
    + log_prob = -(z**2) / 2 - log_std - 0.5 * math.log(2 * math.pi)
    """
    return summed("log_prob", "log_probs", form(**arrays)["log_probs"] + log_std(arrays))


@fault("weighting")
def width_halved(form: Form, /, **arrays: Any) -> Outputs:
    """Subtracts half of log σ.

    Shown when: A standard deviation other than 1.
    Cause: Under one factor of 1/2 the width stands as log σ², which is 2 log σ, and the 2 is missing.
    Fix: Subtract log σ, or 2 log σ within the bracket that is halved.
    - log_prob = -0.5 * (z**2 + log_std + math.log(2 * math.pi))
    + log_prob = -0.5 * (z**2 + 2 * log_std + math.log(2 * math.pi))
    """
    return summed("log_prob", "log_probs", form(**arrays)["log_probs"] + log_std(arrays) / 2)


@argument_fault("logarithm")
def exponential_twice(arrays: Arrays) -> Arrays:
    """Takes the given width for a logarithm of the standard deviation when it is the deviation itself.

    Shown when: Any standard deviation, or a logarithm: it is exponentiated once too often.
    Cause: The network's head already applies exp.
    Fix: One exponential, in one place.
    - std = actor.std(obs).exp()
    + std = actor.std(obs)
    """
    if arrays.get("log_std") is None:
        return {"std": None, "log_std": arrays["std"]}
    return {"log_std": np.exp(arrays["log_std"])}


@fault("weighting")
def square_missing(form: Form, /, **arrays: Any) -> Outputs:
    """Divides the squared distance by 2σ, not by 2σ².

    Shown when: A standard deviation other than 1, and an action away from the mean.
    Cause: exp(log σ) is called the variance; the width itself is subtracted rightly.
    Fix: The variance is exp(2·log σ).
    - var = log_std.exp()
    + var = (2 * log_std).exp()
      log_prob = -((x - mean) ** 2) / (2 * var) - log_std - 0.5 * math.log(2 * math.pi)
    """
    log = log_std(arrays)
    square = np.square(arrays["x"] - arrays["mean"])
    return summed("log_prob", "log_probs", -square / (2 * np.exp(log)) - log - HALF_LOG_TWO_PI)


@output_fault("logarithm")
def constant_not_halved(found: Outputs, arrays: Arrays) -> Outputs:
    """Subtracts log(2π), not half of it.

    Shown when: Always; a ratio of two log-probabilities hides it.
    Cause: The half in front of the logarithm, which is the root of the density's constant, is lost.
    Fix: log(2π)/2 for every dimension.
    - log_prob = -(z**2) / 2 - log_std - math.log(2 * math.pi)
    + log_prob = -(z**2) / 2 - log_std - 0.5 * math.log(2 * math.pi)
    """
    return summed("log_prob", "log_probs", found["log_probs"] - HALF_LOG_TWO_PI)
