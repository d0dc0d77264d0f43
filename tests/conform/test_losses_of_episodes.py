"""Updates of whole episodes, whose returns are seen in what they weigh log-probabilities with."""

from typing import Any

import torch
import torch.nn.functional as F

from tests.conform.altered import altered
from tests.conform.as_it_stands import judging


def to_go(rewards, gamma: float) -> list[float]:
    found: list[float] = []
    for reward in reversed(rewards):
        found.insert(0, reward + gamma * (found[0] if found else 0.0))
    return found


def standardised(numbers, eps: float = 1e-8):
    numbers = torch.tensor(numbers)
    return (numbers - numbers.mean()) / (numbers.std() + eps)


class Learner:
    def __init__(self, policy, optimizer, gamma: float) -> None:
        self.policy, self.optimizer, self.gamma = policy, optimizer, gamma
        self.rewards: list[float] = []
        self.saved_log_probs: list[Any] = []

    def finish_episode(self) -> None:
        losses = [
            -lp * g for lp, g in zip(self.saved_log_probs, to_go(self.rewards, self.gamma), strict=True)
        ]
        self.optimizer.zero_grad()
        torch.cat(losses).sum().backward()
        torch.nn.utils.clip_grad_norm_(self.policy.parameters(), 1.0)
        self.optimizer.step()
        self.rewards.clear()
        del self.saved_log_probs[:]

    def finish_standardised(self):
        gains = standardised(to_go(self.rewards, self.gamma))
        return torch.stack([-lp * g for lp, g in zip(self.saved_log_probs, gains, strict=True)]).mean()

    def finish_with_entropies(self, entropies):
        losses = [
            -lp * g for lp, g in zip(self.saved_log_probs, to_go(self.rewards, self.gamma), strict=True)
        ]
        return torch.cat(losses).sum() - 0.01 * torch.tensor(entropies).mean().detach()

    def loss(self):
        """Numbers in a list: stacked, they are a row beside the returns."""
        gains = torch.tensor(to_go(self.rewards, self.gamma))
        return -(torch.stack(self.saved_log_probs) * gains).sum()

    def finish_forwards(self):
        total, gains = 0.0, []
        for reward in self.rewards:
            total = reward + self.gamma * total
            gains.insert(0, total)
        weighed = zip(self.saved_log_probs, standardised(gains, 1e-5), strict=True)
        return torch.cat([-lp * g for lp, g in weighed]).sum()


class Memory:
    """Pairs in a list, whose class says what they are."""

    def __init__(self, gamma: float) -> None:
        self.memory: list[tuple[float, Any]] = []
        self.gamma = gamma

    def store(self, reward: float, log_prob) -> None:
        self.memory.append((reward, log_prob))

    def update(self, optimizer) -> None:
        gain, loss = 0.0, 0.0
        for reward, log_prob in self.memory[::-1]:
            gain = reward + self.gamma * gain
            loss = loss - log_prob * gain
        optimizer.zero_grad()
        torch.as_tensor(loss).sum().backward()
        optimizer.step()


def finish_actor_critic(model, optimizer, gamma: float) -> None:
    gains = standardised(to_go(model.rewards, gamma))
    actor, critic = [], []
    for (log_prob, value), gain in zip(model.saved_actions, gains, strict=True):
        actor.append(-log_prob * (gain - value.item()))
        critic.append(F.smooth_l1_loss(value, gain.reshape(1)))
    optimizer.zero_grad()
    (torch.stack(actor).sum() + torch.stack(critic).sum()).backward()
    optimizer.step()
    del model.rewards[:]


loss_uphill = altered(Learner.loss, {"return -(": "return ("})

test_what_a_loss_weighs_each_step_with_is_its_return = judging(
    [
        (Learner.finish_episode, "discounted_return", "conforms", "[T]"),
        (Learner.finish_standardised, "discounted_return", "standardised-returns=1e-8", "[T]"),
        (Learner.loss, "discounted_return", "conforms", "[T]"),
        (loss_uphill, "discounted_return", "negated", "[T]"),
        (Learner.finish_with_entropies, "discounted_return", "conforms", "[T, B]"),
        (Learner.finish_forwards, "discounted_return", "rewards-not-reversed", "[T]"),
        (Memory.update, "discounted_return", "conforms", "[T, B]"),
        (finish_actor_critic, "gae", "no-bootstrap", "[T]"),
    ],
    inner=3,
)
