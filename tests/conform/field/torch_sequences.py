"""Return and advantage functions as people write them with Torch, right and faulty ones."""

import warnings

import torch
from torch import Tensor


def compute_gae(rewards, terminated, values, next_values, discount_factor=0.99, lambda_coefficient=0.95):
    """Returns first, advantages whitened."""
    run, advantages = 0, torch.zeros_like(rewards)
    live = terminated.logical_not()
    for i in reversed(range(rewards.shape[0])):
        after = values[i + 1] if i < rewards.shape[0] - 1 else next_values[-1]
        run = rewards[i] - values[i] + discount_factor * live[i] * (after + lambda_coefficient * run)
        advantages[i] = run
    returns = advantages + values
    return returns, (advantages - advantages.mean()) / (advantages.std() + 1e-8)


def gae_tokens(rewards: Tensor, values: Tensor, gamma: float, lambd: float) -> tuple[Tensor, Tensor]:
    run, found = 0, []
    length = rewards.shape[1]
    for t in reversed(range(length)):
        after = values[:, t + 1] if t < length - 1 else 0.0
        run = rewards[:, t] + gamma * after - values[:, t] + gamma * lambd * run
        found.append(run)
    advantages = torch.stack(found[::-1], dim=1)
    return advantages, advantages + values


def gae_greek(vpred, reward, first, γ, λ):  # noqa: PLC2401, RUF100
    n, steps = reward.shape
    run, out = 0.0, torch.zeros(n, steps)
    for t in range(steps - 1, -1, -1):
        live = 1.0 - first[:, t + 1]
        delta = reward[:, t] + live * γ * vpred[:, t + 1] - vpred[:, t]
        out[:, t] = run = delta + live * γ * λ * run
    return out, out + vpred[:, :-1]


def _scripted(function):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.script(function)


@_scripted
def gae_scripted(rewards: Tensor, dones: Tensor, values: Tensor, gamma: float, gae_lambda: float) -> Tensor:
    steps = rewards.shape[0]
    out = torch.zeros_like(rewards)
    run = torch.zeros_like(rewards[0])
    for i in range(steps):
        t = steps - 1 - i
        live = 1.0 - dones[t]
        run = rewards[t] + gamma * live * values[t + 1] - values[t] + gamma * gae_lambda * live * run
        out[t] = run
    return out


def gae_lists_of_tensors(rewards, values, masks, next_value, gamma=0.99, tau=0.95):
    values = [*values, next_value]
    run, returns = 0, []
    for step in reversed(range(len(rewards))):
        delta = rewards[step] + gamma * values[step + 1] * masks[step] - values[step]
        run = delta + gamma * tau * masks[step] * run
        returns.insert(0, run + values[step])
    return returns


def gae_single_inside(rewards, values, dones, last_value, gamma, lam):
    out = torch.zeros(rewards.shape)
    run, after = 0.0, last_value
    for t in reversed(range(rewards.shape[0])):
        live = (~dones[t].bool()).float()
        run = rewards[t] + gamma * after * live - values[t] + gamma * lam * live * run
        out[t], after = run, values[t]
    return out


def gae_options(rewards, values, dones, next_value, device, gamma=0.99, lam=0.95, normalize=False):
    out = torch.zeros_like(rewards).to(device)
    run, after = 0.0, next_value
    for t in reversed(range(len(rewards))):
        live = 1.0 - dones[t]
        run = rewards[t] + gamma * after * live - values[t] + gamma * lam * live * run
        out[t], after = run, values[t]
    return (out - out.mean()) / out.std() if normalize else out


def gae_done_minus(rewards, values, done, config):
    out, run = torch.zeros_like(rewards), 0.0
    for t in reversed(range(config["num_steps"])):
        live = 1.0 - done[t]
        delta = rewards[t] + config["GAMMA"] * live * values[t + 1] - values[t]
        run = delta + config["GAMMA"] * config["GAE_LAMBDA"] * live * run
        out[t] = run
    return out, out + values[:-1]


def gae_of_trajectories(traj_batch, last_val, gamma, gae_lambda):
    run, after, out = torch.zeros_like(last_val), last_val, []
    for t in range(traj_batch.reward.shape[0] - 1, -1, -1):
        live = 1 - traj_batch.done[t]
        delta = traj_batch.reward[t] + gamma * after * live - traj_batch.value[t]
        run = delta + gamma * gae_lambda * live * run
        after = traj_batch.value[t]
        out.append(run)
    advantages = torch.stack(out[::-1])
    return advantages, advantages + traj_batch.value


