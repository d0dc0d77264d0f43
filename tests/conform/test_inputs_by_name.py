"""Gaussians, quantiles, bandits and estimates as people write them, judged without an adapter."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Normal

from rlcalc.conform.runner import run
from rlcalc.conform.target.base import from_function
from tests.sweep import sweep

from .as_it_stands import judged


def gaussian_log_prob(action: Any, mu: Any, log_std: Any) -> Any:
    each = -0.5 * (((action - mu) / np.exp(log_std)) ** 2 + 2 * log_std + np.log(2 * np.pi))
    return each.sum(axis=-1)


def normal_log_prob(mean: Any, std: Any, action: Any) -> Any:
    return Normal(mean, std).log_prob(action).sum(-1, keepdim=True)


def normal_log_prob_of_variance(actions: Any, means: Any, var: Any) -> Any:
    each = -((actions - means) ** 2) / (2 * var) - 0.5 * torch.log(2 * math.pi * var)
    return each.sum(dim=-1)


def gaussian_log_prob_of_the_spread(action: Any, mu: Any, sigma: Any) -> Any:
    return (-((action - mu) ** 2) / (2 * sigma) - np.log(sigma) / 2 - 0.5 * np.log(2 * np.pi)).sum(-1)


def gaussian_likelihood(x: Any, mu: Any, log_std: Any) -> Any:
    z = (x - mu) / (np.exp(log_std) + 1e-8)
    return (-0.5 * (z**2 + 2 * log_std + np.log(2 * np.pi))).sum(axis=-1)


def gaussian_log_prob_wider(x: Any, mu: Any, log_std: Any) -> Any:
    return Normal(mu, log_std.exp() + 1e-5).log_prob(x).sum(-1)


def gaussian_log_prob_wider_averaged(x: Any, mu: Any, log_std: Any) -> Any:
    return Normal(mu, log_std.exp() + 1e-5).log_prob(x).mean(-1)


def gaussian_entropy_wider(log_std: Any) -> Any:
    return Normal(torch.zeros_like(log_std), log_std.exp() + 1e-3).entropy().sum(-1)


def gaussian_entropy(logstd: Any) -> Any:
    return np.sum(logstd + 0.5 * np.log(2.0 * np.pi * np.e), axis=-1)


def gaussian_entropy_halved(sigma: Any) -> Any:
    return (0.5 + 0.5 * np.log(2 * np.pi) + 0.5 * np.log(sigma)).sum(-1)


def tanh_normal_log_prob(mu: Any, log_std: Any, pre_tanh: Any) -> Any:
    found = Normal(mu, log_std.exp()).log_prob(pre_tanh).sum(-1)
    return found - (2 * (math.log(2) - pre_tanh - F.softplus(-2 * pre_tanh))).sum(-1)


def tanh_normal_log_prob_of_eps(mu: Any, log_std: Any, pre_tanh: Any) -> Any:
    z = (pre_tanh - mu) / (log_std.exp() + 1e-4)
    found = (-0.5 * (z**2 + 2 * log_std + math.log(2 * math.pi))).sum(-1)
    return found - (2 * (math.log(2) - pre_tanh - F.softplus(-2 * pre_tanh))).sum(-1)


def quantile_huber(current_quantiles: Any, target_quantiles: Any, kappa: float = 1.0) -> Any:
    n = current_quantiles.shape[-1]
    taus = (torch.arange(n, dtype=current_quantiles.dtype) + 0.5) / n
    u = target_quantiles[..., None, :] - current_quantiles[..., :, None]
    huber = torch.where(u.abs() <= kappa, 0.5 * u**2, kappa * (u.abs() - 0.5 * kappa))
    return ((taus[:, None] - (u.detach() < 0).to(u.dtype)).abs() * huber / kappa).mean(-1).sum(-1)


def quantile_loss(theta: Any, target: Any, tau: Any, kappa: float) -> Any:
    u = target[None, :] - theta[:, None]
    huber = np.where(np.abs(u) <= kappa, u * u / 2, kappa * (np.abs(u) - kappa / 2))
    return (np.abs(tau[:, None] - (u > 0)) * huber / kappa).mean(1).sum()


def epsilon_greedy_probs(q_values: Any, eps: float) -> Any:
    probs = np.full(len(q_values), eps / len(q_values))
    best = q_values == q_values.max()
    probs[best] += (1 - eps) / best.sum()
    return probs


def ucb_scores(means: Any, n: Any, t: int, c: float) -> Any:
    return means + c * np.sqrt(np.log(t) / n)


def ucb_from_0(q: Any, counts: Any, t: int, c: float) -> Any:
    return q + c * np.sqrt(np.log(t + 1) / (counts + 1e-5))


def ucb_under_its_own_names(q: Any, counts: Any, t: int, c: float) -> Any:
    return q + c * np.sqrt(np.log(t) / counts)


def ucb_outside(q: Any, pulls: Any, step: int, c: float) -> Any:
    return q + np.sqrt(c * np.log(step) / pulls)


def gradient_bandit_step(H: Any, action: int, reward: float, step_size: float, baseline: float) -> Any:
    pi = np.exp(H - H.max())
    pi = pi / pi.sum()
    return H + step_size * (reward - baseline) * ((np.arange(len(H)) == action) - pi)


def update_estimate(q: float, rewards: list[float], step_size: float) -> float:
    for r in rewards:
        q = q + step_size * (r - q)
    return q


def weighted_is(rhos: Any, G: Any) -> Any:
    return (rhos * G).sum() / rhos.sum()


def ordinary_is_by_the_weights(weights: Any, returns: Any) -> Any:
    return (weights * returns).mean()


def npg_step(logits: Any, grad: Any, max_kl: float) -> Any:
    p = np.exp(logits - logits.max())
    p = p / p.sum()
    x = np.linalg.lstsq(np.diag(p) - np.outer(p, p), grad, rcond=1e-6)[0]
    return logits + np.sqrt(2 * max_kl / (grad @ x)) * x


def td_update(v: float, r: float, v_next: float, gamma: float, lr: float) -> float:
    return v + lr * (r + gamma * v_next - v)


def one_step_advantage(reward: Any, v: Any, v_next: Any, gamma: float) -> Any:
    return reward + gamma * v_next - v


def weighted_is_by_the_count(rhos: Any, returns: Any) -> Any:
    return (rhos * returns).mean()


def importance_sampling_of_an_episode(rewards: Any, pi: Any, mu: Any, gamma: float) -> Any:
    """ρG of one episode, step by step."""
    rho, total = 1.0, 0.0
    for t, reward in enumerate(rewards):
        rho *= pi[t] / mu[t]
        total += gamma**t * reward
    return rho * total


def importance_sampling_upside_down(rewards: Any, pi: Any, mu: Any, gamma: float) -> Any:
    return np.prod(mu / pi) * (gamma ** np.arange(len(rewards)) * rewards).sum()


def per_decision_is_step_by_step(rewards: Any, ratios: Any, gamma: float) -> Any:
    return sum(gamma**t * ratios[t] * reward for t, reward in enumerate(rewards))


# function, formula, what is said of it, layout, what it is not asked
CASES: list[tuple[Callable[..., Any], str, str, str, set[str]]] = [
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


@pytest.mark.parametrize(
    ("function", "formula", "said", "layout", "lacks"), sweep(CASES, 4, lambda case: case[0].__name__)
)
def test_it_is_read_and_judged_as_it_stands(
    function: Callable[..., Any], formula: str, said: str, layout: str, lacks: set[str]
) -> None:
    report = judged(function, formula, said, layout, named=function not in UNNAMED)
    assert set(report.not_tested) == lacks


def test_an_edge_can_be_required() -> None:
    report = run(from_function(ucb_scores), "ucb", random=0, require=("arms-that-were-never-pulled",))
    assert report.verdict == "nonconforming"
