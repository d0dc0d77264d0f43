"""Functions of returns and values that were read wrongly when first seen, each a kind of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rlcalc.conform import conform
from rlcalc.errors import InputError
from tests.refused import refused

from .altered import altered
from .as_it_stands import bugs, judging


class Rollout:
    """Flags that came with the observations."""

    rewards: Any
    values: Any
    episode_starts: Any

    def compute_advantages(self, last_value, last_done, gamma: float, lam: float):
        """Row t of the flags in the place of row t + 1."""
        out, later = np.zeros_like(self.rewards), 0.0
        for t in reversed(range(len(self.rewards))):
            at_end = t == len(self.rewards) - 1
            live = 1.0 - (last_done if at_end else self.episode_starts[t])
            after = last_value if at_end else self.values[t + 1]
            later = self.rewards[t] + gamma * live * after - self.values[t] + gamma * lam * live * later
            out[t] = later
        return out


def gae_of_true_successors(rew, val, next_val, terminated, truncated, gamma: float, lam: float):
    """The next value of every step, by a name that could be that of the last one."""
    out, later = np.zeros_like(rew), 0.0
    for t in reversed(range(len(rew))):
        delta = rew[t] + gamma * next_val[t] * (1 - terminated[t]) - val[t]
        later = out[t] = delta + gamma * lam * later * (1 - np.maximum(terminated[t], truncated[t]))
    return out


def gae_with_lam_in_delta(rewards, values, dones, last_value, gamma: float, lam: float):
    out, later, after = np.zeros_like(rewards), 0.0, last_value
    for t in reversed(range(len(rewards))):
        decay = gamma * lam * (1 - dones[t])
        later = out[t] = rewards[t] + decay * after - values[t] + decay * later
        after = values[t]
    return out


def gae_and_rewards_to_go(rews, vals, last_val=0, gamma: float = 0.9, lam: float = 0.9):
    """The critic learns from rewards-to-go."""
    after = np.append(vals[1:], last_val)
    adv, ret = np.zeros_like(rews), np.zeros_like(rews)
    a, g = 0.0, last_val
    for t in reversed(range(len(rews))):
        adv[t] = a = rews[t] + gamma * after[t] - vals[t] + gamma * lam * a
        ret[t] = g = rews[t] + gamma * g
    return adv, ret


def compute_advantage(rewards, values, next_values, dones, gamma: float):
    """Without λ."""
    return rewards + gamma * next_values * (1 - dones) - values


def minimal_gae(r, v, v_prime, done_mask, gamma: float = 0.9, lmbda: float = 0.9):
    """A mask that is called after done; what it stops is the bootstrap alone."""
    out, later = np.zeros_like(r), 0.0
    for t in reversed(range(len(r))):
        out[t] = later = r[t] + gamma * v_prime[t] * done_mask[t] - v[t] + gamma * lmbda * later
    return out


def forward_view(rewards, values, gamma: float, lam: float) -> list[float]:
    """All n-step returns with their weights; its name does not say gae, and its arguments do."""
    steps, out = len(rewards), []
    for t in range(steps):
        mixed, sums = 0.0, 0.0
        for n in range(1, steps - t + 1):
            sums += gamma ** (n - 1) * rewards[t + n - 1]
            weight = lam ** (n - 1) * (1 - lam if t + n < steps else 1)
            mixed += weight * (sums + gamma**n * values[t + n])
        out.append(mixed)
    return out


def lambda_return_value_unmasked(rewards, next_values, dones, gamma: float, lam: float):
    out, later = np.zeros_like(rewards), next_values[-1]
    for t in reversed(range(len(rewards))):
        later = out[t] = rewards[t] + gamma * ((1 - lam) * next_values[t] + lam * later * (1 - dones[t]))
    return out


def returns_from_last_row(rewards, last_value, dones, gamma: float):
    """The bootstrap lies in the row of the last reward."""
    out = np.zeros_like(rewards)
    out[-1] = last_value * (1 - dones[-1])
    for t in reversed(range(len(rewards) - 1)):
        out[t] = rewards[t] + gamma * out[t + 1] * (1 - dones[t])
    return out


def returns_by_powers(rewards, gamma: float):
    powers = gamma ** np.arange(len(rewards))
    return (rewards * powers)[::-1].cumsum()[::-1] / powers


def episode_return(rewards: list[float], gamma: float = 0.9) -> float:
    """Of the first step alone."""
    total = 0.0
    for reward in reversed(rewards):
        total = reward + gamma * total
    return total


def reinforce_returns(rewards: list[float], gamma: float = 0.99, eps: float = 1e-8):
    """Standardised, in single precision, where no ε shows."""
    out, total = [], 0.0
    for r in rewards[::-1]:
        total = r + gamma * total
        out.insert(0, total)
    found = torch.tensor(out)
    return (found - found.mean()) / (found.std() + eps)


def td_target(rewards, values, next_values, dones, gamma: float):
    """A value that it takes and has no use for."""
    return rewards + gamma * next_values * (1 - dones)


def boltzmann_policy(q_values, temperature: float = 1.0):
    e = np.exp((q_values - q_values.max()) / temperature)
    return e / e.sum()


def qr_loss(theta, target_theta, kappa: float = 1.0):
    """One number for a minibatch, of two axes and no other number of them."""
    n = theta.shape[1]
    tau = (torch.arange(n, dtype=theta.dtype) + 0.5) / n
    u = target_theta[:, None, :] - theta[:, :, None]
    huber = torch.where(u.abs() <= kappa, 0.5 * u**2, kappa * (u.abs() - 0.5 * kappa))
    return ((tau[:, None] - (u < 0).to(u.dtype)).abs() * huber / kappa).mean(2).sum(1).mean()


def retrace(q, next_v, rewards, pi, mu, dones, gamma: float, lam: float):
    """Probabilities in the place of ratios."""
    c, out, later = lam * np.minimum(1, pi / mu), np.zeros_like(q), 0.0
    for t in reversed(range(len(q))):
        later = rewards[t] + gamma * (1 - dones[t]) * next_v[t] - q[t] + later
        out[t] = q[t] + later
        later *= gamma * c[t] * (1 - dones[t - 1]) if t else 0
    return out


boltzmann_policy_hot = altered(boltzmann_policy, {"/ temperature": "* temperature"})

CASES = [
    (Rollout.compute_advantages, "gae", "done-mask-one-late-but-the-last", "[T, B]"),
    (gae_of_true_successors, "gae", "conforms", "[T, B]"),
    (gae_with_lam_in_delta, "gae", "lam-in-td-error", "[T, B]"),
    (gae_and_rewards_to_go, "gae", "returns-without-lam", "[T]"),
    (compute_advantage, "td_error", "conforms", "[..., T]"),
    (minimal_gae, "gae", "recursion-crosses-ends", "[T, B]"),
    (forward_view, "lambda_return", "conforms", "[T]"),
    (lambda_return_value_unmasked, "lambda_return", "value-unmasked", "[T, B]"),
    (returns_from_last_row, "discounted_return", "last-row-is-bootstrap", "[T, B]"),
    (returns_by_powers, "discounted_return", "powers-divided-out", "[T]"),
    (episode_return, "discounted_return", "conforms", "[T]"),
    (reinforce_returns, "discounted_return", "conforms-under-convention", "[T]"),
    (td_target, "n_step_return", "conforms", "[..., T]"),
    (boltzmann_policy, "softmax", "conforms", "[]"),
    (boltzmann_policy_hot, "softmax", "temperature-multiplied", "[]"),
    (qr_loss, "quantile_huber_loss", "mean-over-batch", "[N]"),
    (retrace, "retrace", "conforms", "[T, B]"),
]


test_it_is_read_as_what_it_is = judging(CASES, 3)


def test_a_power_too_few_in_the_tail_is_named_however_long_the_windows_are() -> None:
    """Called by the formula's own names it gets n = ∞, where every window is cut short."""

    def n_step_return(rewards, values, gamma: float, n: float):
        steps = rewards.shape[-1]
        out = np.zeros_like(rewards)
        for t in range(steps):
            end = int(min(t + n, steps))
            sums = sum(gamma ** (k - t) * rewards[..., k] for k in range(t, end))
            power = end - t - (end - t < n)
            out[..., t] = sums + gamma**power * values[..., end]
        return out

    report = conform(n_step_return, "n_step_return")
    names = bugs(report)
    assert names == ["gamma-power-one-short-at-the-end"]


