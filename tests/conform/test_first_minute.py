"""Functions written without a thought of rlcalc, and judged without a word about them."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from rlcalc.conform import conform

from .altered import altered
from .as_it_stands import judged, judging


def rewards_to_go(batch_rews, gamma: float = 0.95):
    """Of a list of episodes, one tensor."""
    found: list[float] = []
    for episode in reversed(batch_rews):
        later = 0.0
        for reward in reversed(episode):
            later = reward + later * gamma
            found.insert(0, later)
    return torch.tensor(found, dtype=torch.float)


def nstep_targets(rewards, dones, next_value, gamma: float):
    """Of a rollout of n steps each return from there on."""
    out, later = np.zeros_like(rewards), next_value
    for t in reversed(range(len(rewards))):
        out[t] = later = rewards[t] + gamma * later * (1 - dones[t])
    return out


def n_step(rewards: list[float], bootstrap: list[float], n: int, gamma: float) -> list[float]:
    out = []
    for t in range(len(rewards)):
        total = sum(gamma**k * r for k, r in enumerate(rewards[t : t + n]))
        out.append(total + (gamma**n * bootstrap[t + n] if t + n < len(rewards) else 0.0))
    return out


def td_targets(rewards, next_q, dones, gamma: float = 0.99):
    """Of a table of action values: not of the values of states."""
    return rewards + gamma * next_q.max(dim=1).values * (1.0 - dones.float())


def grpo_adv(rewards, eps: float = 1e-4):
    """Of two axes, and no other number of them."""
    return (rewards - rewards.mean(dim=1, keepdim=True)) / (rewards.std(dim=1, keepdim=True) + eps)


def reinforce_loss(log_probs, returns):
    return -(log_probs * returns).sum()


def policy_loss(logp, adv):
    """No ratio, so no clip."""
    return -(logp * adv).mean()


def gaussian_logp(mu, log_std, a):
    each = -((a - mu) ** 2) / (2 * torch.exp(2 * log_std)) - log_std - 0.5 * np.log(2 * np.pi)
    return each.sum(-1)


def approx_kl(logprob, old_logprob):
    """Of tokens from the old policy."""
    logratio = logprob - old_logprob
    return ((logratio.exp() - 1) - logratio).mean()


def quantile_loss(pred, target, taus, kappa: float = 1.0):
    """Levels that all rows have in common."""
    u = target[:, None, :] - pred[:, :, None]
    huber = torch.where(u.abs() <= kappa, 0.5 * u**2, kappa * (u.abs() - 0.5 * kappa))
    return ((taus[None, :, None] - (u < 0).float()).abs() * huber / kappa).mean(2).sum(1)


def value_loss(newvalue, b_values, b_returns, clip_coef: float = 0.2):
    clipped = b_values + torch.clamp(newvalue - b_values, -clip_coef, clip_coef)
    return 0.5 * torch.max((newvalue - b_returns) ** 2, (clipped - b_returns) ** 2).mean()


def mixed_gae(
    rewards: np.ndarray,
    values: np.ndarray,
    last_values: torch.Tensor,
    dones: np.ndarray,
    gamma: float,
    lam: float,
):
    """Arrays, but for the values that come from the network."""
    after = np.concatenate([values[1:], last_values.clone().cpu().numpy()[None]])
    out, later = np.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        going_on = 1 - dones[t].astype(float)
        out[t] = later = rewards[t] + gamma * after[t] * going_on - values[t] + gamma * lam * going_on * later
    return out


def rloo(rewards, k: int):
    """The first answers of all prompts, then the second ones."""
    table = rewards.reshape(k, -1)
    return (table - (table.sum(0) - table) / (k - 1)).flatten()


def reward_loss(chosen_rewards, rejected_rewards):
    return -torch.nn.functional.logsigmoid(rejected_rewards - chosen_rewards).mean()


def kl_rewards(scores, logprobs, ref_logprobs, mask, kl_coef: float = 0.1):
    """The number of tokens for the place of the last one."""
    rewards = -kl_coef * (logprobs - ref_logprobs) * mask
    rewards[torch.arange(len(rewards)), mask.long().sum(1) - 1] += scores
    return rewards


def grpo_loss(logps, old_logps, ref_logps, advantages, mask, beta: float = 0.04):
    """A clip, and a divergence from a reference beside it."""
    ratio, adv = torch.exp(logps - old_logps), advantages.unsqueeze(1)
    loss = -torch.min(ratio * adv, torch.clamp(ratio, 0.8, 1.2) * adv)
    loss = loss + beta * (torch.exp(ref_logps - logps) - (ref_logps - logps) - 1)
    return ((loss * mask).sum(1) / mask.sum(1)).mean()


def estimator_of_kl(logp, ref_logp, estimator: str):
    x = logp - ref_logp
    return {"k1": x, "k2": x * x / 2, "k3": torch.exp(-x) - 1 + x}[estimator]


SMOOTHING = 0.95


def returns_of_arrays(rewards, gamma: float, dones):
    """Makes a tensor of what only NumPy has: an array that is read backwards."""
    found, run = torch.zeros(rewards.shape, dtype=torch.float64), 0.0
    for at, reward in enumerate(rewards[::-1]):
        run = reward + gamma * run * (1 - dones[len(dones) - 1 - at])
        found[len(dones) - 1 - at] = run
    return found


def gae_with_a_constant(rewards, values, dones, gamma: float):
    out, run = np.zeros(rewards.shape), 0.0
    for t in reversed(range(len(rewards))):
        live = 1 - dones[t]
        run = rewards[t] + gamma * live * values[t + 1] - values[t] + gamma * SMOOTHING * live * run
        out[t] = run
    return out


def calc_gae_list(rewards, gamma: float = 0.99):
    """Advantages that know of no values are returns."""
    found: list[float] = []
    for reward in reversed(rewards):
        found.insert(0, reward + gamma * (found[0] if found else 0.0))
    return found


class Path:
    """What a path is worth, with both numbers in the body."""

    def __init__(self, size: int) -> None:
        self.rewards, self.values = np.zeros(size), np.zeros(size)
        self.advantages = np.zeros(size)

    def finish_path(self, last_value: float = 0.0) -> None:
        values, run = np.append(self.values, last_value), 0.0
        errors = self.rewards + 0.99 * values[1:] - values[:-1]
        for t in reversed(range(len(errors))):
            self.advantages[t] = run = errors[t] + 0.99 * 0.95 * run


class Settings:
    GAMMA = 0.99
    GAE_LAMBDA = 0.95
    CLIP_PARAM = 0.2


def gae_of_a_class(rewards, values):
    """Both numbers are those of a class; what keeps from a division by 0 is neither."""
    out, run, later = torch.zeros_like(rewards), 0.0, 0.0
    for t in reversed(range(len(rewards))):
        run = rewards[t] + Settings.GAMMA * (later + Settings.GAE_LAMBDA * run) - values[t]
        out[t], later = run, values[t]
    return (out - out.mean()) / (out.std() + 1e-8)


def value_loss_of_a_class(value_batch, old_values, returns_batch):
    bound = old_values + (value_batch - old_values).clamp(-Settings.CLIP_PARAM, Settings.CLIP_PARAM)
    return 0.5 * torch.max((value_batch - returns_batch) ** 2, (bound - returns_batch) ** 2).mean()


class Fixed:
    """Has a discount, and a number of its own where it sums."""

    def __init__(self, gamma: float = 0.9) -> None:
        self.gamma = gamma

    def discount_rewards(self, rewards):
        return np.array(calc_gae_list(list(rewards), 0.99))


class Rounds:
    """Rewards under a longer name, a list for each round; what has its length besides."""

    def __init__(self, decay: dict[str, float]) -> None:
        self.settings = decay
        self.many_round_rewards: list[list[float]] = []
        self.many_round_states: list[list[Any]] = []

    def discounted_returns(self):
        found = []
        for at in range(len(self.many_round_states)):
            found += calc_gae_list(list(self.many_round_rewards[at]), self.settings["discount_rate"])
        return found


class Clipped:
    """Takes what it needs from a table, and asks the policy for the rest."""

    def __init__(self, policy, clip_ratio: float) -> None:
        self.policy, self.clip_ratio = policy, clip_ratio
        self.data: dict[str, Any] = {}

    def policy_loss(self):
        now = self.policy.get_log_prob(self.data["obs"].detach(), self.data["act"].detach())
        ratio, adv = torch.exp(now - self.data["old_log_prob"]), self.data["adv"]
        bound = ratio.clamp(1 - self.clip_ratio, 1 + self.clip_ratio)
        return -torch.minimum(ratio * adv, bound * adv).mean()


def lambda_returns_one_step_short(rewards, values, ends, gamma: float, lam: float):
    """Insists on rows, and mixes nothing into the last step but one."""
    assert rewards.ndim == 2
    found = values.clone()
    found[:, :-1] = rewards + (1 - ends) * gamma * (1 - lam) * values[:, 1:]
    later = values[:, -1]
    for t in reversed(range(rewards.shape[1] - 1)):
        found[:, t] += (1 - ends[:, t]) * gamma * lam * later
        later = found[:, t]
    return found


def ppo_objective(new_log_probabilities, old_log_probabilities, advantages, clip: float):
    ratio = torch.exp(new_log_probabilities - old_log_probabilities)
    return torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages)


value_loss_of_the_smaller = altered(value_loss, {"torch.max": "torch.min"})

# function, formula, what is said of it, layout
CASES = [
    (rewards_to_go, "discounted_return", "conforms", "[B, T]"),
    (n_step, "n_step_return", "no-bootstrap", "[T]"),
    (nstep_targets, "discounted_return", "conforms", "[T, B]"),
    (td_targets, "q_target", "conforms", "[N]"),
    (grpo_adv, "grpo_advantage", "ddof-1", "[B, G]"),
    (reinforce_loss, "actor_loss", "loss", "[]"),
    (policy_loss, "actor_loss", "mean-reduction", "[]"),
    (gaussian_logp, "gaussian_log_prob", "conforms", "[...]"),
    (approx_kl, "kl_estimate", "k3-as-written", "[...]"),
    (quantile_loss, "quantile_huber_loss", "conforms", "[N]"),
    (mixed_gae, "gae", "conforms", "[T, B]"),
    (rloo, "rloo_advantage", "answers-in-turns", "[N]"),
    (reward_loss, "reward_model_loss", "answers-swapped", "[...]"),
    (kl_rewards, "token_rewards", "score-at-the-count", "[...]"),
    (grpo_loss, "policy_clip", "mean-over-batch", "[K, 1], one advantage a row"),
    (value_loss, "value_clip_loss", "conforms", "[...]"),
    (value_loss_of_the_smaller, "value_clip_loss", "minimum-for-maximum", "[...]"),
    (returns_of_arrays, "discounted_return", "conforms", "[T]"),
    (gae_with_a_constant, "gae", "conforms", "[T, B]"),
    (ppo_objective, "ppo_clip", "conforms", "[...]"),
    (calc_gae_list, "discounted_return", "conforms", "[T]"),
    (Path.finish_path, "gae", "conforms", "[T]"),
    (gae_of_a_class, "gae", "no-bootstrap", "[T, B]"),
    (value_loss_of_a_class, "value_clip_loss", "conforms", "[...]"),
    (Fixed.discount_rewards, "discounted_return", "conforms", "[T, B]"),
    (Rounds.discounted_returns, "discounted_return", "conforms", "[B, T]"),
    (Clipped.policy_loss, "ppo_clip", "loss", "[...]"),
    (lambda_returns_one_step_short, "lambda_return", "nonconforming", "[B, T]"),
]


test_it_is_judged_in_the_first_minute = judging(CASES)


@pytest.mark.slow  # 300 cases
def test_a_case_next_to_the_bound_of_a_clip_fails_nobody_in_float32() -> None:
    """37 and the bound 37.00000095 are one number there, and either side's derivative is right."""
    report = judged(value_loss, "value_clip_loss", "conforms", "[...]", random=300)
    assert report.random == 300


@pytest.mark.parametrize("estimator", ["k1", "k2"])
def test_a_partial_has_chosen_a_word_for_good(estimator: str) -> None:
    report = conform(partial(estimator_of_kl, estimator=estimator), "kl_estimate", conventions=(estimator,))
    assert report.passed
    assert "kind" in report.not_tested
