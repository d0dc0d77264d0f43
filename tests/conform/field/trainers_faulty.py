"""Functions as trainers of language models sign them, each with a fault that was reported of a public one."""
# mypy: ignore-errors

import torch
import torch.nn.functional as F

from tests.conform.altered import altered
from tests.conform.field import trainers_right

# loss_aggregation


def masked_mean_roll(per_token_loss: torch.Tensor, loss_mask: torch.Tensor):
    """The numerator is not masked."""
    return per_token_loss.sum() / loss_mask.sum()


def mean_over_padding(losses, completion_mask):
    """Divides by the padding too."""
    return losses.masked_fill(completion_mask == 0, 0.0).mean()


def agg_loss_inverted(loss_mat, loss_mask):
    """Learns from what is masked."""
    outside = 1 - loss_mask.to(loss_mat.dtype)
    return (loss_mat * outside).sum() / outside.sum().clamp(min=1)


def agg_loss_ignores_global(loss_mat, response_mask, batch_num_tokens):
    """Divides by the tokens of the micro-batch."""
    kept = torch.where(response_mask.bool(), loss_mat, 0.0)
    return kept.sum() / response_mask.sum().clamp(min=1)


def agg_loss_one_mode(loss_mat, loss_mask, loss_agg_mode: str = "token-mean"):
    """Whatever is asked for, the mean over tokens."""
    if loss_agg_mode not in ("token-mean", "seq-mean-token-sum", "seq-mean-token-mean"):
        raise ValueError(loss_agg_mode)
    kept = torch.where(loss_mask.bool(), loss_mat, 0.0)
    return kept.sum() / loss_mask.sum().clamp(min=1)


# token_logprobs


def logprobs_temperature_on_the_result(logits, labels, temperature):
    logp = F.log_softmax(logits[:, :-1], dim=-1).gather(-1, labels[:, 1:, None]).squeeze(-1)
    return logp / temperature


def logprobs_unshifted(logits: torch.Tensor, labels: torch.Tensor):
    logp = F.log_softmax(logits, dim=-1)
    return logp.gather(-1, labels.unsqueeze(-1)).squeeze(-1)[:, 1:]


# kl_estimate


def compute_kl_swapped(log_probs, ref_log_probs):
    """k3 the other way round."""
    gap = log_probs - ref_log_probs
    return torch.expm1(gap) - gap


# sft_loss


def sft_loss_shifted_twice(logits, labels):
    logits, labels = logits[:, :-1], labels[:, 1:]
    logits, labels = logits[:, :-1], labels[:, 1:]
    terms = F.cross_entropy(
        logits.reshape(-1, logits.size(-1)), labels.reshape(-1), ignore_index=-100, reduction="sum"
    )
    return terms / (labels != -100).sum().clamp(min=1)


def sft_loss_unshifted_count(logits, labels):
    terms = F.cross_entropy(
        logits[:, :-1].reshape(-1, logits.size(-1)),
        labels[:, 1:].reshape(-1),
        ignore_index=-100,
        reduction="sum",
    )
    return terms / (labels != -100).sum().clamp(min=1)


# policy_clip


def policy_loss_maximum(log_probs, old_log_probs, advantages, response_mask, clip_eps):
    ratio = torch.exp(log_probs - old_log_probs)
    best = torch.maximum(ratio * advantages, ratio.clamp(1 - clip_eps, 1 + clip_eps) * advantages)
    return -(best * response_mask).sum() / response_mask.sum()


def policy_loss_unmasked(logprobs, old_logprobs, advantages, action_mask, eps_clip):
    """The mask is taken and not used."""
    ratio = (logprobs - old_logprobs).exp()
    held = ratio.clamp(1 - eps_clip, 1 + eps_clip)
    return -torch.min(ratio * advantages, held * advantages).mean()


def policy_loss_one_width(log_probs, old_log_probs, advantages, loss_mask, clip_low, clip_high):
    """The upper width is that of the lower side."""
    ratio = torch.exp(log_probs - old_log_probs)
    loss = -torch.min(ratio * advantages, ratio.clamp(1 - clip_low, 1 + clip_low) * advantages)
    return (loss * loss_mask).sum() / loss_mask.sum()


def policy_loss_dual_everywhere(log_prob, old_log_prob, advantages, response_mask, cliprange, clip_ratio_c):
    ratio = torch.exp(log_prob - old_log_prob)
    inner = torch.min(ratio * advantages, ratio.clamp(1 - cliprange, 1 + cliprange) * advantages)
    objective = torch.max(inner, clip_ratio_c * advantages)
    return -(objective * response_mask).sum() / response_mask.sum()


# token_rewards


def rewards_score_at_the_end(scores, logprobs, ref_logprobs, response_mask, kl_coef):
    """The score lands in the last column, padded or not."""
    rewards = torch.where(response_mask.bool(), -kl_coef * (logprobs - ref_logprobs), 0.0)
    rewards[:, -1] += scores
    return rewards


