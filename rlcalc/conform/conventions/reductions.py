"""Conventions that give one number for a batch; they stand around all others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.convention import Constant, convention
from rlcalc.conform.forms import Form, Outputs


def _whole(found: Mapping[str, Any]) -> Outputs:
    """Outputs that can be reduced; a derivative by one sample is none of the reduced answer."""
    return {name: v for name, v in found.items() if v is not None and not name.startswith("d_")}


@convention(
    "mean-over-batch",
    {
        "critic_loss": "nearly every library, whose loss is a mean over all samples",
        "entropy": "nearly every library, as the bonus or its negative",
        "kl": "libraries that stop an update by it, torch.nn.functional.kl_div with batchmean",
        "ppo_clip": "nearly every library, as the loss that is minimised",
        "quantile_huber_loss": "QR-DQN and IQN as usually written, one number for a minibatch",
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
