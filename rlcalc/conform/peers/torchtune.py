"""torchtune: the policy part of its PPO loss, and its whitening."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from rlcalc._lazy import torch
from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import one_table, positive_ratio


@peer(
    "torchtune.rlhf.loss.PPOLoss.forward",
    backend="torch",
    convention="loss mean-over-batch",
    note="the docstring says that it is a loss; the mean over tokens; the policy's part of it",
    outside=positive_ratio,
)
def ppo_clip(forward, /, ratio, adv, eps):
    from torchtune.rlhf.loss import PPOLoss

    ratio, adv = torch.broadcast_tensors(ratio, adv)
    none = torch.zeros_like(ratio)
    return forward(PPOLoss(epsilon=eps), none, ratio.log(), adv, none, none, none)[1]


@peer(
    "torchtune.rlhf.rewards.whiten",
    backend="torch",
    convention="eps-1e-8-inside-root",
    note="1e-8 stands in its source; masked entries are left to the caller",
    outside=one_table("x"),
)
def masked_whiten(whiten, /, x, mask, shift_mean=True):
    return torch.where(mask, whiten(x, mask, bool(shift_mean)), 0)
