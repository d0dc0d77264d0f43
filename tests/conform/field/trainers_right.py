"""Functions as trainers of language models sign and lay them out: right ones, in words of our own."""
# mypy: ignore-errors

from collections import defaultdict
from math import comb
from types import SimpleNamespace

import torch
import torch.nn.functional as F


def masked_mean(values, mask, dim=None):
    kept = torch.where(mask.bool(), values, torch.zeros_like(values))
    if dim is None:
        return kept.sum() / mask.sum()
    return kept.sum(dim) / mask.sum(dim)


# loss_aggregation


def agg_loss(loss_mat: torch.Tensor, loss_mask: torch.Tensor, loss_agg_mode: str, loss_scale_factor=None):
    kept = torch.where(loss_mask.bool(), loss_mat, torch.zeros_like(loss_mat))
    lengths = loss_mask.sum(-1)
    live = (lengths > 0).float()
    rows = live.sum().clamp(min=1)
    if loss_agg_mode == "token-mean":
        return kept.sum() / lengths.sum().clamp(min=1)
    if loss_agg_mode == "seq-mean-token-sum":
        return kept.sum() / rows
    if loss_agg_mode == "seq-mean-token-mean":
        return (kept.sum(-1) / lengths.clamp(min=1)).sum() / rows
    if loss_agg_mode == "seq-mean-token-sum-norm":
        width = loss_scale_factor if loss_scale_factor is not None else loss_mat.shape[-1]
        return kept.sum() / rows / width
    raise ValueError(f"Invalid loss_agg_mode: {loss_agg_mode}")


def reduce_token_losses(per_token_loss, completion_mask, num_items_in_batch):
    per_token_loss = per_token_loss.masked_fill(completion_mask == 0, 0.0)
    return per_token_loss.sum() / num_items_in_batch


def per_sequence_mean(losses: torch.Tensor, action_mask: torch.Tensor) -> torch.Tensor:
    means = (losses * action_mask).sum(dim=1) / action_mask.sum(dim=1).clamp(min=1)
    return means.sum() / (action_mask.sum(dim=1) > 0).sum().clamp(min=1)


def loss_of_valid_tokens(per_token_loss: torch.Tensor, padding_masks: torch.Tensor):
    """1 marks padding."""
    valid = ~padding_masks
    total = per_token_loss.masked_fill(padding_masks, 0.0).sum()
    return total / valid.sum().clamp(min=1)


# token_logprobs


def logprobs_from_logits(logits: torch.Tensor, labels: torch.Tensor, temperature: float = 1.0):
    """Log-probability of labels[:, t + 1] by logits[:, t]."""
    scaled = logits[:, :-1] / temperature
    return torch.gather(F.log_softmax(scaled, dim=-1), -1, labels[:, 1:, None]).squeeze(-1)


def selective_log_softmax(logits, index):
    picked = torch.gather(logits, -1, index.unsqueeze(-1)).squeeze(-1)
    return picked - torch.logsumexp(logits, dim=-1)


def response_logps(shift_logits, targets, temperature):
    flat = F.cross_entropy(
        (shift_logits / temperature).reshape(-1, shift_logits.size(-1)), targets.reshape(-1), reduction="none"
    )
    return -flat.view(targets.shape)


# kl_estimate


def kl_penalty(logprob: torch.FloatTensor, ref_logprob: torch.FloatTensor, kl_penalty) -> torch.FloatTensor:
    gap = logprob - ref_logprob
    if kl_penalty in ("kl", "k1"):
        return gap
    if kl_penalty == "abs":
        return gap.abs()
    if kl_penalty in ("mse", "k2"):
        return 0.5 * gap.square()
    if kl_penalty in ("low_var_kl", "k3"):
        return torch.expm1(-gap) + gap
    raise ValueError(kl_penalty)


def approx_kl_k1(log_probs, log_probs_base, action_mask=None):
    difference = (
        log_probs.float() - log_probs_base.float()
        if log_probs.dtype == torch.float16
        else log_probs - log_probs_base
    )
    if action_mask is not None:
        difference = torch.where(action_mask.bool(), difference, 0.0)
    return difference


