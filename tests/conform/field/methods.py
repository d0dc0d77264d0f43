"""Methods on objects with storage, as trainers have them."""

from dataclasses import dataclass

import numpy as np
import torch


class RolloutStorage:
    """Masks of T + 1 and a buffer of returns, written in place."""

    def __init__(self, steps, rows):
        self.rewards = torch.zeros(steps, rows)
        raise RuntimeError("made by the trainer")

    def compute_returns(self, next_value, use_gae, gamma, gae_lambda, use_proper_time_limits=False):
        self.value_preds[-1] = next_value
        run = 0
        for step in reversed(range(self.rewards.size(0))):
            onward = gamma * self.value_preds[step + 1] * self.masks[step + 1]
            delta = self.rewards[step] + onward - self.value_preds[step]
            run = delta + gamma * gae_lambda * self.masks[step + 1] * run
            self.returns[step] = run + self.value_preds[step]


class Buffer:
    def compute_returns_and_advantage(self, last_values, dones):
        last_gae_lam = 0
        for step in reversed(range(self.buffer_size)):
            if step == self.buffer_size - 1:
                live, after = 1.0 - dones, last_values
            else:
                live, after = 1.0 - self.episode_starts[step + 1], self.values[step + 1]
            delta = self.rewards[step] + self.gamma * after * live - self.values[step]
            last_gae_lam = delta + self.gamma * self.gae_lambda * live * last_gae_lam
            self.advantages[step] = last_gae_lam
        self.returns = self.advantages + self.values


class PPO:
    def compute_gae(self, rewards, values, dones, next_value):
        advantages, run = [], 0
        values = list(values) + [next_value]
        for t in reversed(range(len(rewards))):
            delta = rewards[t] + self.gamma * values[t + 1] * (1 - dones[t]) - values[t]
            run = delta + self.gamma * self.lam * (1 - dones[t]) * run
            advantages.insert(0, run)
        return advantages


class Agent:
    """Settings in an object."""

    def get_advantages(self, rewards, values, dones, last_value):
        out, run, after = torch.zeros_like(rewards), 0.0, last_value
        for t in range(len(rewards) - 1, -1, -1):
            live = 1.0 - dones[t]
            run = (
                rewards[t]
                + self.config.gamma * after * live
                - values[t]
                + self.config.gamma * self.config.gae_lambda * live * run
            )
            out[t], after = run, values[t]
        return out, out + values


class DictConfigAgent:
    def estimate_advantage(self, obs, rewards, values, terminals):
        out, run = np.zeros_like(rewards), 0.0
        for t in reversed(range(rewards.shape[0])):
            live = 1.0 - terminals[t]
            delta = rewards[t] + self.cfg["gamma"] * values[t + 1] * live - values[t]
            run = delta + self.cfg["gamma"] * self.cfg["gae_lambda"] * live * run
            out[t] = run
        return out


class TorchAC:
    """The flag after the last step is an attribute as well."""

    def collect(self, next_value):
        for i in reversed(range(self.num_frames_per_proc)):
            last = i == self.num_frames_per_proc - 1
            live = self.mask if last else self.masks[i + 1]
            after = next_value if last else self.values[i + 1]
            later = 0 if last else self.advantages[i + 1]
            delta = self.rewards[i] + self.discount * after * live - self.values[i]
            self.advantages[i] = delta + self.discount * self.gae_lambda * later * live


class Recurrent:
    def calc_advantages(self, last_value, gamma, lamda):
        run = 0
        for t in reversed(range(self.worker_steps)):
            live = 1.0 - self.dones[:, t]
            delta = self.rewards[:, t] + gamma * last_value * live - self.values[:, t]
            run = delta + gamma * lamda * live * run
            last_value = self.values[:, t]
            self.advantages[:, t] = run


class Memory:
    def returns(self, gamma):
        out, run = [], 0.0
        for reward, over in zip(reversed(self.rewards), reversed(self.is_terminals), strict=True):
            run = 0.0 if over else run
            run = reward + gamma * run
            out.insert(0, run)
        return out


