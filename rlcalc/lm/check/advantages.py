"""What tokens and answers are worth, worked out by hand in float64: loops over groups and tokens."""

from __future__ import annotations

import torch
from torch import Tensor

from rlcalc.lm.check.closed_forms import penalty
from rlcalc.lm.settings import Settings


def expected_rewards(s: Settings, reward: Tensor, old: Tensor, ref: Tensor, mask: Tensor) -> Tensor:
    """−β·k of every token of an answer, and the reward [N] on its last one: [N, K−1]."""
    value, _ = penalty(torch.where(mask, old.double() - ref.double(), 0.0), s.kl)
    found = torch.where(mask, -s.beta * value, 0.0)
    places = torch.arange(mask.shape[1], device=mask.device)
    last = torch.where(mask, places, -1).max(-1, keepdim=True).values
    return found + torch.where(places == last, reward.double()[:, None], 0.0)


def expected_of_groups(s: Settings, reward: Tensor, rewards: Tensor) -> Tensor:
    """Advantages of answers, G after G of one prompt: [N, 1].

    GRPO: (r − mean)/deviation, 0 where all are alike. RLOO: what an answer earns more than the mean of
    the others, penalties included.
    """
    if s.algorithm == "rloo":
        earned = rewards.sum(-1).view(-1, s.group)
        others = (earned.sum(-1, keepdim=True) - earned) / max(s.group - 1, 1)
        return ((earned - others) if s.group > 1 else earned * 0).reshape(-1, 1)
    earned = reward.double().view(-1, s.group)
    centred = earned - earned.mean(-1, keepdim=True)
    alike = (earned == earned[:, :1]).all(-1, keepdim=True)
    if s.scale == "group":
        spread = centred.square().sum(-1, keepdim=True).div(max(s.group - 1, 1)).sqrt()
        centred = centred / torch.where(alike, 1.0, spread)
    return torch.where(alike, 0.0, centred).reshape(-1, 1)


def expected_of_tokens(s: Settings, rewards: Tensor, values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """PPO's advantages, whitened over all answers, and the critic's targets: [N, K−1] each."""
    later_value = later = torch.zeros(len(mask), dtype=torch.float64, device=mask.device)
    columns = []
    for t in reversed(range(mask.shape[1])):
        here = mask[:, t]
        error = rewards[:, t] + later_value - values[:, t]
        now = torch.where(here, error + s.lam * later, later)
        columns.append(torch.where(here, now, 0.0))
        later, later_value = now, torch.where(here, values[:, t], later_value)
    raw = torch.stack(columns[::-1], -1)
    chosen = raw[mask]
    spread = chosen.std() if len(chosen) > 1 and chosen.max() > chosen.min() else chosen.new_ones(())
    whitened = torch.where(mask, (raw - chosen.mean()) / spread, 0.0)
    return whitened, torch.where(mask, raw + values, 0.0)