def mean_kl(per_token_logps, ref_per_token_logps, completion_mask):
    gap = ref_per_token_logps - per_token_logps
    per_token = torch.exp(gap) - gap - 1
    return (per_token * completion_mask).sum() / completion_mask.sum()


# sft_loss


def causal_lm_loss(logits, labels, num_items_in_batch=None, ignore_index=-100):
    logits, labels = logits[..., :-1, :].contiguous(), labels[..., 1:].contiguous()
    how = "sum" if num_items_in_batch is not None else "mean"
    loss = F.cross_entropy(
        logits.view(-1, logits.size(-1)), labels.view(-1), ignore_index=ignore_index, reduction=how
    )
    return loss / num_items_in_batch if how == "sum" else loss


def sft_nll(logits: torch.Tensor, input_ids: torch.Tensor, loss_mask: torch.Tensor):
    logp = F.log_softmax(logits[:, :-1], -1).gather(-1, input_ids[:, 1:, None])[..., 0]
    mask = loss_mask[:, 1:].to(logp.dtype)
    return -(logp * mask).sum() / mask.sum().clamp(min=1), {"num_tokens": mask.sum()}


# policy_clip


def compute_policy_loss(
    old_log_prob,
    log_prob,
    advantages,
    response_mask,
    cliprange=None,
    cliprange_low=None,
    cliprange_high=None,
    clip_ratio_c=3.0,
    loss_agg_mode: str = "token-mean",
):
    log_ratio = log_prob - old_log_prob
    ratio = torch.exp(log_ratio)
    ppo_kl = masked_mean(-log_ratio, response_mask)
    cliprange_low = cliprange if cliprange_low is None else cliprange_low
    cliprange_high = cliprange if cliprange_high is None else cliprange_high
    plain = -advantages * ratio
    held = -advantages * torch.clamp(ratio, 1 - cliprange_low, 1 + cliprange_high)
    worst = torch.maximum(plain, held)
    clipfrac = masked_mean((held > plain).to(ratio.dtype), response_mask)
    floor = -advantages * clip_ratio_c
    losses = torch.where(advantages < 0, torch.minimum(floor, worst), worst)
    pg_loss = agg_loss(losses, response_mask, loss_agg_mode)
    return pg_loss, clipfrac, ppo_kl


def grpo_token_loss(
    per_token_logps, old_per_token_logps, advantages, completion_mask, epsilon_low, epsilon_high
):
    coef_1 = torch.exp(per_token_logps - old_per_token_logps)
    coef_2 = torch.clamp(coef_1, 1 - epsilon_low, 1 + epsilon_high)
    loss = -torch.min(coef_1 * advantages.unsqueeze(1), coef_2 * advantages.unsqueeze(1))
    return (loss * completion_mask).sum() / completion_mask.sum().clamp(min=1.0)


class PolicyLoss(torch.nn.Module):
    def __init__(self, clip_eps_low: float = 0.2, clip_eps_high: float = 0.2) -> None:
        super().__init__()
        self.clip_eps_low, self.clip_eps_high = clip_eps_low, clip_eps_high

    def forward(self, log_probs, old_log_probs, advantages, action_mask=None):
        ratio = (log_probs - old_log_probs).exp()
        surrogate = torch.min(
            ratio * advantages, ratio.clamp(1 - self.clip_eps_low, 1 + self.clip_eps_high) * advantages
        )
        return -(surrogate if action_mask is None else masked_mean(surrogate, action_mask)).mean()


def clipped_pg_loss(curr_logprobs, prev_logprobs, advantages, mask, config):
    ratios = torch.exp(curr_logprobs - prev_logprobs)
    clamped = ratios.clamp(1.0 - config.ratio_clip_min, 1.0 + config.ratio_clip_max)
    loss = torch.max(-advantages * ratios, -advantages * clamped)
    loss = (loss * mask).sum() / mask.sum()
    with torch.no_grad():
        metrics = {"probs_ratio": ((ratios * mask).sum() / mask.sum()).item()}
    return loss, metrics


