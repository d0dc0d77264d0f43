"""V-trace and Retrace as they stand in learners: ratios or log-probabilities, γ and flags or discounts."""

from __future__ import annotations

import numpy as np
import torch

from .as_it_stands import judging


def vtrace(behaviour_log_probs, target_log_probs, rewards, values, bootstrap_value, discounts):
    rho = (target_log_probs - behaviour_log_probs).exp().clamp(max=1.0)
    onward = torch.cat([values[1:], bootstrap_value.unsqueeze(0)])
    errors = rho * (rewards + discounts * onward - values)
    carried, found = torch.zeros_like(bootstrap_value), []
    for t in reversed(range(len(rewards))):
        carried = errors[t] + discounts[t] * rho[t] * carried
        found.append(carried)
    return torch.stack(found[::-1]) + values


def vtrace_unweighted(rewards, values, last_value, dones, log_rhos, gamma: float):
    c = np.minimum(np.exp(log_rhos), 1)
    onward = np.concatenate([values[1:], last_value[None]])
    live = gamma * (1 - dones)
    carried, found = np.zeros_like(last_value), values.copy()
    for t in reversed(range(len(rewards))):
        carried = rewards[t] + live[t] * onward[t] - values[t] + live[t] * c[t] * carried
        found[t] += carried
    return found


def vtrace_of_one_bound(behavior_logp, target_logp, rewards, values, last_value, discounts, rho_bar: float):
    """A bound for every ratio, those of the advantages among them."""
    ratios = (target_logp - behavior_logp).exp()
    rho, c = ratios.clamp(max=rho_bar), ratios.clamp(max=1.0)
    onward = torch.cat([values[1:], last_value.unsqueeze(0)])
    errors = rho * (rewards + discounts * onward - values)
    carried, found = torch.zeros_like(last_value), []
    for t in reversed(range(len(rewards))):
        carried = errors[t] + discounts[t] * c[t] * carried
        found.append(carried)
    vs = torch.stack(found[::-1]) + values
    later = torch.cat([vs[1:], last_value.unsqueeze(0)])
    return vs, rho * (rewards + discounts * later - values)


def retrace(rewards, q_values, exp_next_q, dones, ratios, gamma: float, lam: float = 1.0):
    found = torch.zeros_like(rewards)
    carried = 0.0
    for t in reversed(range(len(rewards))):
        live = gamma * (1 - dones[t])
        found[t] = rewards[t] + live * (exp_next_q[t] + carried)
        carried = lam * ratios[t].clamp(max=1.0) * (found[t] - q_values[t])
    return found


def retrace_not_cut_off(rewards, q, next_v, masks, rho, gamma: float):
    found, carried = [], 0.0
    for t in range(len(rewards) - 1, -1, -1):
        found.insert(0, rewards[t] + gamma * masks[t] * (next_v[t] + carried))
        carried = rho[t] * (found[0] - q[t])
    return found


def vtrace_of_one_ratio(log_rhos, rewards, values, last_value, discounts, rho_bar: float, c_bar: float):
    rho = log_rhos.exp().clamp(max=rho_bar)
    onward = torch.cat([values[1:], last_value.unsqueeze(0)])
    errors = rho * (rewards + discounts * onward - values)
    carried, found = torch.zeros_like(last_value), []
    for t in reversed(range(len(rewards))):
        carried = errors[t] + discounts[t] * rho[t] * carried
        found.append(carried)
    return torch.stack(found[::-1]) + values


def vtrace_unweighted_of_next_values(log_rhos, rewards, values, next_values, discounts, c_bar: float):
    c = log_rhos.exp().clamp(max=c_bar)
    carried, found = torch.zeros_like(values[0]), torch.zeros_like(values)
    for t in reversed(range(len(rewards))):
        carried = rewards[t] + discounts[t] * (next_values[t] + c[t] * carried) - values[t]
        found[t] = values[t] + carried
    return found


def retrace_one_early(rewards, q, next_v, dones, log_pi, log_mu, gamma: float):
    c = np.minimum(np.exp(log_pi - log_mu), 1)
    found = rewards + gamma * (1 - dones) * next_v
    for t in range(len(rewards) - 2, -1, -1):
        found[t] += gamma * (1 - dones[t]) * c[t] * (found[t + 1] - q[t + 1])
    return found


CASES = [
    (vtrace, "vtrace", "conforms", "[T, B]"),
    (vtrace_unweighted, "vtrace", "errors-not-weighted", "[T, B]"),
    (vtrace_of_one_bound, "vtrace", "one-rho-bound", "[T, B]"),
    (vtrace_of_one_ratio, "vtrace", "errors-bound-in-traces", "[T, B]"),
    (vtrace_unweighted_of_next_values, "vtrace", "errors-not-weighted", "[T, B]"),
    (retrace_one_early, "retrace", "ratio-of-own-step", "[T, B]"),
    (retrace, "retrace", "conforms", "[T, B]"),
    (retrace_not_cut_off, "retrace", "ratios-not-cut-off", "[T, B]"),
]


test_it_is_read_and_judged_as_it_stands = judging(CASES)
