"""Gradients of PPO's loss written out by hand, to hold against autograd's.

With M rows, logits h, π = softmax(h), r = π(a)/π_old(a):

    ∂L_clip/∂h = 1/M · A·r·[L moves with r]·(1_a − π)
    ∂H/∂h      = −1/M · π·(log π + H)
    ∂loss/∂h   = −∂L_clip/∂h − c2·∂H/∂h
    ∂loss/∂V   = c1·2c·(V − G),   c = 1, 1/M or 1/(2M)

L moves with r unless A > 0 and r > 1+ε, or A < 0 and r < 1−ε. For a normal
policy (1_a − π) is the score (z/σ, z² − 1) by mean and log-deviation, and the
entropy's derivative is (0, 1). None of it calls a formula under test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rlcalc.ppo.envs.base import DiscreteActions

if TYPE_CHECKING:
    from rlcalc.ppo.records import Batch
    from rlcalc.ppo.train import Trainer


def probe_gradients(
    trainer: Trainer, part: Batch, head: Tensor, values: Tensor
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Found by autograd through the trainer's own losses, and expected by the closed forms.

    Args:
        part: M rows. head, values: where to probe, [M, H] and [M].

    Returns:
        Both with ``clip_gradient`` and ``loss_gradient`` [M, H] and
        ``critic_gradient`` [M]; found has the probed ``ratio`` [M] as well.
        Rows within rounding of a kink are 0 in both.
    """
    head, values = head.detach().requires_grad_(), values.detach().requires_grad_()
    with torch.enable_grad():
        losses = trainer.losses(head, values, part)
    (clip,) = torch.autograd.grad(losses.clip, [head], retain_graph=True)
    whole, critic = torch.autograd.grad(losses.loss, [head, values], allow_unused=True)
    with torch.no_grad():
        ratio, score, entropy_slope = _policy_parts(trainer, part, head)
        s, rows, adv = trainer.settings, len(values), part.advantage
        flat = ((adv > 0) & (ratio > 1 + s.clip)) | ((adv < 0) & (ratio < 1 - s.clip))
        expected_clip = torch.where(flat, 0.0, adv * ratio)[:, None] * score / rows
        expected_whole = -expected_clip - s.c2 * entropy_slope / rows
        scale = {"sum": 2.0, "mean": 2.0 / rows, "half-mean": 1.0 / rows}[s.critic_reduction]
        near = torch.minimum((ratio - 1 - s.clip).abs(), (ratio - 1 + s.clip).abs()) < 1e-4
    away = (~near).to(head.dtype)[:, None]
    found = {
        "clip_gradient": clip * away,
        "loss_gradient": _or_zeros(whole, head) * away,
        "critic_gradient": _or_zeros(critic, values),
        "ratio": losses.ratio.detach(),
    }
    expected = {
        "clip_gradient": expected_clip * away,
        "loss_gradient": expected_whole * away,
        "critic_gradient": s.c1 * scale * (values.detach() - part.returns),
    }
    return found, expected


def _or_zeros(gradient: Tensor | None, like: Tensor) -> Tensor:
    return torch.zeros_like(like) if gradient is None else gradient


def _policy_parts(trainer: Trainer, part: Batch, head: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """r [M], ∂log π(a)/∂h [M, H] and ∂H/∂h [M, H], row by row."""
    if isinstance(trainer.env.action, DiscreteActions):
        logs = torch.log_softmax(head, -1)
        p = logs.exp()
        taken = torch.zeros_like(p).scatter_(-1, part.action[:, None], 1.0)
        log_prob, score = (logs * taken).sum(-1), taken - p
        slope = -p * (logs - (p * logs).sum(-1, keepdim=True))
    else:
        mean, log_std = head.chunk(2, -1)
        z = (part.action - mean) / log_std.exp()
        normal = torch.distributions.Normal(mean, log_std.exp())
        log_prob = normal.log_prob(part.action).sum(-1)  # type: ignore[no-untyped-call]
        score = torch.cat((z / log_std.exp(), z * z - 1), -1)
        slope = torch.cat((torch.zeros_like(mean), torch.ones_like(mean)), -1)
    return (log_prob - part.old_log).exp(), score, slope
