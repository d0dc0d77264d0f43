"""Losses that make their log-probabilities themselves, of what a policy says and of the actions taken."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Categorical, Normal

from rlcalc.conform import conform
from rlcalc.conform.target.policies import expanded, place_of
from tests.sweep import sweep

from .altered import altered
from .as_it_stands import bugs

Tensor = Any


def reinforce(logits: Tensor, actions: Tensor, returns: Tensor) -> Tensor:
    logp = F.log_softmax(logits, dim=-1).gather(1, actions.unsqueeze(1)).squeeze(1)
    return -(logp * returns).mean()


def without_softmax(logits: Tensor, actions: Tensor, returns: Tensor) -> Tensor:
    return -(logits.gather(1, actions.unsqueeze(1)).squeeze(1) * returns).mean()


def of_probabilities(logits: Tensor, actions: Tensor, returns: Tensor) -> Tensor:
    return -(F.softmax(logits, -1).gather(1, actions.unsqueeze(1)).squeeze(1) * returns).mean()


def softmax_twice(logits: Tensor, actions: Tensor, returns: Tensor) -> Tensor:
    return -(Categorical(logits=F.softmax(logits, dim=-1)).log_prob(actions) * returns).mean()


def in_numpy(logits, actions, advantages):
    p = np.exp(logits - logits.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    return -np.sum(np.log(p[np.arange(len(actions)), actions]) * advantages)


def of_actions_in_a_column(logits: Tensor, actions: Tensor, advantages: Tensor) -> Tensor:
    return -(F.log_softmax(logits, -1).gather(1, actions).squeeze(1) * advantages).sum()


def gaussian(mean: Tensor, log_std: Tensor, actions: Tensor, advantages: Tensor) -> Tensor:
    return -(Normal(mean, log_std.exp()).log_prob(actions).sum(-1) * advantages).mean()


def gaussian_averaged(mean: Tensor, log_std: Tensor, actions: Tensor, advantages: Tensor) -> Tensor:
    return -(Normal(mean, log_std.exp()).log_prob(actions).mean(-1) * advantages).mean()


def actor_critic(logits: Tensor, actions: Tensor, values: Tensor, returns: Tensor) -> Tensor:
    """Weights of its own, for squares that advantages are in as well and for an entropy."""
    dist, adv = Categorical(logits=logits), returns - values
    pg = -(dist.log_prob(actions) * adv.detach()).mean()
    return pg + 0.5 * adv.pow(2).mean() - 0.01 * dist.entropy().mean()


def loss_of_turned_advantages(logits: Tensor, actions: Tensor, values: Tensor, returns: Tensor) -> Tensor:
    """Its name says that it is a loss, which the right ones need not say."""
    dist, adv = Categorical(logits=logits), values - returns
    pg = -(dist.log_prob(actions) * adv.detach()).mean()
    return pg + 0.5 * adv.pow(2).mean() - 0.01 * dist.entropy().mean()


def clipped_with_values(
    logits: Tensor, actions: Tensor, old_logp: Tensor, adv: Tensor, values: Tensor, returns: Tensor
) -> Tensor:
    ratio = (Categorical(logits=logits).log_prob(actions) - old_logp).exp()
    pg = -torch.min(ratio * adv, ratio.clamp(0.8, 1.2) * adv).mean()
    return pg + 0.5 * F.mse_loss(values, returns)


def clipped(
    logits: Tensor, old_logits: Tensor, actions: Tensor, adv: Tensor, clip_eps: float = 0.2
) -> Tensor:
    taken = actions[:, None]
    new, old = (F.log_softmax(part, -1).gather(-1, taken).squeeze(-1) for part in (logits, old_logits))
    ratio = (new - old.detach()).exp()
    return -torch.min(ratio * adv, ratio.clamp(1 - clip_eps, 1 + clip_eps) * adv).mean()


def clipped_with_an_entropy(
    logits: Tensor, actions: Tensor, old_logp: Tensor, adv: Tensor, clip_eps: float = 0.2
) -> Tensor:
    dist = Categorical(logits=logits)
    ratio = (dist.log_prob(actions) - old_logp).exp()
    pg = -torch.min(ratio * adv, ratio.clamp(1 - clip_eps, 1 + clip_eps) * adv).mean()
    return pg - 0.01 * dist.entropy().mean()


def clipped_the_other_way(
    logits: Tensor, actions: Tensor, old_logp: Tensor, adv: Tensor, clip_eps: float = 0.2
) -> Tensor:
    ratio = (Categorical(logits=logits).log_prob(actions) - old_logp).exp()
    return -torch.max(ratio * adv, ratio.clamp(1 - clip_eps, 1 + clip_eps) * adv).mean()


def of_tokens(
    logits: Tensor, actions: Tensor, old_logps: Tensor, advantages: Tensor, mask: Tensor, eps: float = 0.2
) -> Tensor:
    logps = torch.log_softmax(logits, -1).gather(-1, actions.unsqueeze(-1)).squeeze(-1)
    ratio = (logps - old_logps).exp()
    loss = -torch.min(ratio * advantages, ratio.clamp(1 - eps, 1 + eps) * advantages)
    return (loss * mask).sum() / mask.sum()


class Distributions:
    """A network that gives a distribution, asked by a method of the same name as the place."""

    def loss(self, states: Tensor, actions: Tensor, old_log_probs: Tensor, advantages: Tensor) -> Tensor:
        ratio = torch.exp(self.actor(states).log_prob(actions) - old_log_probs)
        held = torch.clamp(ratio, 1 - self.clip_eps, 1 + self.clip_eps) * advantages
        return -torch.min(ratio * advantages, held).mean()


class Agent:
    """Networks, optimizers and epochs, of which nothing is known but what they are called."""

    def update(self, states: Tensor, actions: Tensor, returns: Tensor) -> Any:
        loss = -(Categorical(logits=self.policy(states)).log_prob(actions) * returns).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def step_by_step(self, states: Tensor, actions: Tensor, returns: Tensor) -> Tensor:
        some = zip(states, actions, returns, strict=True)
        losses = [-Categorical(self.policy(state)).log_prob(action) * g for state, action, g in some]
        return torch.stack(losses).sum()

    def epochs_of_clips(
        self, states: Tensor, actions: Tensor, old_log_probs: Tensor, returns: Tensor, advantages: Tensor
    ) -> None:
        for _ in range(self.epochs):
            logits, values = self.net(states)
            dist = Categorical(logits=logits)
            ratio = torch.exp(dist.log_prob(actions) - old_log_probs)
            held = torch.clamp(ratio, 1 - self.clip_eps, 1 + self.clip_eps) * advantages
            loss = -torch.min(ratio * advantages, held).mean()
            loss = loss + 0.5 * F.mse_loss(values.squeeze(-1), returns) - 0.01 * dist.entropy().mean()
            self.optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.net.parameters(), 0.5)
            self.optimizer.step()

    def epochs_of_the_larger(
        self, states: Tensor, actions: Tensor, old_log_probs: Tensor, returns: Tensor, advantages: Tensor
    ) -> None:
        for _ in range(self.epochs):
            logits, _ = self.net(states)
            ratio = torch.exp(Categorical(logits=logits).log_prob(actions) - old_log_probs)
            held = torch.clamp(ratio, 1 - self.clip_eps, 1 + self.clip_eps) * advantages
            loss = -torch.max(ratio * advantages, held).mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()

    def loss(self, obs: Tensor, actions: Tensor, returns: Tensor) -> Tensor:
        logits, values = self.model(obs)
        dist, values = Categorical(logits=logits), values.squeeze(-1)
        pg = -(dist.log_prob(actions) * (returns - values.detach())).mean()
        return pg + self.vf_coef * F.mse_loss(values, returns) - self.ent_coef * dist.entropy().mean()


RIGHT = [
    (Distributions.loss, "ppo_clip"),
    (reinforce, "actor_loss"),
    (clipped_with_an_entropy, "ppo_clip"),
    (Agent.epochs_of_clips, "ppo_clip"),
    (actor_critic, "actor_loss"),
    (Agent.update, "actor_loss"),
    (Agent.step_by_step, "actor_loss"),
    (Agent.loss, "actor_loss"),
    (in_numpy, "actor_loss"),
    (of_actions_in_a_column, "actor_loss"),
    (gaussian, "actor_loss"),
    (clipped, "ppo_clip"),
    (clipped_with_values, "ppo_clip"),
    (of_tokens, "policy_clip"),
]
along_the_batch = altered(reinforce, {"dim=-1": "dim=0"})
clipped_to_be_certain = altered(clipped_with_an_entropy, {"- 0.01 *": "+ 0.01 *"})
update_upwards = altered(Agent.update, {"-(Categorical": "(Categorical"})
actor_critic_certain = altered(actor_critic, {"- 0.01 *": "+ 0.01 *"})
actor_critic_away = altered(actor_critic, {"+ 0.5 *": "- 0.5 *"})
clipped_away_from_values = altered(clipped_with_values, {"+ 0.5 *": "- 0.5 *"})
loss_of_one_side = altered(Distributions.loss, {"torch.min": "torch.max"})
loss_of_the_certain = altered(Agent.loss, {"- self.ent_coef": "+ self.ent_coef"})

FAULTY = [
    (without_softmax, "actor_loss", "log-softmax-missing"),
    (along_the_batch, "actor_loss", "softmax-along-the-batch"),
    (clipped_to_be_certain, "ppo_clip", "entropy-sign"),
    (update_upwards, "actor_loss", "loss-with-the-sign-of-an-objective"),
    (of_probabilities, "actor_loss", "log-missing"),
    (softmax_twice, "actor_loss", "softmax-of-probabilities"),
    (gaussian_averaged, "actor_loss", "density-averaged"),
    (actor_critic_certain, "actor_loss", "entropy-sign"),
    (actor_critic_away, "actor_loss", "critic-sign"),
    (loss_of_turned_advantages, "actor_loss", "loss-with-the-sign-of-an-objective"),
    (clipped_away_from_values, "ppo_clip", "critic-sign"),
    (clipped_the_other_way, "ppo_clip", "maximum-for-minimum"),
    (loss_of_one_side, "ppo_clip", "maximum-for-minimum"),
    (Agent.epochs_of_the_larger, "ppo_clip", "maximum-for-minimum"),
    (loss_of_the_certain, "actor_loss", "entropy-sign"),
]


@pytest.mark.parametrize(("function", "formula"), sweep(RIGHT, 2))
def test_what_makes_its_log_probabilities_rightly_conforms(function: Any, formula: str) -> None:
    assert conform(function, formula).verdict.startswith("conforms"), function.__qualname__


@pytest.mark.parametrize(("function", "formula", "bug"), sweep(FAULTY, 3))
def test_what_makes_them_wrongly_has_its_bug(function: Any, formula: str, bug: str) -> None:
    report = conform(function, formula)
    assert report.verdict == "nonconforming"
    assert bug in bugs(report)


def test_logits_are_made_such_that_their_softmax_is_what_is_wanted() -> None:
    wanted = np.log([0.5, 0.25, 0.9, 0.01])
    found = expanded({place_of({"logits": "x", "actions": "a"}): wanted})
    logits, actions = found["x"], found["a"]
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    np.testing.assert_allclose(logs[np.arange(4), actions], wanted, rtol=1e-12)
    assert not np.allclose(logits[np.arange(4), actions], wanted)


def test_a_gaussian_is_made_such_that_its_density_is_what_is_wanted() -> None:
    wanted = torch.tensor([-3.0, 0.5, 4.0], dtype=torch.float64)
    found = expanded({place_of({"mean": "m", "std": "s", "actions": "a"}): wanted})
    logs = Normal(found["m"], found["s"]).log_prob(found["a"]).sum(-1)
    torch.testing.assert_close(logs, wanted)
