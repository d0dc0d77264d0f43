"""Twenty functions written before the table of names was looked at; what each is stands in ``truth.toml``."""

import math

import numpy as np
import torch


def gae_trace(rew, crit, crit_tail, ended, g=0.99, tau=0.95):
    acc = np.zeros_like(crit_tail)
    follow = crit_tail
    adv = np.empty_like(rew)
    for t in range(len(rew) - 1, -1, -1):
        live = 1.0 - ended[t]
        acc = rew[t] + g * follow * live - crit[t] + g * tau * live * acc
        adv[t] = acc
        follow = crit[t]
    return adv


def gae_smoothed(rewards, baseline, cont, horizon_factor=0.99, bias_tradeoff=0.95):
    # cont[t] = 1 - done[t]; baseline has one entry more
    adv = np.zeros_like(rewards)
    acc = np.zeros_like(rewards[0])
    for t in range(len(rewards))[::-1]:
        delta = rewards[t] + horizon_factor * cont[t] * baseline[t + 1] - baseline[t]
        acc = delta + horizon_factor * bias_tradeoff * cont[t] * acc
        adv[t] = acc
    return adv


def advantage_estimates(rewards, state_values, next_state_values, is_last, discount, decay):
    deltas = rewards + discount * (1 - is_last) * next_state_values - state_values
    out = torch.zeros_like(deltas)
    acc = torch.zeros_like(deltas[0])
    for t in reversed(range(deltas.shape[0])):
        acc = deltas[t] + discount * decay * (1 - is_last[t]) * acc
        out[t] = acc
    return out


def gae_swapped_factors(rewards, values, dones, last_value, gamma=0.99, lam=0.95):
    adv = np.zeros_like(rewards)
    acc = np.zeros_like(last_value)
    follow = last_value
    for t in reversed(range(len(rewards))):
        live = 1.0 - dones[t]
        acc = rewards[t] + lam * follow * live - values[t] + gamma * lam * live * acc
        adv[t] = acc
        follow = values[t]
    return adv


def reward_sums(rs, beta=0.99):
    out = np.zeros_like(rs)
    total = 0.0
    for t in reversed(range(len(rs))):
        total = rs[t] + beta * total
        out[t] = total
    return out


def discounted_tail(rewards, not_done, factor, boot):
    out = torch.zeros_like(rewards)
    total = boot
    for t in reversed(range(rewards.shape[0])):
        total = rewards[t] + factor * not_done[t] * total
        out[t] = total
    return out


def returns_with_late_flags(rewards, dones, next_value, gamma=0.99):
    out = np.zeros_like(rewards)
    total = next_value
    for t in reversed(range(len(rewards))):
        total = (rewards[t] + gamma * total) * (1 - dones[t])
        out[t] = total
    return out


def td_residual(r, v, v_prime, terminal, g):
    return r + g * v_prime * (1.0 - terminal) - v


def td_target_error(rewards, q, q_next, dones, gamma=0.99):
    return rewards + gamma * q_next - q


def temporal_difference(rew, val, nxt_val, term, df):
    return rew + df * np.where(term, 0.0, nxt_val) - val


def lambda_targets(rewards, next_v, ended, gam, lmbda):
    out = np.zeros_like(rewards)
    acc = next_v[-1]
    for t in reversed(range(len(rewards))):
        acc = rewards[t] + gam * (1 - ended[t]) * ((1 - lmbda) * next_v[t] + lmbda * acc)
        out[t] = acc
    return out


def td_lambda_mixed_up(rewards, next_values, dones, gamma, lam):
    out = np.zeros_like(rewards)
    acc = next_values[-1]
    for t in reversed(range(len(rewards))):
        acc = rewards[t] + gamma * (1 - dones[t]) * (lam * next_values[t] + (1 - lam) * acc)
        out[t] = acc
    return out


def n_step_targets(rews, boot_values, ends, discount_rate, horizon):
    T = len(rews)
    out = np.zeros(T)
    for t in range(T):
        total, weight = 0.0, 1.0
        for k in range(t, min(t + horizon, T)):
            total += weight * rews[k]
            weight *= discount_rate
            if ends[k]:
                weight = 0.0
                break
        out[t] = total + weight * boot_values[k]
    return out


def ppo_policy_loss(lp, lp_behavior, gae, c=0.2):
    ratio = torch.exp(lp - lp_behavior)
    return -torch.minimum(ratio * gae, ratio.clamp(1 - c, 1 + c) * gae).mean()


def clipped_objective(is_weight, advantage, delta):
    return np.minimum(is_weight * advantage, np.clip(is_weight, 1 - delta, 1 + delta) * advantage)


def ppo_max_instead(logp_new, logp_old, adv, clip=0.2):
    ratio = torch.exp(logp_new - logp_old)
    return -torch.max(ratio * adv, ratio.clamp(1 - clip, 1 + clip) * adv).mean()


def grpo_scores(group_rewards, tiny=1e-8):
    centred = group_rewards - group_rewards.mean(axis=-1, keepdims=True)
    return centred / (group_rewards.std(axis=-1, keepdims=True) + tiny)


def group_scores_over_all(scores, tiny=1e-8):
    return (scores - scores.mean()) / (scores.std() + tiny)


def value_objective(predicted, wanted):
    return ((predicted - wanted) ** 2).sum() / 2 / predicted.shape[0]


def policy_entropy(pi):
    safe = np.where(pi > 0, pi, 1.0)
    return -(pi * np.log(safe)).sum(-1)


def td_with_discount(r, v, v_next, discount, terminal):
    return r + discount * (1.0 - terminal) * v_next - v


def td_never_masks(r, v, v_next, discount, terminal):
    return r + discount * v_next - v


def shannon_loop(probabilities):
    total = 0.0
    for x in probabilities:
        if x > 0:
            total -= x * math.log(x)
    return total
