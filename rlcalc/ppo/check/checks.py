"""Checks on every update: cheap, independent of the trainer, on by default.

``Checks`` looks on as the trainer's watcher and records what the environment
really did. What it expects comes from elsewhere than what it checks:
advantages from the λ-return and from the exact backend, gradients from closed
forms, rewards and flags from the environment itself. The closed forms are
probed at policies away from the old one, where clipping bites, not only where
training happens to be.
"""

from __future__ import annotations

import math
from typing import Any, cast

import torch
from torch import Tensor

from rlcalc.formulas import load_forms
from rlcalc.ppo.check.closed_forms import probe_gradients
from rlcalc.ppo.check.watched_env import WatchedEnv
from rlcalc.ppo.envs.base import DiscreteActions, VectorEnv
from rlcalc.ppo.records import Batch, Losses, Metrics, Rollout
from rlcalc.ppo.train import Trainer, Watcher
from rlcalc.training.comparisons import Comparisons, exact_outputs, tolerance

ABOUT = {
    "recorded": "the rollout holds what the environment gave and was given",
    "advantages": "A is the λ-return minus V, with the true successors' values",
    "returns": "the critic's targets are the λ-returns",
    "exact_row": "A of a sampled stretch agrees with the exact backend",
    "normalised": "advantages of a batch have mean 0 and deviation 1, and keep their order",
    "constants": "no gradient flows into advantages, targets and old log-probabilities",
    "first_ratio": "the ratio is 1 before the first step on a batch",
    "old_policy": "old log-probabilities stay those of the policy that acted",
    "clip_exact": "the clipped objective agrees with the exact backend far from ratio 1",
    "clip_gradient": "autograd's gradient of the clipped objective is the closed form",
    "loss_gradient": "autograd's gradient of the whole loss by the policy is the closed form",
    "critic_gradient": "autograd's gradient of the whole loss by the values is the closed form",
    "descent": "the first step goes against the gradient",
    "clip_fraction": "the share of ratios outside the interval is at most 0.9",
    "kl": "the divergence from the old policy is between 0 and 1",
    "entropy": "the entropy is between 0 and that of the uniform policy",
    "explained_variance": "the critic explains at most all of the variance, and is not absurd",
    "finite": "parameters and losses are finite",
}
STRETCH = 8  # steps of the sampled stretch that is computed exactly
PROBED = 64  # rows of a minibatch whose gradients are checked


