"""Losses, divergences and group advantages as people write them, right and faulty ones."""

import math

import numpy as np
import torch
import torch.nn.functional as F


def ppo_policy_loss(log_probs, old_log_probs, advantages, clip_eps):
    ratio = (log_probs - old_log_probs).exp()
    one = ratio * advantages
    two = ratio.clamp(1 - clip_eps, 1 + clip_eps) * advantages
    return -torch.min(one, two).mean()


def clipped_surrogate_loss(logprobs, old_logprobs, advantages, mask, cliprange=0.2):
    ratio = torch.exp((logprobs - old_logprobs) * mask)
    one = -advantages * ratio
    two = -advantages * torch.clamp(ratio, 1.0 - cliprange, 1.0 + cliprange)
    return torch.sum(torch.max(one, two) * mask) / mask.sum()


def ppo_clip_loss_per_sample(ratio, adv, eps):
    return -np.minimum(ratio * adv, np.clip(ratio, 1 - eps, 1 + eps) * adv)


def actor_loss(old_action_neglog_probs_batch, action_neglog_probs, advantage, is_ppo, curr_e_clip):
    if is_ppo:
        ratio = torch.exp(old_action_neglog_probs_batch - action_neglog_probs)
        one = advantage * ratio
        two = advantage * torch.clamp(ratio, 1.0 - curr_e_clip, 1.0 + curr_e_clip)
        return torch.max(-one, -two)
    return action_neglog_probs * advantage


def compute_policy_loss(ppo_kl, advantages, eps_clip):
    ratio = (-ppo_kl).exp()
    one = -ratio * advantages
    two = -ratio.clamp(1 - eps_clip, 1 + eps_clip) * advantages
    return torch.maximum(one, two), torch.gt(two, one).float()


def ppo_losses_with_statistics(new_log_probs, old_log_probs, advantages, clip_param):
    log_ratio = new_log_probs - old_log_probs
    ratio = log_ratio.exp()
    with torch.no_grad():
        approx_kl = ((ratio - 1) - log_ratio).mean()
        share = ((ratio - 1.0).abs() > clip_param).float().mean()
    one = -advantages * ratio
    two = -advantages * torch.clamp(ratio, 1 - clip_param, 1 + clip_param)
    return {"policy_loss": torch.max(one, two).mean(), "approx_kl": approx_kl, "clipfrac": share}


class Clip:
    def policy_loss(self, logp, old_logp, adv):
        ratio = torch.exp(logp - old_logp)
        return -torch.min(ratio * adv, torch.clamp(ratio, 1 - self.clip, 1 + self.clip) * adv).mean()


def grpo_policy_loss(new_logps, old_logps, ref_logps, advantages, beta=0.0, clip_eps=0.2):
    ratio = torch.exp(new_logps - old_logps)
    one = ratio * advantages
    two = torch.clamp(ratio, 1 - clip_eps, 1 + clip_eps) * advantages
    distance = torch.exp(ref_logps - new_logps) - (ref_logps - new_logps) - 1
    return (-torch.min(one, two) + beta * distance).mean()


def ppo_loss_maximum(log_probs, old_log_probs, advantages, epsilon):
    ratio = torch.exp(log_probs - old_log_probs)
    one = ratio * advantages
    two = torch.clamp(ratio, 1 - epsilon, 1 + epsilon) * advantages
    return -torch.max(one, two).mean()


def ppo_loss_unclipped(log_probs, old_log_probs, advantages, epsilon):
    ratio = torch.exp(log_probs - old_log_probs)
    return -(ratio * advantages).mean()


def ppo_loss_ratio_upside_down(log_probs, old_log_probs, advantages, epsilon):
    ratio = torch.exp(old_log_probs - log_probs)
    one = ratio * advantages
    two = torch.clamp(ratio, 1 - epsilon, 1 + epsilon) * advantages
    return -torch.min(one, two).mean()


def ppo_loss_only_clipped(ratios, advantages, clip_ratio):
    return -(torch.clamp(ratios, 1 - clip_ratio, 1 + clip_ratio) * advantages).mean()


# value losses


def value_loss(values, returns):
    return F.mse_loss(values, returns)


def critic_loss_half(vpreds, returns):
    return 0.5 * ((vpreds - returns) ** 2).mean()


