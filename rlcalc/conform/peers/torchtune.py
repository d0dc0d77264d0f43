"""torchtune: the policy part of its PPO loss."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from rlcalc._lazy import torch
from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import positive_ratio


@peer(
    "torchtune",
    "ppo_clip",
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