class Checks(Watcher, Comparisons):
    """A watcher that stops the run when something is wrong."""

    def __init__(self, seed: int = 0) -> None:
        Comparisons.__init__(self, ABOUT)
        self._generator = torch.Generator().manual_seed(seed + 77)
        self._old_log = torch.empty(0)
        self._env: WatchedEnv | None = None

    def watch(self, env: VectorEnv) -> VectorEnv:
        """The environment to give to the trainer."""
        self._env = WatchedEnv(env)
        return cast(VectorEnv, self._env)

    # --- what the trainer calls --------------------------------------------------------------------------

    @torch.no_grad()
    def advantages(self, trainer: Trainer, rollout: Rollout, raw: Tensor, batch: Batch) -> None:
        env, s = self._env, trainer.settings
        if env is None or not env.gave:
            raise RuntimeError("the trainer must act in the environment that Checks.watch returned")
        real = env.stacked()
        self._recorded(trainer, rollout, env, real)
        env.forget()
        values = trainer.model.critic(rollout.observation).T
        inputs = {
            "rewards": real["reward"],
            "values": values,
            "gamma": s.gamma,
            "lam": s.lam,
            "terminated": real["terminated"],
            "truncated": real["truncated"],
            "next_values": trainer.model.critic(real["successor"]).T,
        }
        returns = load_forms("lambda_return").torch_form(**inputs)["returns"]
        loose = tolerance(raw, 1e-4, 1e-10)
        self.equal("advantages", "A [env, step]", raw, returns - values[:, :-1], loose)
        self.equal("returns", "G [env, step]", batch.returns.view_as(returns), returns, loose)
        self._exact_row(inputs, raw, loose)
        if s.normalise:
            self._normalised(trainer, raw, batch.advantage)
        free = [x.requires_grad for x in (batch.advantage, batch.returns, batch.old_log)]
        self.equal("constants", "requires_grad", torch.tensor(free).float(), torch.zeros(3), 0.0)
        head = rollout.head.transpose(0, 1).flatten(0, 1)
        action = rollout.action.transpose(0, 1).flatten(0, 1)
        self._old_log = trainer.model.policy(head).log_prob(action)

    def first_minibatch(self, trainer: Trainer, epoch: int, batch: Batch, losses: Losses) -> None:
        if epoch == 0:
            one = torch.ones_like(losses.ratio)
            # rows of another batch are summed in another order: 1 up to rounding of a log-probability
            self.equal("first_ratio", "r [row]", losses.ratio.detach(), one, tolerance(one, 1e-5, 1e-12))
            self._probe(trainer, batch)
        if epoch == trainer.settings.epochs - 1:
            expected = self._old_log[batch.index]
            self.equal("old_policy", "log π_old [row]", batch.old_log, expected, tolerance(expected))

    @torch.no_grad()
    def stepped(self, trainer: Trainer, before: Tensor) -> None:
        moved, gradient = trainer.optimiser.flat - before, trainer.optimiser.gradient
        cosine = (moved * gradient).sum() / (moved.norm() * gradient.norm() + 1e-30)
        self.between("descent", "cosine of step and gradient", cosine, -1 - 1e-5, 1e-6)

    def updated(self, trainer: Trainer, batch: Batch, metrics: Metrics) -> None:
        self.between("clip_fraction", "share", metrics.clip_fraction, 0.0, 0.9)
        self.between("kl", "D(old‖new)", metrics.kl, -1e-5, 1.0)
        action = trainer.env.action
        if isinstance(action, DiscreteActions):
            self.between("entropy", "H", metrics.entropy, 0.0, math.log(action.count) + 1e-5)
        deviation = batch.returns.std(correction=0)
        # targets that hardly differ leave nothing to explain
        varies = deviation > 0.05 * batch.returns.square().mean().sqrt() + 1e-6
        explained = (
            1 - ((batch.returns - batch.values).std(correction=0) / deviation.clamp_min(1e-12)).square()
        )
        shown = torch.where(varies, explained, torch.zeros_like(explained))
        self.between("explained_variance", "share", shown, -100.0, 1.0 + 1e-5)
        self.between("explained_variance", "as shown", metrics.explained_variance, -math.inf, 1.0 + 1e-5)
        parameters, returns = trainer.optimiser.flat.isfinite().all(), batch.returns.isfinite().all()
        whole = torch.stack([parameters, torch.full_like(parameters, math.isfinite(metrics.loss)), returns])
        self.equal("finite", "[parameters, loss, returns]", whole, torch.ones_like(whole), 0.0)
        when = f"iteration {trainer.iterations}, {trainer.env_steps} steps"
        self.compare(when, trainer.optimiser.flat.device)

    def captured(self) -> None:
        if self._env is not None:
            self._env.replayed = True

    # --- the checks --------------------------------------------------------------------------------------

    def _recorded(self, trainer: Trainer, rollout: Rollout, env: WatchedEnv, real: dict[str, Tensor]) -> None:
        for name in ("reward", "terminated", "truncated"):
            self.equal("recorded", f"{name} [env, step]", getattr(rollout, name), real[name], 0.0)
        self.equal("recorded", "successor [step, env]", rollout.successor, real["successor"], 0.0)
        later = torch.stack([step.observation for step in env.gave])
        self.equal("recorded", "observation [step, env]", rollout.observation[1:], later, 0.0)
        if env.first is not None:
            self.equal("recorded", "first observation [env]", rollout.observation[0], env.first, 0.0)
        acted = trainer.model.bounded(rollout.action)
        self.equal("recorded", "action [step, env]", acted, torch.stack(env.given), 0.0)

    def _exact_row(self, inputs: dict[str, Any], raw: Tensor, tolerance: float) -> None:
        """The exact GAE of one stretch of one row.

        What comes after the stretch enters through its last bootstrap:
        δ + γλA' = R + γ(V' + λA') − V.
        """
        rows, steps = raw.shape
        row = int(torch.randint(rows, (), generator=self._generator))
        width = min(STRETCH, steps)
        start = int(torch.randint(steps - width + 1, (), generator=self._generator))
        stop = start + width
        bootstrap = inputs["next_values"][row, start:stop].clone()
        ended = inputs["terminated"][row, stop - 1] | inputs["truncated"][row, stop - 1]
        if stop < steps and not ended:
            bootstrap[-1] += inputs["lam"] * raw[row, stop]
        given = {
            name: inputs[name][row, start:stop].tolist() for name in ("rewards", "terminated", "truncated")
        }
        if not all(map(math.isfinite, [*given["rewards"], *bootstrap.tolist()])):
            return  # `finite` says so
        exact = exact_outputs(
            "gae",
            values=[*inputs["values"][row, start:stop].tolist(), 0],
            next_values=bootstrap.tolist(),
            gamma=inputs["gamma"],
            lam=inputs["lam"],
            rewards=given["rewards"],
            terminated=[int(x) for x in given["terminated"]],
            truncated=[int(x) for x in given["truncated"]],
        )
        expected = torch.tensor([float(x) for x in exact["advantages"]], dtype=torch.float64)
        found = raw[row, start:stop].double().cpu()
        self.equal("exact_row", f"A of env {row} from step {start} on", found, expected, tolerance)

    def _normalised(self, trainer: Trainer, raw: Tensor, found: Tensor) -> None:
        flat, loose = raw.reshape(-1), tolerance(raw, 1e-3, 1e-9)
        if trainer.ranks.size == 1:
            if flat.numel() > 1:
                group = load_forms("grpo_advantage").torch_form(rewards=flat, ddof=0, eps=1e-8)
                rounding = group["std"] <= 16 * torch.finfo(flat.dtype).eps * group["mean"].abs()
                self.equal("normalised", "A of [row]", found, group["advantages"] * ~rounding, loose)
            return
        count = flat.numel() * trainer.ranks.size
        moments = trainer.ranks.sum(torch.stack([found.sum(), found.square().sum()])) / count
        self.between("normalised", "mean", moments[0], -loose, loose)
        self.between("normalised", "mean square", moments[1], 0.0, 1 + loose)
        same_order = ((flat - flat.mean()) * (found - found.mean())).sum()
        self.between("normalised", "covariance with A", same_order, -loose, math.inf)

    def _probe(self, trainer: Trainer, batch: Batch) -> None:
        part = batch[slice(0, PROBED)]
        shape = part.head.shape
        away = torch.randn(shape, generator=self._generator, dtype=part.head.dtype).to(part.head.device)
        values = part.values + torch.randn(shape[:1], generator=self._generator).to(part.values)
        found, expected = probe_gradients(trainer, part, part.head + 0.5 * away, values)
        tight = tolerance(values, 1e-4, 1e-10)
        for name in ("clip_gradient", "loss_gradient", "critic_gradient"):
            # of a mean over M rows: back to the size of one row's
            rows = float(len(values))
            self.equal(name, "derivative [row]", found[name] * rows, expected[name] * rows, tight)
        self._clip_exact(trainer, found["ratio"], part.advantage)

    def _clip_exact(self, trainer: Trainer, ratio: Tensor, advantage: Tensor) -> None:
        """The exact clipped objective at the largest and the smallest ratio of a probe."""
        at = torch.stack([ratio.argmax(), ratio.argmin()])
        r, a, eps = ratio[at], advantage[at], trainer.settings.clip
        found = trainer.formulas.ppo_clip(ratio=r, adv=a, eps=eps)["objective"].double().cpu()
        pairs = list(zip(r.tolist(), a.tolist(), strict=True))
        if not all(math.isfinite(x) for pair in pairs for x in pair):
            return  # `finite` says so
        exact = [float(exact_outputs("ppo_clip", ratio=x, adv=y, eps=eps)["objective"]) for x, y in pairs]
        expected = torch.tensor(exact, dtype=torch.float64)
        where = ", ".join(f"r = {x:.6g} and A = {y:.6g}" for x, y in pairs)
        self.equal("clip_exact", f"L at {where}", found, expected, tolerance(r, 1e-5, 1e-12))
