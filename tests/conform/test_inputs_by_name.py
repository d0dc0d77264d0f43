"""Gaussians, quantiles, bandits and estimates as people write them, judged without an adapter."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch.distributions import Normal

from rlcalc.conform import conform

from .as_it_stands import judging


def gaussian_log_prob(action, mu, log_std):
    each = -0.5 * (((action - mu) / np.exp(log_std)) ** 2 + 2 * log_std + np.log(2 * np.pi))
    return each.sum(axis=-1)


def normal_log_prob(mean, std, action):
    return Normal(mean, std).log_prob(action).sum(-1, keepdim=True)


def normal_log_prob_of_variance(actions, means, var):
    each = -((actions - means) ** 2) / (2 * var) - 0.5 * torch.log(2 * math.pi * var)
    return each.sum(dim=-1)


def gaussian_log_prob_of_the_spread(action, mu, sigma):
    return (-((action - mu) ** 2) / (2 * sigma) - np.log(sigma) / 2 - 0.5 * np.log(2 * np.pi)).sum(-1)


def gaussian_likelihood(x, mu, log_std):
    z = (x - mu) / (np.exp(log_std) + 1e-8)
    return (-0.5 * (z**2 + 2 * log_std + np.log(2 * np.pi))).sum(axis=-1)


def gaussian_log_prob_wider(x, mu, log_std):
    return Normal(mu, log_std.exp() + 1e-5).log_prob(x).sum(-1)


def gaussian_log_prob_wider_averaged(x, mu, log_std):
    return Normal(mu, log_std.exp() + 1e-5).log_prob(x).mean(-1)


def gaussian_entropy_wider(log_std):
    return Normal(torch.zeros_like(log_std), log_std.exp() + 1e-3).entropy().sum(-1)


def gaussian_entropy(logstd):
    return np.sum(logstd + 0.5 * np.log(2.0 * np.pi * np.e), axis=-1)


def gaussian_entropy_halved(sigma):
    return (0.5 + 0.5 * np.log(2 * np.pi) + 0.5 * np.log(sigma)).sum(-1)


def tanh_normal_log_prob(mu, log_std, pre_tanh):
    found = Normal(mu, log_std.exp()).log_prob(pre_tanh).sum(-1)
    return found - (2 * (math.log(2) - pre_tanh - F.softplus(-2 * pre_tanh))).sum(-1)


def tanh_normal_log_prob_of_eps(mu, log_std, pre_tanh):
    z = (pre_tanh - mu) / (log_std.exp() + 1e-4)
    found = (-0.5 * (z**2 + 2 * log_std + math.log(2 * math.pi))).sum(-1)
    return found - (2 * (math.log(2) - pre_tanh - F.softplus(-2 * pre_tanh))).sum(-1)


def quantile_huber(current_quantiles, target_quantiles, kappa: float = 1.0):
    n = current_quantiles.shape[-1]
    taus = (torch.arange(n, dtype=current_quantiles.dtype) + 0.5) / n
    u = target_quantiles[..., None, :] - current_quantiles[..., :, None]
    huber = torch.where(u.abs() <= kappa, 0.5 * u**2, kappa * (u.abs() - 0.5 * kappa))
    return ((taus[:, None] - (u.detach() < 0).to(u.dtype)).abs() * huber / kappa).mean(-1).sum(-1)


def quantile_loss(theta, target, tau, kappa: float):
    u = target[None, :] - theta[:, None]
    huber = np.where(np.abs(u) <= kappa, u * u / 2, kappa * (np.abs(u) - kappa / 2))
    return (np.abs(tau[:, None] - (u > 0)) * huber / kappa).mean(1).sum()


def epsilon_greedy_probs(q_values, eps: float):
    probs = np.full(len(q_values), eps / len(q_values))
    best = q_values == q_values.max()
    probs[best] += (1 - eps) / best.sum()
    return probs


def ucb_scores(means, n, t: int, c: float):
    return means + c * np.sqrt(np.log(t) / n)


def ucb_from_0(q, counts, t: int, c: float):
    return q + c * np.sqrt(np.log(t + 1) / (counts + 1e-5))


def ucb_under_its_own_names(q, counts, t: int, c: float):
    return q + c * np.sqrt(np.log(t) / counts)


def ucb_outside(q, pulls, step: int, c: float):
    return q + np.sqrt(c * np.log(step) / pulls)


def gradient_bandit_step(H, action: int, reward: float, step_size: float, baseline: float):
    pi = np.exp(H - H.max())
    pi = pi / pi.sum()
    return H + step_size * (reward - baseline) * ((np.arange(len(H)) == action) - pi)


def update_estimate(q: float, rewards: list[float], step_size: float) -> float:
    for r in rewards:
        q = q + step_size * (r - q)
    return q


def weighted_is(rhos, G):
    return (rhos * G).sum() / rhos.sum()


def ordinary_is_by_the_weights(weights, returns):
    return (weights * returns).mean()


def npg_step(logits, grad, max_kl: float):
    p = np.exp(logits - logits.max())
    p = p / p.sum()
    x = np.linalg.lstsq(np.diag(p) - np.outer(p, p), grad, rcond=1e-6)[0]
    return logits + np.sqrt(2 * max_kl / (grad @ x)) * x


def td_update(v: float, r: float, v_next: float, gamma: float, lr: float) -> float:
    return v + lr * (r + gamma * v_next - v)


def one_step_advantage(reward, v, v_next, gamma: float):
    return reward + gamma * v_next - v


def weighted_is_by_the_count(rhos, returns):
    return (rhos * returns).mean()


def importance_sampling_of_an_episode(rewards, pi, mu, gamma: float):
    """ρG of one episode, step by step."""
    rho, total = 1.0, 0.0
    for t, reward in enumerate(rewards):
        rho *= pi[t] / mu[t]
        total += gamma**t * reward
    return rho * total


def importance_sampling_upside_down(rewards, pi, mu, gamma: float):
    return np.prod(mu / pi) * (gamma ** np.arange(len(rewards)) * rewards).sum()


def per_decision_is_step_by_step(rewards, ratios, gamma: float):
    return sum(gamma**t * ratios[t] * reward for t, reward in enumerate(rewards))


# function, formula, what is said of it, layout, what it is not asked
CASES = [
    (gaussian_log_prob, "gaussian_log_prob", "conforms", "[...]", set()),
    (normal_log_prob, "gaussian_log_prob", "conforms", "[...]", set()),
    (normal_log_prob_of_variance, "gaussian_log_prob", "conforms", "[...]", set()),
    (gaussian_log_prob_of_the_spread, "gaussian_log_prob", "std-for-variance", "[...]", set()),
    (gaussian_likelihood, "gaussian_log_prob", "width-eps=1e-8", "[...]", set()),
    (gaussian_log_prob_wider, "gaussian_log_prob", "wider-by-eps=1e-5", "[...]", set()),
    (gaussian_log_prob_wider_averaged, "gaussian_log_prob", "mean-over-dimensions", "[...]", set()),
    (gaussian_entropy_wider, "gaussian_entropy", "wider-by-eps=0.001", "[...]", set()),
    (gaussian_entropy, "gaussian_entropy", "conforms", "[...]", set()),
    (gaussian_entropy_halved, "gaussian_entropy", "log-std-halved", "[...]", set()),
    (tanh_normal_log_prob, "squashed_gaussian_log_prob", "conforms", "[...]", {"scale"}),
    (tanh_normal_log_prob_of_eps, "squashed_gaussian_log_prob", "width-eps=0.0001", "[...]", {"scale"}),
    (quantile_huber, "quantile_huber_loss", "conforms", "[...]", {"a kappa of 0", "taus", "reduction"}),
    (
        quantile_loss,
        "quantile_huber_loss",
        "indicator-of-the-other-side",
        "[]",
        {"batches", "a kappa of 0", "reduction"},
    ),
    (epsilon_greedy_probs, "epsilon_greedy", "conforms", "[]", {"batches"}),
    (ucb_scores, "ucb", "conforms", "[...]", {"arms that were never pulled"}),
    (ucb_from_0, "ucb", "pulls-eps=1e-5", "[...]", set()),
    (ucb_under_its_own_names, "ucb", "conforms", "[...]", {"arms that were never pulled"}),
    (ucb_outside, "ucb", "c-under-the-root", "[...]", {"arms that were never pulled"}),
    (gradient_bandit_step, "gradient_bandit", "conforms", "[]", set()),
    (update_estimate, "mc_update", "conforms", "[]", {"batches"}),
    (weighted_is, "is_return", "conforms", "[]", {"batches", "ratios of nothing but 0", "gamma"}),
    (weighted_is_by_the_count, "is_return", "weights-not-normalised", "[]", {"batches", "gamma"}),
    (ordinary_is_by_the_weights, "is_return", "conforms", "[]", {"batches", "gamma"}),
    (importance_sampling_of_an_episode, "is_return", "conforms", "[]", {"batches"}),
    (importance_sampling_upside_down, "is_return", "ratios-inverted", "[]", {"batches"}),
    (per_decision_is_step_by_step, "is_return", "last-ratio-only", "[]", {"batches"}),
    (npg_step, "trust_region", "conforms", "[]", {"batches", "a gradient of 0"}),
    (td_update, "td_update", "conforms", "[...]", set()),
    (one_step_advantage, "advantage", "conforms", "[...]", set()),
]
UNNAMED = (update_estimate, one_step_advantage)  # whose names say nothing, or something else


test_it_is_read_and_judged_as_it_stands = judging(
    CASES, 4, lambda report, lacks: set(report.not_tested) == lacks, UNNAMED
)


def test_an_edge_can_be_required() -> None:
    report = conform(ucb_scores, "ucb", random=0, require=("arms-that-were-never-pulled",))
    assert report.verdict == "nonconforming"
