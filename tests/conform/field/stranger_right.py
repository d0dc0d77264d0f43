"""Functions of someone who did not know the table of names; most are right, see ``truth.toml``."""

import numpy as np
import torch
import torch.nn.functional as F


def compute_advantages(rews, vals, terminals, final_val, discount_rate=0.99, gae_lam=0.95):
    T, N = rews.shape
    out = np.zeros((T, N))
    run = np.zeros(N)
    nextv = final_val
    for i in range(T - 1, -1, -1):
        alive = 1.0 - terminals[i]
        err = rews[i] + discount_rate * nextv * alive - vals[i]
        run = err + discount_rate * gae_lam * alive * run
        out[i] = run
        nextv = vals[i]
    return out


def estimate_gae(token_level_rewards, values, response_mask, gamma, lam):
    with torch.no_grad():
        last = 0
        rev = []
        L = token_level_rewards.shape[-1]
        for t in reversed(range(L)):
            nv = values[:, t + 1] if t < L - 1 else 0.0
            delta = token_level_rewards[:, t] + gamma * nv - values[:, t]
            last = delta + gamma * lam * last
            rev.append(last)
        advantages = torch.stack(rev[::-1], dim=1)
        returns = advantages + values
    return advantages, returns


def gae_masks(r, v, masks, lamb=0.95, gamma=0.99):
    # v has T + 1 entries, masks[t] = 1 - done after step t
    adv = torch.zeros_like(r)
    acc = torch.zeros_like(r[0])
    for t in range(r.shape[0] - 1, -1, -1):
        delta = r[t] + gamma * v[t + 1] * masks[t] - v[t]
        acc = delta + gamma * lamb * masks[t] * acc
        adv[t] = acc
    return adv + v[:-1], adv


def rewards_to_go(reward_list, discount):
    total, result = 0, []
    for rew in reward_list[::-1]:
        total = rew + discount * total
        result.append(total)
    return result[::-1]


def calc_returns_with_dones(rewards, dones, next_value, gamma=0.99):
    R = next_value
    returns = []
    for step in reversed(range(rewards.shape[0])):
        R = rewards[step] + gamma * R * (1 - dones[step])
        returns.insert(0, R)
    return torch.stack(returns)


def surrogate(logp, logp_old, adv, clip_ratio=0.2):
    ratio = torch.exp(logp - logp_old)
    clip_adv = torch.clamp(ratio, 1 - clip_ratio, 1 + clip_ratio) * adv
    return -(torch.min(ratio * adv, clip_adv)).mean()


def pg_loss_per_token(new_logprobs, old_logprobs, advantages, cliprange):
    ratio = torch.exp(new_logprobs - old_logprobs)
    l1 = -advantages * ratio
    l2 = -advantages * torch.clamp(ratio, 1.0 - cliprange, 1.0 + cliprange)
    return torch.max(l1, l2)


def vf_loss(v_pred, v_target):
    return 0.5 * ((v_pred - v_target) ** 2).mean()


def value_loss_mse(values, returns):
    return F.mse_loss(values, returns)


def group_norm_adv(rewards, eps=1e-6):
    mean = rewards.mean(dim=-1, keepdim=True)
    std = rewards.std(dim=-1, keepdim=True)
    return (rewards - mean) / (std + eps)


def categorical_entropy(probs):
    logp = np.log(np.clip(probs, 1e-300, None))
    return -(probs * logp).sum(-1)


def kl_categorical(p, q):
    return (p * (torch.log(p) - torch.log(q))).sum(-1)


def dreamer_lambda(reward, value, pcont, bootstrap, lambda_=0.95):
    # time first; pcont = gamma * (1 - done)
    nextv = torch.cat([value[1:], bootstrap[None]], 0)
    inputs = reward + pcont * nextv * (1 - lambda_)
    last = bootstrap
    outs = []
    for t in reversed(range(reward.shape[0])):
        last = inputs[t] + pcont[t] * lambda_ * last
        outs.append(last)
    return torch.stack(outs[::-1], 0)


def nstep(rewards, next_values, dones, gamma, n):
    T = len(rewards)
    out = np.zeros(T)
    for t in range(T):
        g, disc, done = 0.0, 1.0, False
        for k in range(n):
            if t + k >= T:
                break
            g += disc * rewards[t + k]
            disc *= gamma
            last = t + k
            if dones[t + k]:
                done = True
                break
        if not done:
            g += disc * next_values[last]
        out[t] = g
    return out


def td_errors(reward, v_s, v_s_next, done, gamma):
    return reward + gamma * (1 - done) * v_s_next - v_s


def prob_ratio(log_prob, old_log_prob):
    return (log_prob - old_log_prob).exp()


class Buffer:
    def __init__(self, size=5, gamma=0.99, lam=0.95):
        self.gamma, self.lam = gamma, lam
        self.rewards = np.zeros(size)
        self.values = np.zeros(size)
        self.dones = np.zeros(size)
        self.advantages = None
        self.returns = None

    def finish(self, last_val=0):
        rews = np.append(self.rewards, last_val)
        vals = np.append(self.values, last_val)
        adv = np.zeros_like(self.rewards)
        acc = 0
        for t in reversed(range(len(self.rewards))):
            m = 1 - self.dones[t]
            d = rews[t] + self.gamma * vals[t + 1] * m - vals[t]
            acc = d + self.gamma * self.lam * m * acc
            adv[t] = acc
        self.advantages = adv
        self.returns = adv + self.values
