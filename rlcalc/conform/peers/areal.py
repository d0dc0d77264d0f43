"""AReaL: the functions of its losses."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from functools import partial

from rlcalc._lazy import torch
from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import no_empty_rows, one_row, one_table, something_valid

_PLACE = "areal.utils.functional.functional"
_peer = partial(peer, backend="torch")
_actor = partial(_peer, function=f"{_PLACE}.ppo_actor_loss_fn")


@_actor(convention="loss mean-over-batch", note="a loss, the mean over tokens, in its source")
def policy_clip(function, /, logp, old_logp, adv, eps_low, eps_high=None, dual=None):
    new, old, adv = (numbers.reshape(1, -1) for numbers in torch.broadcast_tensors(logp, old_logp, adv))
    mask = torch.ones_like(new, dtype=torch.bool)
    return function(new, old, old, adv, eps_low, mask, eps_high, dual)[0]


@_actor(
    convention="loss mean-over-batch",
    dtypes=("float32",),
    note="the weight of the behaviour, by rejection_sampling with action=clamp; float32 in its source",
)
def decoupled_ppo(function, /, logp, prox_logp, behav_logp, adv, eps_low, eps_high, cap=None):
    from types import SimpleNamespace

    bounds = {"lower": 0.0, "upper": float("inf") if cap is None else cap}
    config = SimpleNamespace(metric="ratio", level="token", action="clamp", agg="mean", **bounds)
    rows = [x.reshape(1, -1) for x in torch.broadcast_tensors(logp, prox_logp, behav_logp, adv)]
    mask = torch.ones_like(rows[0], dtype=torch.bool)
    return function(*rows, eps_low, mask, eps_high, rejection_sampling=config)[0]


@_actor(
    note="importance_sampling_level=sequence, with its mean over all tokens",
    outside=[one_table("logp"), no_empty_rows],
)
def gspo(function, /, logp, old_logp, adv, mask, eps_low, eps_high):
    rows = adv[:, None].expand_as(logp)
    found = function(
        logp, old_logp, old_logp, rows, eps_low, mask, eps_high, importance_sampling_level="sequence"
    )
    return {"loss": found[0]}


@_peer(
    f"{_PLACE}.ppo_critic_loss_fn",
    convention="nan-when-empty",
    dtypes=("float32",),
    note="float32 is asserted in its source",
    outside=one_table("values"),
)
def value_clip_loss(function, /, values, old_values, returns, mask, eps):
    return {"loss": function(values, old_values, returns, eps, mask)[0]}


_pairs = partial(
    _peer, function=f"{_PLACE}.dpo_preference_loss", dtypes=("float32",), outside=one_row("chosen")
)
_NOTE = "of the difference of the log-ratios, which another function takes; float32 in its source"


@_pairs(note=_NOTE)
def dpo_loss(function, /, chosen, rejected, ref_chosen, ref_rejected, beta):
    losses = function((chosen - ref_chosen) - (rejected - ref_rejected), beta=beta)
    return {"losses": losses, "loss": losses.mean()}


@_pairs(note=f"loss_type=ipo; {_NOTE}")
def ipo_loss(function, /, chosen, rejected, ref_chosen, ref_rejected, beta, chosen_lengths, rejected_lengths):
    gap = (chosen - ref_chosen) / chosen_lengths - (rejected - ref_rejected) / rejected_lengths
    losses = function(gap, beta=beta, loss_type="ipo")
    return {"losses": losses, "loss": losses.mean()}


@_peer(
    f"{_PLACE}.masked_normalization",
    convention="ddof-0 eps-outside-root=1e-5",
    dtypes=("float32",),
    note="unbiased=False and eps = 1e-5 are in its signature; masked entries are left to the caller; float32",
    outside=[one_table("x"), something_valid],
)
def masked_whiten(function, /, x, mask):
    return function(x, mask) * mask


_kl = partial(_peer, "areal.utils.data.KLEstimator", dtypes=("float32",))


@_kl(
    settings={"estimator": "k1"},
    convention="k1 every-estimate-clamped-10",
    note="its default, within 10, float32",
)
@_kl(settings={"estimator": "k2"}, convention="k2 every-estimate-clamped-10", note="within 10, float32")
@_kl(settings={"estimator": "k3"}, convention="clamped-10 k3-as-written", note="within 10, float32")
def kl_estimate(KLEstimator, /, logp, ref_logp, estimator):
    return KLEstimator(estimator)(logp, ref_logp)


@_peer(
    f"{_PLACE}.reward_overlong_penalty",
    convention="no-floor",
    dtypes=("float32",),
    note="without a floor, in its source, which computes it in float32",
    outside=one_row("lengths"),
)
def overlong_penalty(function, /, lengths, max_length, buffer, factor):
    columns = torch.arange(max(1, int(lengths.max())))
    mask = columns < lengths[:, None]
    data = {"rewards": torch.zeros(len(lengths)), "input_ids": mask, "loss_mask": mask}
    return function(data, buffer, factor, max_length)["rewards"]