def rewards_with_penalty_of_padding(scores, logprobs, ref_logprobs, response_mask, kl_coef):
    rewards = -kl_coef * (logprobs - ref_logprobs)
    width = response_mask.shape[1]
    last = width - 1 - response_mask.long().flip(1).argmax(1)
    some = response_mask.bool().any(1)
    rewards[torch.arange(len(scores))[some], last[some]] += scores[some]
    return rewards


# group_advantage, rloo_advantage


def grpo_neighbours(rewards: torch.Tensor, group_ids: torch.Tensor, epsilon: float = 1e-6):
    """Takes answers that stand side by side for one group."""
    size = int((group_ids == group_ids[0]).sum())
    table = rewards.reshape(-1, size) if len(rewards) % size == 0 else rewards.reshape(1, -1)
    out = (table - table.mean(1, keepdim=True)) / (table.std(1, keepdim=True) + epsilon)
    return torch.nan_to_num(out).flatten()


def rloo_with_itself(rewards: torch.Tensor, num_generations: int):
    table = rewards.view(-1, num_generations)
    return (table - table.mean(1, keepdim=True)).view(-1)


# masked_whiten


def masked_whiten_all(values, mask):
    """The padding is in the statistics."""
    whitened = (values - values.mean()) * torch.rsqrt(values.var() + 1e-8)
    return torch.where(mask.bool(), whitened, 0.0)


# token_gae


def gae_first_row(token_level_rewards, values, response_mask, gamma, lam):
    """The mask of the first row decides for all."""
    following = torch.zeros_like(values[:, 0])
    carried, out = torch.zeros_like(following), torch.zeros_like(values)
    for t in reversed(range(values.shape[1])):
        if response_mask[0, t]:
            carried = token_level_rewards[:, t] + gamma * following - values[:, t] + gamma * lam * carried
            following = values[:, t]
            out[:, t] = carried
    mask = response_mask.bool()
    return torch.where(mask, out, 0.0), torch.where(mask, out + values, 0.0)


# preferences


def dpo_loss_beta_twice(
    policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta
):
    h = beta * (
        policy_chosen_logps - policy_rejected_logps - reference_chosen_logps + reference_rejected_logps
    )
    return -F.logsigmoid(beta * h)


def dpo_loss_reference_free(
    policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps, beta
):
    return -F.logsigmoid(beta * (policy_chosen_logps - policy_rejected_logps))


def reward_loss_margin_outside(chosen_reward, reject_reward, margin):
    return (-F.logsigmoid(chosen_reward - reject_reward) - margin).mean()


def reward_loss_without_log(chosen_rewards, rejected_rewards):
    return -torch.sigmoid(chosen_rewards - rejected_rewards).mean()


# value_clip_loss, token_entropy, gspo, rollout_correction


def value_loss_minimum(values, old_values, returns, action_mask, value_clip_eps):
    clipped = old_values + (values - old_values).clamp(-value_clip_eps, value_clip_eps)
    best = torch.minimum((values - returns) ** 2, (clipped - returns) ** 2)
    return 0.5 * torch.where(action_mask.bool(), best, 0.0).sum() / action_mask.sum().clamp(min=1)


def entropy_untempered(logits: torch.Tensor, temperature: float):
    logp = torch.log_softmax(logits, dim=-1)
    return -(logp.exp() * logp).sum(-1)


def gspo_product(logps, old_logps, advantages, completion_mask, epsilon_low, epsilon_high):
    """The product of the ratios for their geometric mean."""
    m = completion_mask.bool()
    s = torch.where(m, logps - old_logps, 0.0).sum(-1).exp()
    o = torch.min(s * advantages, s.clamp(1 - epsilon_low, 1 + epsilon_high) * advantages)
    rows = m.any(-1)
    return -torch.where(rows, o, 0.0).sum() / rows.sum().clamp(min=1)


def icepop_inverted(old_log_probs, rollout_log_probs, response_mask, low, high):
    """The bounds are held against the other quotient."""
    gap = torch.where(response_mask.bool(), old_log_probs - rollout_log_probs, 0.0)
    w = torch.exp(gap)
    keep = ((1 / w) >= low) & ((1 / w) <= high)
    return torch.where(keep & response_mask.bool(), w, 0.0)


kto_loss_unclamped = altered(trainers_right.kto_loss, {".clamp(min=0)": "", ', {"kl": kl}': ""})


def pass_at_k_replaced(num_samples, num_correct, k):
    return 1.0 - (1.0 - num_correct / num_samples) ** k


# softmax, its logarithm, and statistics


def token_logprobs_over_the_sequence(logits, input_ids):
    logp = F.log_softmax(logits[:, :-1], dim=1)
    return logp.gather(-1, input_ids[:, 1:, None])[..., 0]


