"""Conventions of estimates from samples."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.backends import NUMPY
from rlcalc.conform.convention import Constant, convention
from rlcalc.conform.forms import Form, Outputs


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


@convention("new-to-old", {"trust_region": "the lecture, section 8.5"})
def new_to_old(form: Form, /, **arrays: Any) -> Outputs:
    """The divergence of the old policy from the new one, its expectation under the new policy."""
    found = dict(form(**arrays))
    old, new = arrays["old"], arrays["new"]
    if old is None:
        old, new = NUMPY.softmax(arrays["theta"], -1), found["policy"]
    with np.errstate(all="ignore"):
        parts = np.where(new > 0, new * (np.log(new) - np.log(old)), 0)
    return {**found, "kl": parts.sum(-1).astype(new.dtype)}
