"""Actor and critic: two small networks, and the distributions of actions.

A *head* is what the actor puts out for a state: logits [..., A] of discrete
actions, or mean and log-deviation [..., 2·size] of a box. Everything that PPO
asks of a policy is asked of a head.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from rlcalc.ppo.envs.base import Actions, BoxActions, DiscreteActions
from rlcalc.training.layers import Linear


@dataclass(frozen=True)
class Categorical:
    """Distribution over A actions; ``log_probs`` [..., A]."""

    log_probs: Tensor

    def log_prob(self, action: Tensor) -> Tensor:
        """log π(a|s), shape of ``action``."""
        return self.log_probs.gather(-1, action.unsqueeze(-1)).squeeze(-1)

    def entropy(self, formula: Callable[..., dict[str, Tensor]]) -> Tensor:
        """H[π(·|s)] by the given formula."""
        return formula(p=self.log_probs.exp())["entropy"]

    def divergence_to(self, other: Categorical, formula: Callable[..., dict[str, Tensor]]) -> Tensor:
        """D(this ‖ other) by the given formula."""
        return formula(p=self.log_probs.exp(), q=other.log_probs.exp())["divergence"]


@dataclass(frozen=True)
class Gaussian:
    """Independent normal components; ``mean`` and ``log_std`` [..., size].

    rlcalc's entropy and divergence are those of discrete distributions, so
    the two closed forms of densities stand here.
    """

    mean: Tensor
    log_std: Tensor

    def log_prob(self, action: Tensor) -> Tensor:
        z = (action - self.mean) * (-self.log_std).exp()
        return -(0.5 * z * z + self.log_std + 0.5 * math.log(2 * math.pi)).sum(-1)

    def entropy(self, formula: Callable[..., dict[str, Tensor]]) -> Tensor:
        del formula
        return (self.log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)

    def divergence_to(self, other: Gaussian, formula: Callable[..., dict[str, Tensor]]) -> Tensor:
        del formula
        gap = (self.mean - other.mean) * (-other.log_std).exp()
        spread = 2 * (self.log_std - other.log_std)
        return 0.5 * (spread.exp() + gap * gap - 1 - spread).sum(-1)


Policy = Categorical | Gaussian


class ActorCritic(nn.Module):
    """Policy and value of a state.

    Made on the CPU from its own generator and then moved, so that one seed
    gives one network on every device.
    """

    low: Tensor
    high: Tensor

    def __init__(
        self,
        observation_size: int,
        action: Actions,
        hidden: tuple[int, ...],
        seed: int,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        super().__init__()
        self.action = action
        generator = torch.Generator().manual_seed(seed)
        outputs = action.count if isinstance(action, DiscreteActions) else action.size
        # a small last layer begins with a policy that is close to uniform
        self.actor_net = _network([observation_size, *hidden, outputs], 0.01 if hidden else 0.0, generator)
        self.critic_net = _network([observation_size, *hidden, 1], 1.0 if hidden else 0.0, generator)
        if isinstance(action, BoxActions):
            self.log_std = nn.Parameter(torch.zeros(action.size))
            self.register_buffer("low", torch.tensor(action.low))
            self.register_buffer("high", torch.tensor(action.high))
        self.to(device=device, dtype=dtype)

    def actor(self, observation: Tensor) -> Tensor:
        """Heads [..., H] for observations [..., observation_size]."""
        out: Tensor = self.actor_net(observation)
        if isinstance(self.action, DiscreteActions):
            return out
        return torch.cat((out, self.log_std.expand_as(out)), -1)

    def critic(self, observation: Tensor) -> Tensor:
        """V(s) [...] for observations [..., observation_size]."""
        out: Tensor = self.critic_net(observation)
        return out.squeeze(-1)

    def policy(self, head: Tensor) -> Any:
        """The distribution that a head stands for."""
        if isinstance(self.action, DiscreteActions):
            return Categorical(torch.log_softmax(head, -1))
        mean, log_std = head.chunk(2, -1)
        return Gaussian(mean, log_std)

    def noise(self, steps: int, count: int, generator: torch.Generator) -> Tensor:
        """Randomness of ``steps`` samples of ``count`` copies, drawn at once.

        Gumbel for discrete actions: argmax(logits + noise) is a sample of the
        softmax, and costs two kernels a step. Normal for a box.
        """
        like = next(self.parameters())
        size = self.action.count if isinstance(self.action, DiscreteActions) else self.action.size
        drawn = torch.empty(steps, count, size, dtype=like.dtype, device=like.device)
        if isinstance(self.action, DiscreteActions):
            return drawn.exponential_(generator=generator).log_().neg_()
        return drawn.normal_(generator=generator)

    def sample(self, head: Tensor, noise: Tensor) -> Tensor:
        """Actions of the policy, given the noise of one step."""
        if isinstance(self.action, DiscreteActions):
            return (head + noise).argmax(-1)
        mean, log_std = head.chunk(2, -1)
        return mean + log_std.exp() * noise

    def bounded(self, action: Tensor) -> Tensor:
        """What the environment is given: a box has walls, the normal distribution has none."""
        if isinstance(self.action, DiscreteActions):
            return action
        return action.clamp(self.low, self.high)

    def best(self, head: Tensor) -> Tensor:
        """The likeliest action."""
        return head.argmax(-1) if isinstance(self.action, DiscreteActions) else head.chunk(2, -1)[0]


def _network(sizes: list[int], last_gain: float, generator: torch.Generator) -> nn.Sequential:
    """Linear layers with tanh between, orthogonal weights and a bias of 0 to begin with.

    Without a hidden layer there is no bias: the weights are a table of one-hot
    states, one parameter per entry, which is what a gradient is compared for.
    """
    layers: list[nn.Module] = []
    for at, (wide, out) in enumerate(pairwise(sizes)):
        last = at == len(sizes) - 2
        weight = _orthogonal(out, wide, generator) * (last_gain if last else math.sqrt(2))
        layer = Linear(weight, torch.zeros(out) if len(sizes) > 2 else None)
        layers += [layer] if last else [layer, nn.Tanh()]
    return nn.Sequential(*layers)


def _orthogonal(rows: int, columns: int, generator: torch.Generator) -> Tensor:
    tall = torch.randn(max(rows, columns), min(rows, columns), generator=generator)
    q, r = torch.linalg.qr(tall)
    # without this, the signs would not be random
    signed: Tensor = q * r.diagonal().sign()
    return signed if rows >= columns else signed.T