class WithCritic:
    """The value after the last step is asked of a network."""

    def compute_returns(self, last_obs):
        after = self.critic(last_obs)
        run = 0
        for t in reversed(range(len(self.storage.rewards))):
            live = 1.0 - self.storage.dones[t]
            delta = self.storage.rewards[t] + self.gamma * after * live - self.storage.values[t]
            run = delta + self.gamma * self.lam * live * run
            after = self.storage.values[t]
            self.storage.advantages[t] = run
        self.storage.returns = self.storage.advantages + self.storage.values


class Trainer:
    def _discount(self, rewards):
        out, run = np.zeros_like(rewards), 0.0
        for t in reversed(range(len(rewards))):
            run = rewards[t] + self._gamma * run
            out[t] = run
        return out


@dataclass
class Rollout:
    rewards: object
    values: object
    dones: object

    def gae(self, gamma, lam, last_value):
        out, run, after = np.zeros_like(self.rewards), 0.0, last_value
        for t in reversed(range(len(self.rewards))):
            live = 1.0 - self.dones[t]
            run = self.rewards[t] + gamma * after * live - self.values[t] + gamma * lam * live * run
            out[t], after = run, self.values[t]
        return out


class Helper:
    def compute(self, rewards, values, dones, next_value):
        deltas = self._deltas(rewards, values, dones, next_value)
        out, run = np.zeros_like(rewards), 0.0
        for t in reversed(range(len(rewards))):
            run = deltas[t] + self.gamma * self.lmbda * (1 - dones[t]) * run
            out[t] = run
        return out

    def _deltas(self, rewards, values, dones, next_value):
        following = np.concatenate([values[1:], np.asarray(next_value)[None]], 0)
        return rewards + self.gamma * following * (1 - dones) - values


class Transitions:
    def compute_gae(self, last_value, gamma, gae_lambda):
        run, out, after = 0.0, [], last_value
        for step in reversed(self.transitions):
            live = 1.0 - step.done
            run = step.reward + gamma * after * live - step.value + gamma * gae_lambda * live * run
            after = step.value
            out.insert(0, run)
        return out


class FaultyBuffer:
    """Crosses the ends of episodes."""

    def compute(self, last_value):
        run, after = 0.0, last_value
        for t in reversed(range(self.n_steps)):
            live = 1.0 - self.dones[t]
            delta = self.rewards[t] + self.gamma * after * live - self.values[t]
            run = delta + self.gamma * self.gae_lambda * run
            after = self.values[t]
            self.advantages[t] = run
        self.returns = self.advantages + self.values


class ForgetsBootstrap:
    """The value after the last step is taken and not used."""

    def compute_gae(self, rewards, values, dones, last_value):
        out, run = np.zeros_like(rewards), 0.0
        for t in reversed(range(len(rewards))):
            after = values[t + 1] if t < len(rewards) - 1 else 0.0
            live = 1.0 - dones[t]
            run = rewards[t] + self.gamma * after * live - values[t] + self.gamma * self.lam * live * run
            out[t] = run
        return out


class ClippedObjective:
    def clip_loss(self, At, log_prob_current, log_prob_old):
        ratio = torch.exp(log_prob_current - log_prob_old)
        clipped = torch.clamp(ratio, 1 - self.epsilon, 1 + self.epsilon)
        return -torch.min(ratio * At, clipped * At).mean()


class TokenTrainer:
    def get_advantages_and_returns(self, values, rewards, start):
        run, reversed_ = 0, []
        length = rewards.size(-1)
        for t in reversed(range(start, length)):
            after = values[:, t + 1] if t < length - 1 else 0.0
            run = rewards[:, t] + self.gamma * after - values[:, t] + self.gamma * self.lam * run
            reversed_.append(run)
        advantages = torch.stack(reversed_[::-1], dim=1)
        return advantages.detach(), advantages + values[:, start:]