def ppo_surrogate_per_token(logps, old_logps, advs, clip_range=0.2):
    r = torch.exp(logps - old_logps)
    return torch.minimum(r * advs, torch.clip(r, 1 - clip_range, 1 + clip_range) * advs)


# token_rewards


def apply_kl_penalty(scores, log_probs, ref_log_probs, response_mask, beta):
    kl = torch.where(response_mask.bool(), log_probs - ref_log_probs, 0.0)
    rewards = -beta * kl
    places = torch.arange(response_mask.shape[1])
    last = (places * response_mask.long()).argmax(dim=1)
    rows = torch.arange(len(scores))
    some = response_mask.bool().any(1)
    rewards[rows[some], last[some]] += scores[some]
    return rewards


def compute_reward(r, kl_coef, logps, ref_logps, action_mask, reward_clip_range=None):
    if reward_clip_range is not None:
        r = r.clamp(-reward_clip_range, reward_clip_range)
    mask = action_mask.bool()
    penalty = (logps - ref_logps).masked_fill(~mask, 0) * -kl_coef
    width = mask.size(1)
    end = width - 1 - mask.long().fliplr().argmax(dim=1, keepdim=True)
    score = torch.zeros_like(penalty).scatter_(1, end, r.unsqueeze(1)) * mask
    return score + penalty


# group_advantage


def compute_grpo_outcome_advantage(
    token_level_rewards, response_mask, index, epsilon=1e-6, norm_adv_by_std_in_grpo=True
):
    scores = token_level_rewards.sum(-1)
    groups = defaultdict(list)
    for k in range(len(scores)):
        groups[index[k]].append(k)
    out = torch.zeros_like(scores)
    for members in groups.values():
        own = scores[members]
        if len(members) == 1:
            out[members] = own / (1 + epsilon) if norm_adv_by_std_in_grpo else own
            continue
        centred = own - own.mean()
        out[members] = centred / (own.std() + epsilon) if norm_adv_by_std_in_grpo else centred
    out = out.unsqueeze(-1) * response_mask
    return out, out


def group_normalised(rewards: torch.Tensor, num_generations: int):
    table = rewards.view(-1, num_generations)
    mean, std = table.mean(1, keepdim=True), table.std(1, keepdim=True)
    return ((table - mean) / (std + 1e-4)).view(-1)


def centered_advantages(scores, group_ids):
    result = []
    for score, name in zip(scores, group_ids):
        others = [s for s, n in zip(scores, group_ids) if n == name]
        result.append(score - sum(others) / len(others))
    return torch.stack(result) if isinstance(scores, torch.Tensor) else result


# rloo_advantage


def rloo(rewards: torch.Tensor, n_samples_per_prompt: int) -> torch.Tensor:
    table = rewards.reshape(-1, n_samples_per_prompt)
    baseline = (table.sum(-1, keepdim=True) - table) / (n_samples_per_prompt - 1)
    return (table - baseline).flatten()


# masked_whiten


def masked_whiten(values: torch.Tensor, mask: torch.Tensor, shift_mean: bool = True) -> torch.Tensor:
    kept = torch.where(mask.bool(), values, 0.0)
    count = mask.sum()
    mean = kept.sum() / count
    square = torch.where(mask.bool(), (values - mean) ** 2, 0.0).sum() / (count - 1)
    whitened = (kept - mean) * torch.rsqrt(square + 1e-8)
    whitened = whitened if shift_mean else whitened + mean
    return torch.where(mask.bool(), whitened, 0.0)


def normalise_advantages(advantages, action_mask):
    valid = advantages[action_mask]
    out = torch.zeros_like(advantages)
    out[action_mask] = (valid - valid.mean()) / (valid.std() + 1e-5)
    return out


# token_gae


