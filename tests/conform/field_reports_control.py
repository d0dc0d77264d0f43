"""Public reports about value targets, continuous actions and Retrace, each as a small function."""

from __future__ import annotations

import math

import numpy as np

from .field_reports import report

LOG_2 = math.log(2)
UNIT = 1 / math.sqrt(2 * math.pi)  # the deviation at which the density of the mean is 1

# value targets


@report(
    *("ddqn-100-lines-21", "MaximeVandegar/Papers-in-100-Lines-of-Code issue #21", "double_q_target"),
    "target-network-chooses",
    given={"rewards": [1], "gamma": "1/2", "next_q_online": [[4, 6]], "next_q_target": [[8, 2]]},
    wrong=[5],
)
def one_network_chooses_and_values(rewards, next_q_online, next_q_target, gamma):
    return rewards + gamma * next_q_target.max(-1)


@report(
    *("serl-93", "rail-berkeley/serl issue #93", "sac_target", "entropy-outside-the-discount"),
    given={
        **{"rewards": [1], "gamma": "1/2", "alpha": "1/2", "terminated": [1]},
        **{"next_q1": [6], "next_q2": [8], "next_log_probs": [-2]},
    },
    wrong=[2],
)
def entropy_after_the_discount(rewards, alpha, gamma, next_q1, next_q2, next_log_probs, terminated):
    best = np.minimum(next_q1, next_q2)
    return rewards + gamma * (1 - terminated) * best - alpha * next_log_probs


@report(
    *("discrete-sac-54", "p-christ/Deep-Reinforcement-Learning-Algorithms-with-PyTorch issue #54"),
    *("sac_target", "averaged-over-actions"),
    given={
        **{"rewards": [0], "gamma": 1, "alpha": 0, "policy": [["1/2", "1/2"]]},
        **{"q1_values": [[4, 8]], "q2_values": [[4, 8]]},
    },
    wrong=[3],
)
def mean_of_weighted_actions(rewards, alpha, gamma, q1_values, q2_values, policy):
    logs = np.log(np.where(policy > 0, policy, 1))
    return rewards + gamma * (policy * (np.minimum(q1_values, q2_values) - alpha * logs)).mean(-1)


@report(
    *("sutton-notes-1", "terrence-ou/Reinforcement-Learning-2nd-Edition-Notes-Codes issue #1"),
    *("expected_sarsa_target", "epsilon-for-every-action"),
    given={"rewards": [0], "gamma": 1, "q_values": [[0, 4]], "epsilon": "1/2"},
    wrong=[4],
)
def whole_epsilon_for_each_action(rewards, q_values, gamma, epsilon):
    best = q_values == q_values.max(-1, keepdims=True)
    policy = epsilon + (1 - epsilon) * best / best.sum(-1, keepdims=True)
    return rewards + gamma * (policy * q_values).sum(-1)


@report(
    *("rainbow-76", "Curt-Park/rainbow-is-all-you-need PR #76", "c51_projection", "mass-lost-on-atoms"),
    given={"rewards": [1], "gamma": "1/2", "next_probs": [["1/4", "1/4", "1/2"]], "atoms": [0, 1, 2]},
    wrong=[[0, "1/8", "1/8"]],
)
def floor_and_ceiling(rewards, next_probs, gamma, atoms):
    width = atoms[1] - atoms[0]
    place = (np.clip(rewards[..., None] + gamma * atoms, atoms[0], atoms[-1]) - atoms[0]) / width
    lower, upper = np.floor(place), np.ceil(place)
    found = np.zeros_like(next_probs)
    for k in range(len(atoms)):
        share = (lower == k) * (upper - place) + (upper == k) * (place - lower)
        found[..., k] = (next_probs * share).sum(-1)
    return found


@report(
    *("npfl139-17", "ufal/npfl139 issue #17", "quantile_huber_loss", "indicator-of-the-other-side"),
    given={"quantiles": [0], "targets": [2], "taus": ["3/4"], "kappa": 0},
    wrong="1/2",
)
def indicator_of_the_other_side(quantiles, targets, taus, kappa):
    u = targets[..., None, :] - quantiles[..., None]
    size = np.abs(u)
    huber = np.where(size <= kappa, u * u / 2 / max(kappa, 1e-300), size - kappa / 2)
    return (np.abs(taus[..., None] - (u > 0)) * huber).mean(-1).sum(-1)


@report(
    *("mpo-1", "acyclics/MPO issue #1", "retrace", "correction-never-carried"),
    given={
        **{"rewards": [0, 2], "q": [1, 1], "expected_q": [1, 0], "discounts": [1, 0]},
        **{"log_rhos": [0], "lam": "1"},
    },
    wrong=[1, 2],
)
def target_of_one_step(rewards, q, expected_q, discounts, log_rhos, lam):
    return rewards + discounts * expected_q


