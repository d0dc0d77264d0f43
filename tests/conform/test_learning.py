"""Updates of networks as agents have them: what they learn is where their loss is least."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from rlcalc.conform import conform
from rlcalc.conform.binding.which import found_formula
from rlcalc.conform.runner import run
from rlcalc.conform.target.base import from_function
from rlcalc.errors import InputError
from tests.refused import refused

from .as_it_stands import judging


class Settings:
    def __init__(self, gamma: float = 0.99, target_every: int = 100) -> None:
        self.gamma, self.target_every = gamma, target_every


class DeepQ:
    """Two networks, an optimizer, a buffer and settings; all that is no part of the target is left open."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.steps, self.double = settings, 0, False
        self.q_net, self.target_net = nn.Linear(4, 2), nn.Linear(4, 2)
        self.optimizer = torch.optim.Adam(self.q_net.parameters())
        self.loss_fn = nn.SmoothL1Loss()
        self.memory: Any = None

    def learn(self, batch):
        states, actions, rewards, next_states, dones = batch
        predicted = self.q_net(states).gather(1, actions.unsqueeze(1)).squeeze(1)
        with torch.no_grad():
            best = self.target_net(next_states).max(1)[0]
            target = rewards + self.settings.gamma * (1 - dones) * best
        loss = self.loss_fn(predicted, target)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.q_net.parameters(), 10)
        self.optimizer.step()
        self.steps += 1
        if self.steps % self.settings.target_every == 0:
            self.target_net.load_state_dict(self.q_net.state_dict())
        return loss.item()

    def learn_past_the_end(self, batch_s, batch_a, batch_r, batch_s_, batch_d):
        predicted = self.q_net(batch_s).gather(1, batch_a)
        best = self.target_net(batch_s_).max(1, keepdim=True)[0].detach()
        return F.smooth_l1_loss(predicted, batch_r + self.settings.gamma * best)

    def learn_from_memory(self) -> None:
        """What a buffer gives is no tensor yet, and the target network values what the other one chooses."""
        if len(self.memory) < self.settings.batch_size or not self.memory.ready():
            return
        states, actions, rewards, next_states, dones = self.memory.sample(self.settings.batch_size)
        states, next_states = torch.FloatTensor(states), torch.FloatTensor(next_states)
        taken = torch.LongTensor(actions.squeeze()).unsqueeze(1)
        rewards, dones = torch.FloatTensor(rewards), torch.FloatTensor(dones)
        with torch.no_grad():
            choice = self.q_net(next_states).argmax(1, keepdim=True)
            following = self.target_net(next_states).gather(1, choice).squeeze(1)
        errors = self.q_net(states).gather(1, taken).squeeze(1) - (
            rewards + self.settings.gamma * following * (1 - dones)
        )
        self.optimizer.zero_grad()
        (errors**2).mean().backward()
        self.optimizer.step()

    def learn_for_ever(self, states, actions, rewards, next_states, dones):
        """Its discount is a setting that it never reads."""
        best = self.target_net(next_states).max(1, keepdim=True)[0].detach()
        return F.mse_loss(self.q_net(states).gather(1, actions), rewards + (1 - dones) * best)

    def learn_from_itself(self, states, actions, rewards, next_states, dones):
        """The gradient goes through the target as well."""
        predicted = self.q_net(states).gather(1, actions)
        best = self.q_net(next_states).max(1, keepdim=True)[0]
        return F.mse_loss(predicted, rewards + self.settings.gamma * (1 - dones) * best)


Step = namedtuple("Step", ["state", "action", "next_state", "reward"])
BATCH_SIZE, GAMMA = 128, 0.99


class Remembers:
    """Records of steps in tuples with names; after the last step of an episode there is no next state."""

    def __init__(self) -> None:
        self.policy_net, self.target_net, self.memory = nn.Linear(4, 2), nn.Linear(4, 2), Any
        self.optimizer = torch.optim.Adam(self.policy_net.parameters())

    def optimize(self) -> None:
        if len(self.memory) < BATCH_SIZE:
            return
        batch = Step(*zip(*self.memory.sample(BATCH_SIZE), strict=True))
        going_on = torch.tensor([state is not None for state in batch.next_state])
        later = torch.cat([state for state in batch.next_state if state is not None])
        values = self.policy_net(torch.cat(batch.state)).gather(1, torch.cat(batch.action))
        following = torch.zeros(BATCH_SIZE)
        with torch.no_grad():
            following[going_on] = self.target_net(later).max(1).values
        target = torch.cat(batch.reward) + GAMMA * following
        loss = nn.SmoothL1Loss()(values, target.unsqueeze(1))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def learn(self, batch) -> None:
        """What is done with a batch stands in another method, which calls it by another name."""
        loss = self.loss_of(batch)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def loss_of(self, data):
        s, a, r, s2, d = data
        with torch.no_grad():
            target = r + GAMMA * (1 - d) * self.target_net(s2).max(1).values
        return F.mse_loss(self.policy_net(s).gather(1, a.unsqueeze(1)).squeeze(1), target)