def compute_gae_advantage_return(token_level_rewards, values, response_mask, gamma, lam):
    with torch.no_grad():
        following = torch.zeros_like(values[:, 0])
        carried = torch.zeros_like(following)
        out = torch.zeros_like(values)
        for t in reversed(range(values.shape[1])):
            here = response_mask[:, t].bool()
            delta = token_level_rewards[:, t] + gamma * following - values[:, t]
            advantage = delta + gamma * lam * carried
            out[:, t] = torch.where(here, advantage, 0.0)
            carried = torch.where(here, advantage, carried)
            following = torch.where(here, values[:, t], following)
        returns = torch.where(response_mask.bool(), out + values, 0.0)
    return out, returns


def gae_openrlhf_style(values, rewards, action_mask, gamma: float, lambd: float):
    action_mask = action_mask.to(values.dtype)
    values = torch.where(action_mask > 0, values, 0.0)
    rewards = torch.where(action_mask > 0, rewards, 0.0)
    last, reversed_ = 0, []
    for t in reversed(range(rewards.size(1))):
        upcoming = values[:, t + 1] if t + 1 < rewards.size(1) else 0.0
        last = rewards[:, t] + gamma * upcoming - values[:, t] + gamma * lambd * last
        reversed_.append(last)
    advantages = torch.stack(reversed_[::-1], dim=1)
    return advantages * action_mask, (advantages + values) * action_mask


# preferences


def dpo_loss(
    policy_chosen_logps,
    policy_rejected_logps,
    reference_chosen_logps,
    reference_rejected_logps,
    beta: float,
    label_smoothing: float = 0.0,
    loss_type: str = "sigmoid",
):
    h = (policy_chosen_logps - policy_rejected_logps) - (reference_chosen_logps - reference_rejected_logps)
    if loss_type == "sigmoid":
        losses = -F.logsigmoid(beta * h) * (1 - label_smoothing) - F.logsigmoid(-beta * h) * label_smoothing
    elif loss_type == "hinge":
        losses = torch.relu(1 - beta * h)
    else:
        raise ValueError(loss_type)
    chosen_rewards = beta * (policy_chosen_logps - reference_chosen_logps).detach()
    rejected_rewards = beta * (policy_rejected_logps - reference_rejected_logps).detach()
    return losses, chosen_rewards, rejected_rewards


class DPOLoss:
    def __init__(self, beta: float = 0.1) -> None:
        self.beta = beta

    def __call__(self, pi_chosen, pi_rejected, ref_chosen, ref_rejected):
        logits = self.beta * (pi_chosen - ref_chosen - pi_rejected + ref_rejected)
        loss = -F.logsigmoid(logits).mean()
        return loss, {"accuracy": (logits > 0).float().mean()}


def reward_model_loss(chosen_reward: torch.Tensor, reject_reward: torch.Tensor, margin=None):
    gap = chosen_reward - reject_reward
    return -F.logsigmoid(gap if margin is None else gap - margin).mean()


def simpo(chosen_logps, rejected_logps, beta, gamma_beta_ratio):
    """Averages are handed in."""
    return -F.logsigmoid(beta * (chosen_logps - rejected_logps - gamma_beta_ratio))


# value_clip_loss


def compute_value_loss(vpreds, returns, values, response_mask, cliprange_value: float):
    held = torch.clamp(vpreds, values - cliprange_value, values + cliprange_value)
    one, two = (vpreds - returns) ** 2, (held - returns) ** 2
    loss = 0.5 * masked_mean(torch.max(one, two), response_mask)
    fraction = masked_mean((two > one).to(vpreds.dtype), response_mask)
    return loss, fraction


def value_loss(values, old_values, returns, action_mask, value_clip_eps):
    clipped = old_values + (values - old_values).clamp(-value_clip_eps, value_clip_eps)
    worst = torch.maximum((values - returns) ** 2, (clipped - returns) ** 2)
    return {"loss": (0.5 * worst * action_mask).sum() / action_mask.sum()}


# token_entropy, overlong_penalty, cispo, gspo, rollout_correction


def entropy_from_logits(logits: torch.Tensor):
    logp = torch.log_softmax(logits, dim=-1)
    return -(logp.exp() * logp).sum(-1)