def test_a_function_that_never_answers_is_not_accused() -> None:
    """Of one window, which no reading of its parameters says."""

    def bootstrapped_target(r, q_next: float, d, gamma: float, n: int) -> float:
        total, scale = 0.0, 1.0
        for k in range(n + 7):
            total += scale * r[k]
            scale *= gamma
        return total + scale * q_next

    with refused(InputError, "target_signature") as caught:
        conform(bootstrapped_target, "q_target")
    assert "--map" in caught.value.hint


@pytest.mark.parametrize(
    ("returned", "verdict"),
    [
        ("return adv, adv + vals", "conforms"),
        ("return adv, adv", "nonconforming"),  # the advantages again where the returns belong
        ("return adv.mean(), adv + vals", "wrong-shape"),  # right returns, and no advantages
    ],
)
def test_both_of_a_pair_are_judged(returned: str, verdict: str, verdict_alone: None) -> None:
    changed = altered(gae_and_rewards_to_go, {"return adv, ret": returned})
    changed.__name__ = "compute_gae"
    assert conform(changed, "gae").verdict == verdict


@pytest.mark.slow
def test_generated_cases_ask_for_every_output() -> None:
    """Returns that are wrong where values are large alone, which no vector has."""

    def gae(rewards, values, gamma: float, lam: float):
        adv, _ = gae_and_rewards_to_go(rewards, values[:-1], values[-1], gamma, lam)
        return {"advantages": adv, "returns": np.clip(adv + values[:-1], -2000, 2000)}

    report = conform(gae, "gae", random=300)
    assert report.found is not None
    assert report.found.judgement.output == "returns"