class TwoCritics:
    def __init__(self, gamma: float = 0.99) -> None:
        self.gamma, self.updates = gamma, 0
        self.critic_1 = self.critic_2 = self.critic_1_target = self.critic_2_target = nn.Linear(4, 1)
        self.actor = self.actor_target = nn.Linear(4, 1)
        self.critic_optimizer = torch.optim.Adam(self.actor.parameters())

    def update(self, batch):
        """Noise on the action; the actor's loss, which goes through a critic, comes after theirs."""
        with torch.no_grad():
            noise = (torch.randn_like(batch.actions) * self.policy_noise).clamp(-0.5, 0.5)
            following = (self.actor_target(batch.next_obs) + noise).clamp(self.low, self.high)
            first = self.critic_1_target(batch.next_obs, following)
            smaller = torch.min(first, self.critic_2_target(batch.next_obs, following))
            target = batch.rewards + (1 - batch.dones) * self.gamma * smaller
        predicted = self.critic_1(batch.obs, batch.actions), self.critic_2(batch.obs, batch.actions)
        loss = sum(F.mse_loss(one, target) for one in predicted)
        self.critic_optimizer.zero_grad()
        loss.backward()
        self.critic_optimizer.step()
        self.updates += 1
        if self.updates % self.policy_delay == 0:
            actor_loss = -self.critic_1(batch.obs, self.actor(batch.obs)).mean()
            actor_loss.backward()
        return loss.item()

    def update_undiscounted(self, obs, actions, rewards, next_obs, dones):
        """The 1.0 in it is no discount of its own, beside the one that the object keeps."""
        with torch.no_grad():
            following = self.critic_1_target(next_obs, self.actor_target(next_obs))
            target = rewards + (1.0 - dones) * following
        return F.mse_loss(self.critic_1(obs, actions), target)

    def update_of_the_larger(self, batch):
        with torch.no_grad():
            following = self.actor_target(batch.next_obs)
            first = self.critic_1_target(batch.next_obs, following)
            larger = torch.max(first, self.critic_2_target(batch.next_obs, following))
            target = batch.rewards + (1 - batch.dones) * self.gamma * larger
        predicted = self.critic_1(batch.obs, batch.actions), self.critic_2(batch.obs, batch.actions)
        loss = sum(F.mse_loss(one, target) for one in predicted)
        loss.backward()


class TwoTargets(TwoCritics):
    """The same two critics, each of which may have a target of its own."""

    def learn(self, obs, actions, rewards, next_obs, dones, second: str):
        with torch.no_grad():
            following = self.actor_target(next_obs)
            values = self.critic_1_target(next_obs, following), self.critic_2_target(next_obs, following)
            first = values[0] if second == "apart" else torch.min(*values)
            targets = [
                rewards + (1 - dones) * self.gamma * value
                for value in (first, first if second == "alike" else values[1])
            ]
        predicted = self.critic_1(obs, actions), self.critic_2(obs, actions)
        return sum(F.mse_loss(one, target) for one, target in zip(predicted, targets, strict=True))

    def update_apart(self, obs, actions, rewards, next_obs, dones):
        return self.learn(obs, actions, rewards, next_obs, dones, "apart")

    def update_second(self, obs, actions, rewards, next_obs, dones):
        return self.learn(obs, actions, rewards, next_obs, dones, "second")

    def update_alike(self, obs, actions, rewards, next_obs, dones):
        return self.learn(obs, actions, rewards, next_obs, dones, "alike")

    def update_one(self, obs, actions, rewards, next_obs, dones):
        with torch.no_grad():
            following = self.actor_target(next_obs)
            first = self.critic_1_target(next_obs, following)
            smaller = torch.min(first, self.critic_2_target(next_obs, following))
            target = rewards + (1 - dones) * self.gamma * smaller
        return 2 * F.mse_loss(self.critic_1(obs, actions), target)


def one_critic(critic, target_critic, target_actor, optimizer, batch, gamma: float = 0.99):
    """Functions get their networks and what their buffer keeps by name; critics answer a column."""
    observations = torch.as_tensor(batch["obs"])
    with torch.no_grad():
        later = torch.as_tensor(batch["next_obs"])
        following = target_critic(later, target_actor(later)).squeeze(-1)
        target = batch["rewards"] + gamma * (1 - batch["dones"]) * following
    loss = ((critic(observations, batch["actions"]).squeeze(-1) - target) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


CASES = [
    (DeepQ.learn, "q_target", "conforms", "[N]"),
    (TwoCritics.update, "sac_target", "td3", "[N]"),
    (DeepQ.learn_past_the_end, "q_target", "bootstrap-after-terminal", "[N, 1]"),
    (Remembers.optimize, "q_target", "conforms", "[N, 1]"),
    (Remembers.learn, "q_target", "conforms", "[N]"),
    (DeepQ.learn_from_memory, "double_q_target", "conforms", "[N]"),
    (TwoCritics.update_undiscounted, "q_target", "gamma-missing", "[N]"),
    (TwoCritics.update_of_the_larger, "sac_target", "larger-critic", "[N]"),
    (one_critic, "q_target", "conforms", "[N]"),
    (TwoTargets.update_alike, "sac_target", "td3", "[N]"),
    (TwoTargets.update_apart, "sac_target", "critics-with-targets-of-their-own", "[N]"),
    (TwoTargets.update_second, "sac_target", "second-critic-with-its-own-target", "[N]"),
]
test_updates_are_judged_by_what_they_learn = judging(CASES)


def test_a_gradient_through_the_target_is_no_reading() -> None:
    target = from_function(DeepQ.learn_from_itself)
    with refused(InputError, "formula_missing", "detach"):
        found_formula(target, "a.py:DeepQ.learn_from_itself")


def test_a_discount_that_is_nowhere_is_no_discount_of_1() -> None:
    target = from_function(DeepQ.learn_for_ever)
    with pytest.raises(InputError, match="it reads no gamma"):
        run(target, "q_target")


@pytest.mark.slow
def test_that_one_of_two_critics_is_trained_is_said() -> None:
    found = (conform(f, "sac_target").binding for f in (TwoTargets.update_one, TwoCritics.update))
    said = [any("it trains one" in note for note in one.notes) for one in found if one is not None]
    assert said == [True, False]
