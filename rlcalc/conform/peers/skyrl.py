"""SkyRL: the clipped loss and REINFORCE++ of its trainer."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from functools import partial

from rlcalc._lazy import torch
from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import one_table

_PLACE = "skyrl.backends.skyrl_train.utils.ppo_utils"
_peer = partial(peer, backend="torch")


@_peer(
    f"{_PLACE}.ppo_policy_loss",
    convention="log-ratio-clamped-20 loss sum-over-batch",
    dtypes=("float32",),
    note="a loss, the sum over tokens, whose mean the advantages bring; log-ratios within 20, and float32, "
    "in its source",
)
def policy_clip(function, /, logp, old_logp, adv, eps_low, eps_high=None, dual=None):
    from types import SimpleNamespace

    clip = {"eps_clip_low": eps_low, "eps_clip_high": eps_low if eps_high is None else eps_high}
    kind = {"policy_loss_type": "regular" if dual is None else "dual_clip", "clip_ratio_c": dual}
    config = SimpleNamespace(off_policy_correction=None, **clip, **kind)
    rows = [numbers.reshape(1, -1) for numbers in torch.broadcast_tensors(logp, old_logp, adv)]
    return function(*rows, config, torch.ones_like(rows[0]))[0]


@_peer(
    f"{_PLACE}.compute_reinforce_plus_plus_outcome_advantage",
    convention="eps-1e-8-inside-root interior-reset",
    note="a masked token ends the return, and 1e-8 in the whitening, in its source; rewards under the mask "
    "are given as 0",
    outside=one_table("rewards"),
)
def reinforce_pp_advantage(function, /, rewards, mask, gamma):
    advantages, returns = function(torch.where(mask, rewards, 0), mask.long(), gamma)
    return {"advantages": advantages, "returns": returns * mask}
