"""Methods whose inputs and settings lie on objects, in the ways that trainers keep them."""

from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass

import numpy as np
import torch

from tests.conform.altered import altered


@dataclass
class Moment:
    reward: float
    value: float
    done: bool


class Diary:
    """A list of records, asked for by their number."""

    def __init__(self):
        self.moments = []

    def advantages(self, last_value, gamma, lam):
        out, run, after = np.zeros(len(self.moments)), 0.0, last_value
        for k in reversed(range(len(self.moments))):
            moment = self.moments[k]
            live = 1.0 - moment.done
            run = moment.reward + gamma * after * live - moment.value + gamma * lam * live * run
            out[k], after = run, moment.value
        return out


class Window:
    """Tuples in a deque; one number for all of them."""

    def __init__(self, length, gamma):
        self.kept = deque(maxlen=length)
        self.gamma = gamma

    def add(self, state, action, reward, done):
        self.kept.append((state, action, reward, done))

    def n_step_return(self):
        total, weight = 0.0, 1.0
        for k in range(len(self.kept)):
            total += weight * self.kept[k][2]
            weight *= self.gamma
            if self.kept[k][3]:
                break
        return self.kept[0][0], total


class Columns:
    """Records that are turned into columns."""

    def __init__(self, gamma):
        self.memory, self.gamma = [], gamma

    def discounted_returns(self):
        _states, rewards, dones = zip(*self.memory, strict=True)
        out, run = [], 0.0
        for k in reversed(range(len(rewards))):
            run = rewards[k] + self.gamma * run * (1 - dones[k])
            out.insert(0, run)
        return np.array(out)


class Estimator:
    """A class method, with settings of the class."""

    gamma, lam = 0.9, 0.8

    @classmethod
    def gae(cls, rewards, values, dones, last_value):
        after, run, out = np.append(values, last_value), 0.0, np.zeros(len(rewards))
        for t in reversed(range(len(rewards))):
            live = 1.0 - dones[t]
            run = rewards[t] + cls.gamma * after[t + 1] * live - after[t] + cls.gamma * cls.lam * live * run
            out[t] = run
        return out


class Trip:
    """A property, and a generator."""

    def __init__(self, gamma):
        self.rewards, self.gamma = [], gamma

    @property
    def returns(self):
        return np.array(list(self.returns_so_far())[::-1])

    def returns_so_far(self):
        run = 0.0
        for reward in reversed(self.rewards):
            run = reward + self.gamma * run
            yield run

    def discounted_returns(self):
        yield from list(self.returns_so_far())[::-1]


class Base(ABC):
    """An abstract class with a private discount, and sizes under names of its own."""

    def __init__(self, gamma, lines, lanes):
        self.__gamma, self.lines, self.lanes = gamma, lines, lanes

    @abstractmethod
    def act(self, state): ...

    def compute_gae(self, rewards, values, dones, last_value, lam):
        run, out = np.zeros(self.lanes), np.zeros((self.lines, self.lanes))
        for t in range(self.lines - 1, -1, -1):
            after = last_value if t == self.lines - 1 else values[t + 1]
            live = 1.0 - dones[t]
            run = rewards[t] + self.__gamma * after * live - values[t] + self.__gamma * lam * live * run
            out[t] = run
        return out


class Critic:
    """A switch and a weight, and samples one after the other."""

    def __init__(self, opts):
        self.opts = opts

    def value_loss(self, newvalue, b_returns, b_values):
        newvalue = newvalue.view(-1)
        plain = (newvalue - b_returns) ** 2
        if not self.opts.limit_step:
            return self.opts.weight * plain.mean()
        near = b_values + torch.clamp(newvalue - b_values, -self.opts.clip_range, self.opts.clip_range)
        return self.opts.weight * 0.5 * torch.max(plain, (near - b_returns) ** 2).mean()


class OneRow:
    """Takes an axis of one entry away, and a tensor of values where the rest is NumPy."""

    def __init__(self):
        self.rewards, self.done = np.zeros(3), np.zeros(3)

    def get_advantages(self, values, gamma, lam):
        values = np.squeeze(values.detach().numpy())
        errors = self.rewards + gamma * (1 - self.done) * values[1:] - values[:-1]
        out = np.empty_like(errors)
        run = 0.0
        for t in reversed(range(len(errors))):
            run = errors[t] + gamma * lam * (1 - self.done[t]) * run
            out[t] = run
        return out


class OwnDiscount:
    """A discount in the body; flags that are kept, and read by one of two."""

    def __init__(self):
        self.rewards, self.dones = [], []

    def discounted_returns(self):
        out, run = [], 0.0
        for reward, done in zip(self.rewards[::-1], self.dones[::-1], strict=True):
            run = reward + 0.97 * run * (1 - done)
            out.append(run)
        return np.array(out[::-1])

    discounted_returns_across_ends = altered(
        discounted_returns, {"reward, done in": "reward, _ in", " * (1 - done)": ""}
    )

    def discounted_returns_without_flags(self):
        out, run = [], 0.0
        for reward in self.rewards[::-1]:
            run = reward + 0.97 * run
            out.append(run)
        return np.array(out[::-1])


