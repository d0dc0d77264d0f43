"""PPO: the algorithm of the lecture's section 8.3, with rlcalc's formulas.

    for iteration = 1, 2, …
        collect     T steps in each of N environments with π_old
        advantages  A_t and the critic's targets, by `gae`
        for epoch = 1 … K, for each minibatch
            losses  `ratio` → `ppo_clip`;  `critic_loss`;  `entropy`;  together `ppo_loss`
            one step of the optimiser

No formula is written here: the trainer calls whatever its `Formulas` hold.

Nothing in `work` waits for the device, and what it goes on from it writes in
place; numbers come to the host once per iteration, when they are read. That
is what lets `rlcalc.ppo.run.capture` record an iteration and replay it. Source: Schulman
et al., arXiv:1707.06347, algorithm 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from rlcalc.errors import DataError
from rlcalc.ppo.envs.base import VectorEnv
from rlcalc.ppo.formulas import Formulas
from rlcalc.ppo.policy import ActorCritic
from rlcalc.ppo.records import Batch, Losses, Metrics, Rollout, Work
from rlcalc.ppo.run.measure import Meter
from rlcalc.ppo.settings import Settings
from rlcalc.training.optimiser import Optimiser
from rlcalc.training.ranks import SINGLE, Ranks
from rlcalc.training.state import restore


class Watcher:
    """Looks on; `rlcalc.ppo.check.checks` is the one that a run has.

    What it is shown belongs to the iteration at hand: a captured iteration
    writes the next one into the same tensors, so that whoever wants to keep
    something must copy it.
    """

    def advantages(self, trainer: Trainer, rollout: Rollout, raw: Tensor, batch: Batch) -> None:
        """After a rollout; ``raw`` [N, T] are the advantages before they are normalised."""

    def first_minibatch(self, trainer: Trainer, epoch: int, batch: Batch, losses: Losses) -> None:
        """Before the first step of an epoch, with the losses that the step will follow."""

    def stepped(self, trainer: Trainer, before: Tensor) -> None:
        """After the very first step of a run; ``before`` [P] are the parameters that it began with."""

    def updated(self, trainer: Trainer, batch: Batch, metrics: Metrics) -> None:
        """At the end of an iteration."""

    def captured(self) -> None:
        """Iterations are replayed from now on: what the environment handed out last is written to again."""


class Trainer:
    """PPO on one environment batch.

    Args:
        env: N = ``settings.envs`` copies (over all ranks).
        formulas: those of rlcalc, unless a test breaks one.
        watcher: sees every iteration from inside.
    """

    def __init__(
        self,
        settings: Settings,
        env: VectorEnv,
        formulas: Formulas | None = None,
        watcher: Watcher | None = None,
        ranks: Ranks = SINGLE,
    ) -> None:
        self.settings, self.env, self.watcher, self.ranks = settings, env, watcher, ranks
        self.formulas = formulas or Formulas.verified()
        self.model = ActorCritic(
            env.observation_size, env.action, settings.hidden, settings.seed, env.device, env.dtype
        )
        self.optimiser = Optimiser(self.model.parameters(), settings.optimiser)
        # every rank has the same network and its own luck
        self.generator = torch.Generator(env.device).manual_seed(settings.seed * 1_000_003 + ranks.rank)
        self.observation = env.reset().clone()  # a buffer: every rollout leaves its end here
        self.meter = Meter(env, ranks)
        self.env_steps = 0
        self.iterations = 0
        self.do: Callable[[], Work] = self.work  # or a recording of it

    def iterate(self) -> Metrics:
        """Collect, learn, measure: one line of the loop above."""
        self.optimiser.rate.fill_(self.learning_rate())
        done = self.do()
        self.env_steps += len(done.batch.index) * self.ranks.size
        self.iterations += 1
        metrics = self.meter.read(done.numbers, self.env_steps, self.learning_rate())
        if self.watcher is not None:
            self.watcher.updated(self, done.batch, metrics)
        return metrics

    def work(self) -> Work:
        """The device's part of an iteration."""
        rollout = self.collect()
        batch = self.advantages(rollout)
        losses = self.update(batch)
        return Work(
            batch, self.meter.measure(rollout, batch, losses, self.model, self.formulas, self.settings.clip)
        )

    @torch.no_grad()
    def collect(self) -> Rollout:
        """T steps in every environment; episodes go on where the last iteration stopped."""
        env, model = self.env, self.model
        noise = model.noise(self.settings.horizon, env.num_envs, self.generator)
        observations, heads, actions, steps = [self.observation], [], [], []
        for now in noise:
            head = model.actor(observations[-1])
            action = model.sample(head, now)
            step = env.step(model.bounded(action))
            heads.append(head)
            actions.append(action)
            steps.append(step)
            observations.append(step.observation)
        seen = torch.stack(observations)
        self.observation.copy_(seen[-1])
        return Rollout(
            observation=seen,
            head=torch.stack(heads),
            action=torch.stack(actions),
            successor=torch.stack([step.successor for step in steps]),
            reward=torch.stack([step.reward for step in steps], -1),
            terminated=torch.stack([step.terminated for step in steps], -1),
            truncated=torch.stack([step.truncated for step in steps], -1),
        )

    @torch.no_grad()
    def advantages(self, rollout: Rollout) -> Batch:
        """A_t and the critic's targets for every step, and the old policy's log-probabilities."""
        s, model = self.settings, self.model
        values = model.critic(rollout.observation).T
        found = self.formulas.gae(
            rewards=rollout.reward,
            values=values,
            gamma=s.gamma,
            lam=s.lam,
            terminated=rollout.terminated,
            truncated=rollout.truncated,
            next_values=self.successor_values(rollout),
        )
        raw = found["advantages"]
        head, action = _by_env(rollout.head), _by_env(rollout.action)
        batch = Batch(
            index=torch.arange(raw.numel(), device=raw.device),
            observation=_by_env(rollout.observation[:-1]),
            head=head,
            action=action,
            old_log=model.policy(head).log_prob(action),
            advantage=(self.normalise(raw) if s.normalise else raw).reshape(-1),
            returns=found["returns"].reshape(-1),
            values=values[:, :-1].reshape(-1),
        )
        if self.watcher is not None:
            self.watcher.advantages(self, rollout, raw, batch)
        return batch

    def successor_values(self, rollout: Rollout) -> Tensor:
        """V of the true successors [N, T]: where time ran out, the state it would have gone on from."""
        return self.model.critic(rollout.successor).T

    def normalise(self, advantage: Tensor) -> Tensor:
        """To mean 0 and deviation 1 over the batches of all ranks.

        In two passes, since one would cancel. Deviations that are rounding of
        equal advantages become 0; to scale them up would teach noise.
        """
        count = advantage.numel() * self.ranks.size
        mean = self.ranks.sum(advantage.sum()) / count
        centred = advantage - mean
        std = (self.ranks.sum(centred.square().sum()) / count).sqrt()
        differ = std > 16 * torch.finfo(std.dtype).eps * mean.abs()
        return torch.where(differ, centred / (std + 1e-8), 0.0)

    def update(self, batch: Batch) -> Losses:
        """K passes over one batch; returns the losses of the last minibatch."""
        optimiser, watcher = self.optimiser, self.watcher
        for epoch in range(self.settings.epochs):
            for number, part in enumerate(self.minibatches(batch)):
                losses = self.losses(
                    self.model.actor(part.observation), self.model.critic(part.observation), part
                )
                if watcher is not None and number == 0:
                    watcher.first_minibatch(self, epoch, part, losses)
                optimiser.differentiate(losses.loss)
                self.ranks.average_(optimiser.gradient)
                optimiser.shorten(self.settings.max_grad_norm)
                at_start = watcher is not None and self.iterations == epoch == number == 0
                before = optimiser.flat.clone() if at_start else None
                optimiser.step()
                if watcher is not None and before is not None:
                    watcher.stepped(self, before)
        return losses.detached()

    def minibatches(self, batch: Batch) -> Iterator[Batch]:
        """The batch in a new random order, in equal parts."""
        size = len(batch.index)
        order = torch.randperm(size, generator=self.generator, device=batch.index.device)
        shuffled, part = batch[order], size // self.settings.minibatches
        for start in range(0, size, part):
            yield shuffled[start : start + part]

    def losses(self, head: Tensor, values: Tensor, part: Batch) -> Losses:
        """L_clip − c1·L_critic + c2·H, negated, for one minibatch.

        Args:
            head, values: what actor and critic say now, [M, H] and [M].
        """
        s, f = self.settings, self.formulas
        policy = self.model.policy(head)
        ratio = f.ratio(new_log=policy.log_prob(part.action), old_log=part.old_log)["ratio"]
        clip = f.ppo_clip(ratio=ratio, adv=part.advantage, eps=s.clip)["objective"].mean()
        critic = f.critic_loss(values=values, returns=part.returns, reduction=s.critic_reduction)["loss"]
        entropy = policy.entropy(f.entropy).mean()
        loss = f.ppo_loss(clip=clip, critic=critic, entropy=entropy, c1=s.c1, c2=s.c2)["loss"]
        return Losses(ratio, clip, critic, entropy, loss)

    def learning_rate(self) -> float:
        """Falls linearly by the part ``decay`` until all steps are done."""
        done = min(1.0, self.env_steps / self.settings.steps)
        return self.settings.learning_rate * (1 - self.settings.decay * done)

    def state_dict(self) -> dict[str, Any]:
        """Everything that the rest of the run depends on."""
        return {
            "optimiser": self.optimiser.state_dict(),
            "env": self.env.state_dict(),
            "generator": self.generator.get_state(),
            "observation": self.observation.clone(),
            "return_so_far": self.meter.return_so_far.clone(),
            "env_steps": self.env_steps,
            "iterations": self.iterations,
        }

    def load_state_dict(self, state: Any) -> None:
        """Go on from what ``state_dict`` gave.

        Raises:
            DataError: ``checkpoint_foreign``, ``env_state_foreign``.
        """
        rest = dict(state) if isinstance(state, Mapping) else {}
        counts: list[Any] = [rest.pop("env_steps", -1), rest.pop("iterations", -1)]
        self.optimiser.load_state_dict(rest.pop("optimiser", None))
        self.env.load_state_dict(rest.pop("env", None))
        own: dict[str, Tensor | torch.Generator] = {
            "generator": self.generator,
            "observation": self.observation,
            "return_so_far": self.meter.return_so_far,
        }
        restore(own, rest, "a trainer with these settings")
        if [type(count) for count in counts] != [int, int] or counts[0] != counts[1] * self.settings.batch:
            raise DataError("checkpoint_foreign", "The checkpoint's iterations do not make its steps.")
        self.env_steps, self.iterations = counts


def _by_env(x: Tensor) -> Tensor:
    """[T, N, …] -> [N·T, …], in the order that [N, T] has when flattened."""
    return x.transpose(0, 1).flatten(0, 1)