def clipped_value_loss(values, old_values, returns, clip_eps):
    clipped = old_values + (values - old_values).clamp(-clip_eps, clip_eps)
    return 0.5 * torch.max((values - returns) ** 2, (clipped - returns) ** 2).mean()


def value_loss_numpy(values, targets):
    return np.mean((targets - values) ** 2)


def value_loss_absolute(values, returns):
    return torch.abs(values - returns).mean()


# divergences and entropies


def kl_divergence(p, q):
    return np.sum(p * np.log(p / q), axis=-1)


def kl_from_logits(logits, ref_logits):
    log_p, log_q = F.log_softmax(logits, -1), F.log_softmax(ref_logits, -1)
    return (log_p.exp() * (log_p - log_q)).sum(-1)


def kl_of_where(p, q):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p > 0, p * np.log(p / q), 0.0).sum(-1)


def kl_of_torch(probs, ref_probs):
    return (torch.special.xlogy(probs, probs) - torch.special.xlogy(probs, ref_probs)).sum(-1)


def approx_kl_k3(log_probs, log_probs_ref, action_mask):
    log_ratio = (log_probs_ref.float() - log_probs.float()) * action_mask
    return log_ratio.exp() - log_ratio - 1


def compute_approx_kl(log_probs, log_probs_base, kl_estimator="k1"):
    difference = log_probs - log_probs_base
    return difference**2 / 2.0 if kl_estimator == "k2" else difference


def kl_the_other_way(p, q):
    return np.sum(q * np.log(q / p), axis=-1)


def kl_of_lists(p, q):
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a > 0)


def entropy_of_logits(logits):
    log_p = torch.log_softmax(logits, dim=-1)
    return -(log_p.exp() * log_p).sum(-1)


def entropy_of_entr(probs):
    return torch.special.entr(probs).sum(dim=-1)


def entropy_of_rows(action_probs):
    return torch.special.entr(action_probs).sum(-1).mean()


def masked_entropy(prob, mask=None):
    found = -(prob * torch.log(prob.clamp(min=1e-20))).sum(-1)
    return found.mean() if mask is None else (found * mask).sum() / mask.sum()


def entropy_without_minus(probs):
    return np.sum(probs * np.log(probs), axis=-1)


def entropy_in_bits(probs):
    return -np.sum(probs * np.log2(probs), axis=-1)


# group advantages


def group_advantages(returns, eps=1e-8):
    return (returns - returns.mean()) / (returns.std() + eps)


def compute_group_advantages(rewards):
    mean = sum(rewards) / len(rewards)
    deviation = math.sqrt(sum((r - mean) ** 2 for r in rewards) / len(rewards))
    return [(r - mean) / (deviation + 1e-6) for r in rewards]


def compute_grpo_outcome_advantage(token_level_rewards, response_mask, index, epsilon=1e-6):
    scores = token_level_rewards.sum(dim=-1)
    groups = {}
    for place, prompt in enumerate(index):
        groups.setdefault(int(prompt), []).append(place)
    out = torch.zeros_like(scores)
    for places in groups.values():
        own = scores[places]
        out[places] = (own - own.mean()) / (own.std() + epsilon)
    return out.unsqueeze(-1) * response_mask, out.unsqueeze(-1) * response_mask


def reward_norm(response_level_rewards, n_sample):
    rows = response_level_rewards.reshape(-1, n_sample)
    return ((rows - rows.mean(-1, keepdim=True)) / (rows.std(-1, keepdim=True) + 1e-6)).flatten()


def grpo_rows(rewards, eps=1e-4):
    centred = rewards - np.mean(rewards, axis=-1, keepdims=True)
    return centred / (np.std(rewards, axis=-1, keepdims=True) + eps)


def grpo_divides_by_variance(rewards):
    return (rewards - rewards.mean()) / (rewards.var() + 1e-8)


def grpo_forgets_the_mean(rewards):
    return rewards / (rewards.std() + 1e-8)


def importance_ratio(new_logps, old_logps):
    return torch.exp(new_logps - old_logps)


def importance_ratio_of_probs(probs, old_probs):
    return probs / old_probs


def importance_ratio_upside_down(new_logps, old_logps):
    return torch.exp(old_logps - new_logps)