# continuous actions and branches


@report(
    *("rllib-6393", "ray-project/ray issue #6393", "gaussian_entropy", "log-std-halved"),
    given={"std": [4]},
    wrong=0.5 + math.log(math.pi) / 2 + 1.5 * LOG_2,
)
def half_of_log_sigma(std):
    return (0.5 + np.log(2 * np.pi) / 2 + np.log(std) / 2).sum(-1)


@report(
    *("sb2-1059", "hill-a/stable-baselines issue #1059", "gaussian_log_prob", "std-for-variance"),
    given={"x": [3], "mean": [1], "std": [2]},
    wrong=-1 - LOG_2 - math.log(math.pi) / 2,
)
def sigma_for_its_square(x, mean, std):
    return (-((x - mean) ** 2) / (2 * std) - np.log(std) / 2 - np.log(2 * np.pi) / 2).sum(-1)


def _log_normal(u, mean, std):
    return -(((u - mean) / std) ** 2) / 2 - np.log(std) - np.log(2 * np.pi) / 2


@report(
    *("hands-on-rl-44", "boyu-ai/Hands-on-RL issue #44", "squashed_gaussian_log_prob", "tanh-twice"),
    given={"u": [LOG_2], "mean": [LOG_2], "std": [UNIT]},
    wrong=2 * math.log(math.cosh(0.6)),
)
def tanh_once_more(u, mean, std):
    return (_log_normal(u, mean, std) - np.log(1 - np.tanh(np.tanh(u)) ** 2)).sum(-1)


@report(
    *("spinningup-314", "openai/spinningup issue #314", "squashed_gaussian_log_prob", "scale-missing"),
    given={"u": [LOG_2], "mean": [LOG_2], "std": [UNIT], "scale": 2},
    wrong=-math.log(0.64),
)
def scaled_afterwards(u, mean, std, scale):
    return (_log_normal(u, mean, std) - 2 * (np.log(2) - u - np.logaddexp(0 * u, -2 * u))).sum(-1)


@report(
    *("ml-agents-4538", "Unity-Technologies/ml-agents PR #4538", "branch_entropy", "mean-over-branches"),
    given={"p": [["1/2", "1/2", 0, 0], ["1/4", "1/4", "1/4", "1/4"]]},
    wrong=1.5 * LOG_2,
)
def mean_over_branches(p):
    return -(p * np.log(np.where(p > 0, p, 1))).sum(-1).mean(-1)


# off-policy corrected values


def _v_trace(rewards, values, discounts, log_rhos):
    ratios = np.minimum(np.exp(log_rhos), 1)
    carried, found = 0.0, np.zeros_like(rewards)
    for t in reversed(range(rewards.shape[-1])):
        error = rewards[..., t] + discounts[..., t] * values[..., t + 1] - values[..., t]
        carried = ratios[..., t] * (error + discounts[..., t] * carried)
        found[..., t] = values[..., t] + carried
    return found


@report(
    *("xlron-50", "micdoh/XLRON PR #50", "vtrace", "last-value-one-early"),
    given={"rewards": [1, 2], "values": [0, 1, 5], "discounts": [1, 1], "log_rhos": [0, 0]},
    wrong=[4, 3],
)
def chunk_without_a_successor(rewards, values, discounts, log_rhos):
    own = values[..., :-1]
    return _v_trace(rewards, np.concatenate([own, own[..., -1:]], -1), discounts, log_rhos)


@report(
    *("rllib-36013", "ray-project/ray PR #36013", "vtrace", "last-step-dropped"),
    given={"rewards": [1, 2], "values": [0, 3, 5], "discounts": [1, 1], "log_rhos": [0, 0]},
    wrong=[4],
)
def last_step_for_the_bootstrap(rewards, values, discounts, log_rhos):
    return _v_trace(rewards[..., :-1], values[..., :-1], discounts[..., :-1], log_rhos[..., :-1])


@report(
    *("code-trfl", "google-deepmind/trfl", "vtrace", "trace-one-factor-short"),
    given={
        **{"rewards": [1, 2], "values": [0, 0, 0], "discounts": [1, 1]},
        **{"log_rhos": [-LOG_2, 0]},
    },
    wrong=["5/2", 2],
)
def products_of_a_short_slice(rewards, values, discounts, log_rhos):
    ratios = np.minimum(np.exp(log_rhos), 1)
    errors = ratios * (rewards + discounts * values[..., 1:] - values[..., :-1])
    found = values[..., :-1] + errors
    for s in range(rewards.shape[-1]):
        for t in range(s + 1, rewards.shape[-1]):
            weight = discounts[..., s:t].prod(-1) * ratios[..., s : t - 1].prod(-1)
            found[..., s] += weight * errors[..., t]
    return found
