"""Faults of the entropy of a Gaussian policy."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, output_fault
from rlcalc.conform.faults import _gaussian as shared
from rlcalc.conform.faults._gaussian import HALF_LOG_TWO_PI, one_constant, summed
from rlcalc.conform.forms import log_std

mean_over_dimensions = shared.mean_over_dimensions


@fault("weighting", "ray-project/ray issue #6393 (PR #6475)")
def log_std_halved(form: Form, /, **arrays: Any) -> Outputs:
    """Adds half of log σ, as if it were the logarithm of a variance.

    Shown when: A standard deviation other than 1.
    Cause: The formula log(2πeσ²)/2 is split up, and its 2 is lost.
    Fix: The whole log σ.
    - entropy = (0.5 * (log_std + math.log(2 * math.pi * math.e))).sum(-1)
    + entropy = (log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)
    """
    return summed("entropy", "entropies", form(**arrays)["entropies"] - log_std(arrays) / 2)


@fault("weighting")
def log_std_doubled(form: Form, /, **arrays: Any) -> Outputs:
    """Adds log σ², the logarithm of the variance, without halving it.

    Shown when: A standard deviation other than 1.
    Cause: The half in front of log(2πeσ²) is applied to the constant alone.
    Fix: log σ, or half of log σ².
    - entropy = (0.5 * math.log(2 * math.pi * math.e) + var.log()).sum(-1)
    + entropy = (0.5 * math.log(2 * math.pi * math.e) + 0.5 * var.log()).sum(-1)
    """
    return summed("entropy", "entropies", form(**arrays)["entropies"] + log_std(arrays))


@output_fault("logarithm")
def e_missing(found: Outputs, arrays: Arrays) -> Outputs:
    """Adds log(2π)/2 where log(2πe)/2 belongs: 1/2 is missing for every dimension.

    Shown when: Always.
    Cause: The constant of the density is taken for that of its entropy.
    Fix: 1/2 + log(2π)/2 + log σ.
    - entropy = (log_std + 0.5 * math.log(2 * math.pi)).sum(-1)
    + entropy = (log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)
    """
    return summed("entropy", "entropies", found["entropies"] - 0.5)


@output_fault("logarithm")
def constant_missing(found: Outputs, arrays: Arrays) -> Outputs:
    """Adds up log σ alone.

    Shown when: Always; its gradient is right.
    Cause: A constant has no gradient. A target entropy or a plot needs it.
    Fix: 1/2 + log(2π)/2 + log σ.
    - entropy = log_std.sum(-1)
    + entropy = (log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)
    """
    return summed("entropy", "entropies", found["entropies"] - (0.5 + HALF_LOG_TWO_PI))


@output_fault("counting")
def constant_once(found: Outputs, arrays: Arrays) -> Outputs:
    """Adds log(2πe)/2 once, whatever the number of dimensions.

    Shown when: Two dimensions or more.
    Cause: The constant stands outside of the sum.
    Fix: Add it for every dimension.
    - entropy = log_std.sum(-1) + 0.5 * math.log(2 * math.pi * math.e)
    + entropy = (log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)
    """
    return one_constant(found, "entropy", "entropies", 0.5 + HALF_LOG_TWO_PI)


@argument_fault("logarithm")
def std_for_log_std(arrays: Arrays) -> Arrays:
    """Adds σ itself, without its logarithm.

    Shown when: A standard deviation σ with σ other than log σ, which is every one.
    Cause: A head that gives the deviation is read as one that gives its logarithm.
    Fix: Take the logarithm first.
    - entropy = (std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)
    + entropy = (std.log() + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)
    """
    if arrays.get("log_std") is None:
        return {"std": None, "log_std": arrays["std"]}
    return {"log_std": np.exp(arrays["log_std"])}
