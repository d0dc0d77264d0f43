"""An iteration in numbers: found on the device, read once.

The return of an episode that spans several iterations is carried along in
``trainer.return_so_far`` [N].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from rlcalc.ppo.records import SHOWN, Batch, Losses, Metrics, Rollout
from rlcalc.recurrence.scan import scan_torch

if TYPE_CHECKING:
    from rlcalc.ppo.train import Trainer


@torch.no_grad()
def measure(trainer: Trainer, rollout: Rollout, batch: Batch, losses: Losses) -> Tensor:
    """`Work.numbers`, after the update; waits for nothing."""
    model, formulas = trainer.model, trainer.formulas
    policy, old = model.policy(model.actor(batch.observation)), model.policy(batch.head)
    ratio = formulas.ratio(new_log=policy.log_prob(batch.action), old_log=batch.old_log)["ratio"]
    shown = {
        "loss": losses.loss,
        "clip_objective": losses.clip,
        "critic_loss": losses.critic,
        "entropy": losses.entropy,
        "kl": old.divergence_to(policy, formulas.kl).mean(),
        "clip_fraction": ((ratio - 1).abs() > trainer.settings.clip).to(ratio.dtype).mean(),
        "explained_variance": _explained(batch.returns - batch.values, batch.returns),
    }
    return trainer.ranks.sum(torch.stack([*episodes(trainer, rollout), *(shown[name] for name in SHOWN)]))


def read(trainer: Trainer, numbers: Tensor) -> Metrics:
    """What `measure` found; the one place that waits for the device."""
    count, sum_of_returns, *sums = numbers.tolist()
    means = {name: value / trainer.ranks.size for name, value in zip(SHOWN, sums, strict=True)}
    return Metrics(
        env_steps=trainer.env_steps,
        episodes=round(count),
        episode_return=sum_of_returns / count if count else None,
        learning_rate=trainer.learning_rate(),
        **means,
    )


def episodes(trainer: Trainer, rollout: Rollout) -> tuple[Tensor, Tensor]:
    """How many episodes ended in a rollout, and the sum of their undiscounted returns."""
    ended = rollout.terminated | rollout.truncated
    goes_on = (~ended).to(rollout.reward.dtype)
    # the return so far runs forwards: x_t = R_{t+1} + [step t−1 did not end] x_{t−1}
    before = torch.cat((torch.ones_like(goes_on[:, :1]), goes_on[:, :-1]), 1)
    so_far = scan_torch(rollout.reward.flip(1), before.flip(1), trainer.return_so_far).flip(1)
    torch.mul(so_far[:, -1], goes_on[:, -1], out=trainer.return_so_far)
    return ended.sum().to(so_far.dtype), (so_far * ended).sum()


def _explained(errors: Tensor, returns: Tensor) -> Tensor:
    """The share of the returns' variance that the critic knew; 0 where they hardly differ."""
    variance = returns.var(correction=0)
    tells = variance > 1e-10 * (1 + returns.square().mean())
    return torch.where(tells, 1 - errors.var(correction=0) / variance.clamp_min(1e-30), 0.0)
