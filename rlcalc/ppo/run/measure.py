"""An iteration in numbers: found on the device, read once."""

from __future__ import annotations

import torch
from torch import Tensor

from rlcalc.ppo.envs.base import VectorEnv
from rlcalc.ppo.formulas import Formulas
from rlcalc.ppo.policy import ActorCritic
from rlcalc.ppo.records import METRICS_SHOWN, Batch, Losses, Metrics, Rollout
from rlcalc.recurrence.scan import scan_torch
from rlcalc.training.ranks import Ranks


class Meter:
    """Measures the iterations of one trainer.

    Attributes:
        return_so_far: [N], of the episodes that go on into the next iteration.
    """

    def __init__(self, env: VectorEnv, ranks: Ranks) -> None:
        self.ranks = ranks
        self.return_so_far = torch.zeros(env.num_envs, dtype=env.dtype, device=env.device)

    @torch.no_grad()
    def measure(
        self,
        rollout: Rollout,
        batch: Batch,
        losses: Losses,
        model: ActorCritic,
        formulas: Formulas,
        clip: float,
    ) -> Tensor:
        """`Work.numbers`, after the update; waits for nothing."""
        policy, old = model.policy(model.actor(batch.observation)), model.policy(batch.head)
        ratio = formulas.ratio(new_log=policy.log_prob(batch.action), old_log=batch.old_log)["ratio"]
        shown = {
            "loss": losses.loss,
            "clip_objective": losses.clip,
            "critic_loss": losses.critic,
            "entropy": losses.entropy,
            "kl": old.divergence_to(policy, formulas.kl).mean(),
            "clip_fraction": ((ratio - 1).abs() > clip).to(ratio.dtype).mean(),
            "explained_variance": _explained(batch.returns - batch.values, batch.returns),
        }
        return self.ranks.sum(
            torch.stack([*self.episodes(rollout), *(shown[name] for name in METRICS_SHOWN)])
        )

    def read(self, numbers: Tensor, env_steps: int, learning_rate: float) -> Metrics:
        """What `measure` found; the one place that waits for the device."""
        count, sum_of_returns, *sums = numbers.tolist()
        means = {name: value / self.ranks.size for name, value in zip(METRICS_SHOWN, sums, strict=True)}
        return Metrics(
            env_steps=env_steps,
            episodes=round(count),
            episode_return=sum_of_returns / count if count else None,
            learning_rate=learning_rate,
            **means,
        )

    def episodes(self, rollout: Rollout) -> tuple[Tensor, Tensor]:
        """How many episodes ended in a rollout, and the sum of their undiscounted returns."""
        ended = rollout.terminated | rollout.truncated
        goes_on = (~ended).to(rollout.reward.dtype)
        # the return so far runs forwards: x_t = R_{t+1} + [step t−1 did not end] x_{t−1}
        before = torch.cat((torch.ones_like(goes_on[:, :1]), goes_on[:, :-1]), 1)
        so_far = scan_torch(rollout.reward.flip(1), before.flip(1), self.return_so_far).flip(1)
        torch.mul(so_far[:, -1], goes_on[:, -1], out=self.return_so_far)
        return ended.sum().to(so_far.dtype), (so_far * ended).sum()


def _explained(errors: Tensor, returns: Tensor) -> Tensor:
    """The share of the returns' variance that the critic knew; 0 where they hardly differ."""
    variance = returns.var(correction=0)
    varies = variance > 1e-10 * (1 + returns.square().mean())
    return torch.where(varies, 1 - errors.var(correction=0) / variance.clamp_min(1e-30), 0.0)