class Network:
    """A network that is asked inside."""

    def __init__(self, target_net, gamma):
        self.target_net, self.gamma = target_net, gamma

    def compute_target(self, rewards, beliefs, dones):
        best = self.target_net(beliefs).max(dim=1)[0]
        return rewards + self.gamma * (1 - dones) * best

    def target_without_ends(self, rewards, beliefs, dones):
        return rewards + self.gamma * self.target_net(beliefs).max(dim=1)[0]


class GRPOTrainer:
    """What it is called after says whose advantages these are."""

    def __init__(self, num_generations):
        self.num_generations = num_generations

    def compute_advantages(self, rewards):
        rows = rewards.view(-1, self.num_generations)
        return ((rows - rows.mean(1, keepdim=True)) / (rows.std(1, keepdim=True) + 1e-6)).view(-1)


class GAE:
    """What it is called after says what its method is."""

    def __init__(self, gamma, lam):
        self.gamma, self.lam = gamma, lam

    def estimate(self, rewards, values, dones):
        out, run = np.zeros(len(rewards)), 0.0
        for t in reversed(range(len(rewards))):
            live = 1.0 - dones[t]
            run = (
                rewards[t]
                + self.gamma * values[t + 1] * live
                - values[t]
                + self.gamma * self.lam * live * run
            )
            out[t] = run
        return out


class AppendsZero:
    """A value after the last step that counts as 0, unless it was given one entry more."""

    def __init__(self):
        self.rewards, self.values, self.dones = [], [], []

    def compute_gae(self, gamma, lam):
        values, out, run = np.array([*self.values, 0.0]), np.zeros(len(self.rewards)), 0.0
        for t in reversed(range(len(self.rewards))):
            live = 1.0 - self.dones[t]
            run = self.rewards[t] + gamma * values[t + 1] * live - values[t] + gamma * lam * live * run
            out[t] = run
        return out


class Imagined:
    """Values of the states that are reached, under the name of all values."""

    def lambda_return(self, reward, value, bootstrap, gamma, lam):
        out, run = torch.zeros_like(reward), bootstrap
        for t in reversed(range(reward.shape[0])):
            run = reward[t] + gamma * ((1 - lam) * value[t] + lam * run)
            out[t] = run
        return out


class Reinforce:
    """Returns that get mean 0 and deviation 1, in single precision."""

    def __init__(self, gamma):
        self.gamma, self.rewards = gamma, []

    def compute_returns(self):
        run, returns = 0, []
        for reward in self.rewards[::-1]:
            run = reward + self.gamma * run
            returns.insert(0, run)
        returns = torch.tensor(returns)
        return (returns - returns.mean()) / (returns.std() + 1e-8)


class Soft:
    """A property without a setter, and a target whose arguments say of which sort it is."""

    def __init__(self, discount):
        self.log_alpha, self.discount = torch.zeros(1), discount

    @property
    def alpha(self):
        return self.log_alpha.exp()

    def target_q(self, reward, done, next_q1, next_q2, next_log_prob):
        value = torch.minimum(next_q1, next_q2) - self.alpha * next_log_prob
        return reward + (1 - done) * self.discount * value


class TwoBugs:
    """The last value is the one before it, and the recursion goes on across the ends of episodes."""

    def __init__(self, gamma, lam):
        self.gamma, self.lam = gamma, lam

    def compute_gae(self, rewards, values, dones):
        out, run = torch.zeros_like(rewards), torch.zeros_like(rewards[0])
        for t in reversed(range(len(rewards))):
            after = values[t + 1] if t + 1 < len(rewards) else values[t]
            run = rewards[t] + self.gamma * after * (1 - dones[t]) - values[t] + self.gamma * self.lam * run
            out[t] = run
        return out


class Weighted:
    """Keeps λ under a name that says nothing, and computes in single precision."""

    def __init__(self, gamma=0.99, smoothing=0.95):
        self.gamma, self.smoothing = gamma, smoothing

    def compute_gae(self, rewards, values, masks):
        steps = rewards + self.gamma * masks * values[1:] - values[:-1]
        out, run = torch.zeros(rewards.shape), 0.0
        for t in reversed(range(len(rewards))):
            run = steps[t] + self.gamma * self.smoothing * masks[t] * run
            out[t] = run
        return out

    def normalised_gae(self, rewards, values, masks):
        out = self.compute_gae(rewards, values, masks)
        return (out - out.mean()) / (out.std() + 1e-4)

    def compute_gae_across_ends(self, rewards, values, masks):
        return self.compute_gae(
            rewards + self.gamma * (1 - masks) * -values[1:], values, torch.ones_like(masks)
        )