def gae_extra_keywords(rewards, values, response_mask, gamma, lam, **kwargs):
    run, found = 0, []
    length = rewards.shape[-1]
    for t in reversed(range(length)):
        after = values[:, t + 1] if t < length - 1 else 0.0
        run = rewards[:, t] + gamma * after - values[:, t] + gamma * lam * run
        found.append(run)
    out = torch.stack(found[::-1], 1)
    return out * response_mask, (out + values) * response_mask


def gae_fixed_numbers(rewards, values, dones, next_value):
    out, run, after = torch.zeros_like(rewards), 0.0, next_value
    for t in reversed(range(len(rewards))):
        live = 1.0 - dones[t]
        run = rewards[t] + 0.99 * after * live - values[t] + 0.99 * 0.95 * live * run
        out[t], after = run, values[t]
    return out


def lambda_returns(rewards, values, pcont, bootstrap, lambda_):
    following = torch.cat([values[1:], bootstrap[None]], 0)
    inputs = rewards + pcont * following * (1 - lambda_)
    run, found = bootstrap, []
    for t in reversed(range(len(inputs))):
        run = inputs[t] + pcont[t] * lambda_ * run
        found.append(run)
    return torch.stack(found[::-1], 0)


def discounted_returns(rewards, dones, gamma):
    out, run = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        run = rewards[t] + gamma * run * (1 - dones[t])
        out[t] = run
    return out


def reinforce_returns(rewards: list[float], gamma: float):
    run, found = 0.0, []
    for r in rewards[::-1]:
        run = r + gamma * run
        found.insert(0, run)
    return torch.tensor(found)


def returns_with_bootstrap(rewards, dones, bootstrap_value, discount):
    run, found = bootstrap_value, []
    for r, d in zip(reversed(rewards), reversed(dones), strict=True):
        run = r + discount * run * (1.0 - d)
        found.append(run)
    found.reverse()
    return torch.stack(found)


# faulty ones


def gae_scrambled(rewards, values, terminals, gamma, lam):
    """The batch is read in another order than it lies."""
    steps, rows = rewards.shape
    r, v, d = rewards.view(rows, steps), values[:-1].view(rows, steps), terminals.view(rows, steps)
    out, run, after = torch.zeros_like(r), 0.0, values[-1]
    for t in reversed(range(steps)):
        live = 1.0 - d[:, t]
        run = r[:, t] + gamma * after * live - v[:, t] + gamma * lam * live * run
        out[:, t], after = run, v[:, t]
    return out.view(steps, rows)


def gae_mask_of_next_step(rewards, values, masks, next_value, gamma, lam):
    out, run, after = torch.zeros_like(rewards), 0.0, next_value
    for t in reversed(range(len(rewards))):
        live = masks[t + 1] if t < len(rewards) - 1 else 1.0
        run = rewards[t] + gamma * after * live - values[t] + gamma * lam * live * run
        out[t], after = run, values[t]
    return out


def gae_plus_values(rewards, values, dones, next_value, gamma, lam):
    out, run, after = torch.zeros_like(rewards), 0.0, next_value
    for t in reversed(range(len(rewards))):
        live = 1.0 - dones[t]
        run = rewards[t] + gamma * after * live - values[t] + gamma * lam * live * run
        out[t], after = run + values[t], values[t]
    return out


def gae_bootstrap_not_discounted(rewards, values, dones, next_value, gamma, lam):
    out, run, after = torch.zeros_like(rewards), 0.0, next_value
    for t in reversed(range(len(rewards))):
        live = 1.0 - dones[t]
        run = rewards[t] + after * live - values[t] + gamma * lam * live * run
        out[t], after = run, values[t]
    return out


def gae_lambda_twice(rewards, values, dones, last_value, gamma, lam):
    out, run, after = torch.zeros_like(rewards), 0.0, last_value
    for t in reversed(range(len(rewards))):
        live = 1.0 - dones[t]
        run = rewards[t] + gamma * after * live - values[t] + gamma * lam * lam * live * run
        out[t], after = run, values[t]
    return out


def lambda_returns_last_reward_lost(rewards, values, gamma, lam):
    run, found = values[-1], []
    for t in reversed(range(len(rewards))):
        run = (rewards[t] if t < len(rewards) - 1 else 0) + gamma * ((1 - lam) * values[t + 1] + lam * run)
        found.append(run)
    return torch.stack(found[::-1])