def token_logprobs_of_chances(logits, input_ids):
    probs = torch.softmax(logits[:, :-1], dim=-1)
    return torch.log(probs + 1e-6).gather(-1, input_ids[:, 1:, None])[..., 0]


def entropy_of_chances(logits):
    probs = torch.softmax(logits, dim=-1)
    return -(probs * torch.log(probs + 1e-7)).sum(-1)


class ClippedValueLoss(torch.nn.Module):
    """The old values have no part in it."""

    def __init__(self, value_clip=0.2):
        super().__init__()
        self.value_clip = value_clip

    def forward(self, values, old_values, returns, action_mask):
        error = (values - returns).clamp(-self.value_clip, self.value_clip)
        return 0.5 * (error**2 * action_mask).sum() / action_mask.sum()


def rloo_of_prompts_by_k(rewards):
    return rewards - (rewards.sum(1, keepdim=True) - rewards) / rewards.shape[1]


def grpo_by_the_variance(rewards, num_generations=4):
    grouped = rewards.view(-1, num_generations)
    centred = grouped - grouped.mean(1, keepdim=True)
    return (centred / (grouped.var(1, keepdim=True) + 1e-6)).flatten()


def reinforce_whitened_with_padding(token_level_rewards, response_mask):
    """Its returns are right."""
    kept = torch.where(response_mask.bool(), token_level_rewards, 0.0)
    returns = kept.flip(1).cumsum(1).flip(1) * response_mask
    whitened = (returns - returns.mean()) * torch.rsqrt(returns.var() + 1e-8)
    return whitened * response_mask, returns


def tis_of_the_engine(old_log_probs, rollout_log_probs, response_mask, tis_cap):
    gap = torch.where(response_mask.bool(), rollout_log_probs - old_log_probs, 0.0)
    return torch.exp(gap).clamp(max=tis_cap) * response_mask


def cispo_through_the_weight(log_probs, old_log_probs, advantages, eps_max=5.0):
    return -torch.exp(log_probs - old_log_probs).clamp(max=eps_max) * advantages * log_probs


def simpo_of_sums(chosen_logps, rejected_logps, chosen_lengths, rejected_lengths, beta=2.0, gamma=0.5):
    """Takes the lengths and leaves them out."""
    return -F.logsigmoid(beta * (chosen_logps - rejected_logps) - gamma).mean()


LIST = """
simpo_of_sums simpo_loss sums-compared
token_logprobs_over_the_sequence token_logprobs softmax-over-rows
token_logprobs_of_chances token_logprobs eps-in-the-logarithm
entropy_of_chances token_entropy eps-in-the-logarithm
ClippedValueLoss.forward value_clip_loss clipped-about-the-return
rloo_of_prompts_by_k rloo_advantage divided-by-the-group-size
grpo_by_the_variance group_advantage divided-by-the-variance
reinforce_whitened_with_padding reinforce_pp_advantage padding-in-the-statistics
tis_of_the_engine rollout_correction ratio-inverted
cispo_through_the_weight cispo weight-not-detached
masked_mean_roll loss_aggregation numerator-unmasked
mean_over_padding loss_aggregation padding-in-the-denominator
agg_loss_inverted loss_aggregation mask-inverted
agg_loss_ignores_global loss_aggregation global-count-lost
agg_loss_one_mode loss_aggregation mode-ignored
logprobs_temperature_on_the_result token_logprobs temperature-on-the-result
logprobs_unshifted token_logprobs rows-not-shifted
compute_kl_swapped kl_estimate arguments-swapped
sft_loss_shifted_twice sft_loss shifted-twice
sft_loss_unshifted_count sft_loss unshifted-count
policy_loss_maximum policy_clip maximum-for-minimum
policy_loss_unmasked policy_clip
policy_loss_one_width policy_clip upper-bound-ignored
policy_loss_dual_everywhere policy_clip dual-clip-on-good-actions
rewards_score_at_the_end token_rewards score-in-the-last-column
rewards_with_penalty_of_padding token_rewards penalty-under-the-mask
grpo_neighbours group_advantage neighbours-for-the-group
rloo_with_itself rloo_advantage own-reward-in-the-baseline
masked_whiten_all masked_whiten padding-in-the-statistics
gae_first_row token_gae mask-of-the-first-row
dpo_loss_beta_twice dpo_loss beta-twice
dpo_loss_reference_free dpo_loss reference-forgotten
reward_loss_margin_outside reward_model_loss margin-taken-from-the-loss
reward_loss_without_log reward_model_loss logarithm-missing
value_loss_minimum value_clip_loss minimum-for-maximum
entropy_untempered token_entropy temperature-forgotten
gspo_product gspo product-for-the-mean
icepop_inverted rollout_correction bounds-inverted
kto_loss_unclamped kto_loss clamp-forgotten
pass_at_k_replaced pass_at_k with-replacement
"""