def soft_overlong(response_length, max_response_length, overlong_buffer_len, overlong_penalty_factor):
    exceed = response_length - (max_response_length - overlong_buffer_len)
    return torch.clamp(
        -exceed / overlong_buffer_len * overlong_penalty_factor, min=-overlong_penalty_factor, max=0
    )


def cispo_loss(log_probs, old_log_probs, advantages, response_mask, clip_low, clip_high):
    weight = torch.exp(log_probs - old_log_probs).clamp(clip_low, clip_high).detach()
    per_token = -weight * advantages * log_probs
    return (per_token * response_mask).sum() / response_mask.sum()


def gspo_loss(logps, old_logps, advantages, completion_mask, epsilon_low, epsilon_high):
    m = completion_mask.to(logps.dtype)
    log_s = ((logps - old_logps) * m).sum(-1) / m.sum(-1).clamp(min=1)
    s = log_s.exp()
    o = torch.min(s * advantages, s.clamp(1 - epsilon_low, 1 + epsilon_high) * advantages)
    rows = m.sum(-1) > 0
    return -(o * rows).sum() / rows.sum().clamp(min=1)


def tis_weights(old_log_probs, rollout_log_probs, response_mask, tis_cap):
    gap = torch.where(response_mask.bool(), old_log_probs - rollout_log_probs, 0.0)
    return torch.exp(gap).clamp(max=tis_cap) * response_mask


def cispo_of_widths(old_log_prob, log_prob, advantages, clip_low=0.2, clip_high=0.2):
    ratio = torch.exp(log_prob - old_log_prob)
    return -torch.clamp(ratio, 1 - clip_low, 1 + clip_high).detach() * advantages * log_prob


def gspo_of_valid_answers(log_probs, old_log_probs, advantages, response_mask, clip_low=3e-4, clip_high=4e-4):
    gap = torch.where(response_mask.bool(), log_probs - old_log_probs, 0.0).sum(-1)
    ratio = torch.exp(gap / response_mask.sum(-1).clamp(min=1))
    objective = torch.min(ratio * advantages, ratio.clamp(1 - clip_low, 1 + clip_high) * advantages)
    return -objective[response_mask.any(-1)].mean()


class FixedLength:
    def __init__(self, max_completion_length=4):
        self.max_completion_length = max_completion_length

    def reduce(self, per_token_loss, completion_mask):
        rows = per_token_loss.size(0)
        return (per_token_loss * completion_mask).sum() / (rows * self.max_completion_length)


def rloo_of_prompts(rlhf_reward):
    others = (rlhf_reward.sum(1, keepdim=True) - rlhf_reward) / (rlhf_reward.shape[1] - 1)
    return rlhf_reward - others


def grpo_loss(per_token_logps, old_per_token_logps, advantages, completion_mask, epsilon=0.2):
    ratio = torch.exp(per_token_logps - old_per_token_logps)
    held = ratio.clamp(1 - epsilon, 1 + epsilon)
    per_token = -torch.min(ratio * advantages[:, None], held * advantages[:, None])
    return (per_token * completion_mask).sum() / completion_mask.sum()


CONFIG = SimpleNamespace()


def kto_loss(
    policy_logps,
    reference_logps,
    labels,
    policy_KL_logps,
    reference_KL_logps,
    beta=0.1,
    desirable_weight=1.0,
    undesirable_weight=1.0,
):
    kl = (policy_KL_logps - reference_KL_logps).mean().clamp(min=0).detach()
    gains = policy_logps - reference_logps - kl
    good = desirable_weight * torch.sigmoid(-beta * gains)
    bad = undesirable_weight * torch.sigmoid(beta * gains)
    return torch.where(labels.bool(), good, bad).mean(), {"kl": kl}


def estimate_pass_at_k(num_samples, num_correct, k):
    if num_samples - num_correct < k:
        return 1.0
    return 1.0 - comb(num_samples - num_correct, k) / comb(num_samples, k)
