"""NeMo-RL: its KL estimates and its advantages."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from functools import partial

from rlcalc._lazy import torch
from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import no_options, one_row, one_table

_PLACE = "nemo_rl.algorithms"
_peer = partial(peer, backend="torch")


@_peer(f"{_PLACE}.utils.masked_mean", outside=one_table("loss"))
def loss_aggregation(function, /, loss, mask, tokens=None):
    count = None if tokens is None else torch.as_tensor(tokens)
    return {"loss": function(loss, mask.long(), global_normalization_factor=count)}


_kl = partial(_peer, f"{_PLACE}.utils.calculate_kl")


@_kl(settings={"estimator": "k1"}, convention="k1", note='kl_type="k1", without its clamps')
@_kl(settings={"estimator": "k2"}, convention="k2", note='kl_type="k2", without its clamps')
@_kl(settings={"estimator": "k3"}, convention="k3-as-written", note='kl_type="k3", its default')
def kl_estimate(function, /, logp, ref_logp, estimator, clamp_in=None, clamp_out=None):
    return function(logp, ref_logp, estimator, clamp_in, clamp_out)


@_kl(formula="kl_estimate", convention="clamped-20-10 k3-as-written", note="as it is called by default")
def kl_by_default(function, /, logp, ref_logp):
    return function(logp, ref_logp)


@_peer(
    f"{_PLACE}.utils.calculate_baseline_and_std_per_prompt",
    convention="mean-only",
    dtypes=("float32",),
    note="rewards less the baseline, without leave_one_out_baseline; float32 in its source",
    outside=[one_row("rewards"), no_options("ddof", "eps", "singleton")],
)
def group_advantage(function, /, rewards, groups):
    baseline, _ = function(groups[:, None], rewards, torch.ones_like(rewards), False)
    return rewards - baseline


@_peer(
    f"{_PLACE}.utils.calculate_baseline_and_std_per_prompt",
    dtypes=("float32",),
    note="rewards less the baseline of the others, leave_one_out_baseline=True; float32 in its source",
    outside=[one_row("rewards")],
)
def rloo_advantage(function, /, rewards, groups):
    baseline, _ = function(groups[:, None], rewards, torch.ones_like(rewards))
    return rewards - baseline
