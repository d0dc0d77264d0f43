"""ms-swift: the advantages and the KL estimate of its reinforcement learning."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from functools import partial

from rlcalc._lazy import torch
from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import groups_in_a_row, no_options, one_row

_PLACE = "swift.rl_core.advantage"
_advantages = partial(peer, function=f"{_PLACE}.compute_advantages", backend="torch")


@_advantages(
    convention="eps-1e-4",
    note="1e-4 is in its source",
    outside=[one_row("rewards"), groups_in_a_row, no_options("ddof", "eps", "singleton")],
)
def group_advantage(function, /, rewards, groups):
    size = int((groups == groups[0]).sum())
    return function(rewards[:, None], torch.ones(1, dtype=rewards.dtype), size)[0]


@_advantages(note="advantage_estimator=rloo, without a scale", outside=[one_row("rewards"), groups_in_a_row])
def rloo_advantage(function, /, rewards, groups):
    size = int((groups == groups[0]).sum())
    weights = torch.ones(1, dtype=rewards.dtype)
    return function(rewards[:, None], weights, size, "rloo", "none")[0]


@peer(
    f"{_PLACE}.compute_teacher_kl_per_token",
    backend="torch",
    convention="k3-as-written",
    note="of a teacher in the place of the reference",
)
def kl_estimate(function, /, logp, ref_logp):
    return function(ref_logp, logp, torch.ones_like(logp, dtype=torch.bool))
