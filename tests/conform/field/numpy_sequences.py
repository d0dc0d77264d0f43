"""Return and advantage functions as people write them with NumPy and lists, right and faulty ones."""

from collections import namedtuple

import numpy as np

GAMMA = 0.99
LAMBDA = 0.95


def compute_gae(rewards, values, dones, next_value, gamma=0.99, lam=0.95):
    advantages = np.zeros_like(rewards)
    carried = 0.0
    for t in reversed(range(len(rewards))):
        after = next_value if t == len(rewards) - 1 else values[t + 1]
        delta = rewards[t] + gamma * after * (1 - dones[t]) - values[t]
        carried = delta + gamma * lam * (1 - dones[t]) * carried
        advantages[t] = carried
    return advantages, advantages + values


def gae_from_lists(rewards, values, dones, gamma=0.99, lam=0.95):
    values = values + [0.0]
    carried, advantages = 0.0, []
    for t in range(len(rewards) - 1, -1, -1):
        live = 0.0 if dones[t] else 1.0
        delta = rewards[t] + gamma * values[t + 1] * live - values[t]
        carried = delta + gamma * lam * live * carried
        advantages.insert(0, carried)
    returns = [a + v for a, v in zip(advantages, values, strict=False)]
    return advantages, returns


def gae_masks(reward, value, mask, last_value, discount, tau):
    steps = reward.shape[0]
    out = np.zeros(reward.shape, reward.dtype)
    carry = np.zeros_like(last_value)
    following = last_value
    for t in range(steps - 1, -1, -1):
        error = reward[t] + discount * following * mask[t] - value[t]
        carry = error + discount * tau * mask[t] * carry
        out[t] = carry
        following = value[t]
    return out


def gae_cleanrl_style(rewards, values, dones, next_done, next_value, gamma, gae_lambda):
    advantages = np.zeros_like(rewards)
    last = 0
    for t in reversed(range(rewards.shape[0])):
        if t == rewards.shape[0] - 1:
            open_, after = 1.0 - next_done, next_value
        else:
            open_, after = 1.0 - dones[t + 1], values[t + 1]
        delta = rewards[t] + gamma * after * open_ - values[t]
        advantages[t] = last = delta + gamma * gae_lambda * open_ * last
    return advantages, advantages + values


def calculate_gae_dict(batch, gamma=0.99, lam=0.95):
    rewards, values, dones = batch["rewards"], batch["values"], batch["dones"]
    last = batch["last_value"]
    extended = np.concatenate([values, np.asarray(last)[None]], 0)
    advantages = np.zeros_like(rewards)
    carried = 0.0
    for t in reversed(range(rewards.shape[0])):
        delta = rewards[t] + gamma * extended[t + 1] * (1.0 - dones[t]) - extended[t]
        carried = delta + gamma * lam * (1.0 - dones[t]) * carried
        advantages[t] = carried
    return {"advantages": advantages, "returns": advantages + values}


def get_advantages(rews, vals, terminals):
    """Constants of the module."""
    out, carried = np.zeros_like(rews), 0.0
    for t in reversed(range(len(rews))):
        keep = 1.0 - terminals[t]
        carried = rews[t] + GAMMA * vals[t + 1] * keep - vals[t] + GAMMA * LAMBDA * keep * carried
        out[t] = carried
    return out


def gae_next_values(rewards, values, next_values, terminated, truncated, gamma=0.99, lam=0.95):
    advantages, carried = np.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + gamma * next_values[t] * (1 - terminated[t]) - values[t]
        carried = delta + gamma * lam * (1 - np.logical_or(terminated[t], truncated[t])) * carried
        advantages[t] = carried
    return advantages


def gae_dw_and_done(r, vs, vs_, done_mask, dw_mask, gamma, lambd):
    deltas = r + gamma * vs_ * (1 - dw_mask) - vs
    adv, carried = np.zeros_like(r), 0
    for t in range(len(r) - 1, -1, -1):
        carried = deltas[t] + gamma * lambd * carried * (1 - done_mask[t])
        adv[t] = carried
    return adv, adv + vs


Output = namedtuple("Output", "returns advantages")


def gae_returns_first(reward_arr, vals_arr, dones_arr, bootstrap, gamma=0.9, lmbda=0.9):
    adv, carried = np.zeros_like(reward_arr), 0.0
    nxt = bootstrap
    for t in range(len(reward_arr))[::-1]:
        live = 1.0 - dones_arr[t]
        carried = reward_arr[t] + gamma * nxt * live - vals_arr[t] + gamma * lmbda * live * carried
        nxt = vals_arr[t]
        adv[t] = carried
    return Output(adv + vals_arr, adv)


def gae_whitened(rewards, values, dones, next_value, gamma=0.99, lam=0.95):
    advantages, returns = compute_gae(rewards, values, dones, next_value, gamma, lam)
    return (advantages - advantages.mean()) / (advantages.std() + 1e-8), returns


def gae_batch_first(rewards, values, dones, gamma, lam):
    n, steps = rewards.shape
    adv = np.zeros((n, steps), rewards.dtype)
    run = np.zeros(n, rewards.dtype)
    for t in reversed(range(steps)):
        live = 1.0 - dones[:, t]
        delta = rewards[:, t] + gamma * values[:, t + 1] * live - values[:, t]
        run = delta + gamma * lam * live * run
        adv[:, t] = run
    return adv


def gae_columns(rewards, values, dones, last_values, gamma, tau):
    assert rewards.ndim == 3
    assert last_values.shape == rewards.shape[1:]
    adv, run, after = np.zeros_like(rewards), 0.0, last_values
    for t in reversed(range(rewards.shape[0])):
        live = 1.0 - dones[t]
        run = rewards[t] + gamma * after * live - values[t] + gamma * tau * live * run
        adv[t], after = run, values[t]
    return adv


def gae_first_flags(reward, vpred, first, gamma, lam):
    steps = reward.shape[1]
    adv, run = np.zeros_like(reward), 0.0
    for t in reversed(range(steps)):
        live = 1.0 - first[:, t + 1]
        run = reward[:, t] + gamma * live * vpred[:, t + 1] - vpred[:, t] + gamma * lam * live * run
        adv[:, t] = run
    return adv


def advantage_from_deltas(gamma, lmbda, td_delta):
    run, out = 0.0, []
    for delta in td_delta[::-1]:
        run = gamma * lmbda * run + delta
        out.append(run)
    out.reverse()
    return np.array(out)


def gae_of_transitions(transitions, last_value, gamma, lam):
    run, out, after = 0.0, [], last_value
    for step in reversed(transitions):
        live = 1.0 - step["done"]
        run = step["reward"] + gamma * after * live - step["value"] + gamma * lam * live * run
        after = step["value"]
        out.insert(0, run)
    return np.array(out)


def gae_boolean_flags(rewards, values, dones, last_value, gamma, lam):
    adv, run, after = np.zeros_like(rewards), 0.0, last_value
    for t in reversed(range(len(rewards))):
        live = ~dones[t]
        run = rewards[t] + gamma * after * live - values[t] + gamma * lam * live * run
        adv[t], after = run, values[t]
    return adv


def gae_keyword_only(*, rewards, values, done, next_val, discount_factor, gae_lam):
    return gae_masks(rewards, values, 1.0 - done, next_val, discount_factor, gae_lam)


def gae_of_tokens(token_level_rewards, values, response_mask, gamma, lam):
    run, adv = 0.0, np.zeros_like(token_level_rewards)
    for t in reversed(range(token_level_rewards.shape[1])):
        after = values[:, t + 1] if t < token_level_rewards.shape[1] - 1 else 0.0
        run = token_level_rewards[:, t] + gamma * after - values[:, t] + gamma * lam * run
        adv[:, t] = run
    adv = adv * response_mask
    return adv, adv + values


# faulty ones


def gae_crosses_ends(rewards, values, dones, next_value, gamma=0.99, lam=0.95):
    adv, run, after = np.zeros_like(rewards), 0.0, next_value
    for t in reversed(range(len(rewards))):
        run = rewards[t] + gamma * after * (1 - dones[t]) - values[t] + gamma * lam * run
        adv[t], after = run, values[t]
    return adv


def gae_bootstraps_after_end(rewards, values, dones, next_value, gamma, lam):
    adv, run, after = np.zeros_like(rewards), 0.0, next_value
    for t in reversed(range(len(rewards))):
        run = rewards[t] + gamma * after - values[t] + gamma * lam * (1 - dones[t]) * run
        adv[t], after = run, values[t]
    return adv


def gae_without_last_delta(rewards, values, dones, gamma=0.99, lam=0.95):
    adv, run = np.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards) - 1)):
        live = 1 - dones[t]
        run = rewards[t] + gamma * values[t + 1] * live - values[t] + gamma * lam * live * run
        adv[t] = run
    return adv


def gae_flag_of_next_step(rewards, values, dones, last_value, gamma, lam):
    adv, run, after = np.zeros_like(rewards), 0.0, last_value
    for t in reversed(range(len(rewards))):
        live = 1 - (dones[t + 1] if t < len(rewards) - 1 else dones[t])
        run = rewards[t] + gamma * after * live - values[t] + gamma * lam * live * run
        adv[t], after = run, values[t]
    return adv


def gae_lambda_missing(rewards, values, dones, next_value, gamma, lam):
    adv, run, after = np.zeros_like(rewards), 0.0, next_value
    for t in reversed(range(len(rewards))):
        run = rewards[t] + gamma * after * (1 - dones[t]) - values[t] + gamma * (1 - dones[t]) * run
        adv[t], after = run, values[t]
    return adv


def gae_sum_of_deltas(rewards, values, next_values, dones, gamma, lam):
    deltas = rewards + gamma * next_values * (1 - dones) - values
    return np.cumsum(deltas[::-1], 0)[::-1]


def gae_value_not_subtracted(rewards, values, dones, next_value, gamma, lam):
    adv, run, after = np.zeros_like(rewards), 0.0, next_value
    for t in reversed(range(len(rewards))):
        run = rewards[t] + gamma * after * (1 - dones[t]) + gamma * lam * (1 - dones[t]) * run
        adv[t], after = run, values[t]
    return adv


def gae_monte_carlo_returns(rewards, values, dones, next_value, gamma, lam):
    adv, _ = compute_gae(rewards, values, dones, next_value, gamma, lam)
    returns, run = np.zeros_like(rewards), next_value
    for t in reversed(range(len(rewards))):
        run = rewards[t] + gamma * run * (1 - dones[t])
        returns[t] = run
    return adv, returns


# discounted returns


def discounted_returns(rewards, gamma=0.99):
    out, run = [], 0
    for reward in rewards[::-1]:
        run = reward + gamma * run
        out.insert(0, run)
    return out


def discount_cumsum(x_rewards, discount):
    out = np.array(x_rewards, dtype=np.float64)
    for t in range(len(out) - 2, -1, -1):
        out[t] += discount * out[t + 1]
    return out


def compute_returns(next_value, rewards, masks, gamma=0.99):
    run, returns = next_value, []
    for step in reversed(range(len(rewards))):
        run = rewards[step] + gamma * run * masks[step]
        returns.insert(0, run)
    return returns


def rewards_to_go(batch_rews, batch_dones, last_val, gamma):
    out, run = np.zeros_like(batch_rews), last_val
    for t in reversed(range(len(batch_rews))):
        run = batch_rews[t] + gamma * (1 - batch_dones[t]) * run
        out[t] = run
    return out


def discount_rewards(r, gamma):
    discounted, run = np.zeros_like(r), 0
    for t in reversed(range(r.size)):
        run = run * gamma + r[t]
        discounted[t] = run
    return discounted


def monte_carlo_returns(rewards, terminated, discount_rate=0.9):
    returns, run = [], 0.0
    for reward, over in zip(rewards[::-1], terminated[::-1], strict=True):
        if over:
            run = 0.0
        run = reward + discount_rate * run
        returns.append(run)
    return returns[::-1]


def returns_through_ends(rewards, dones, gamma):
    out, run = np.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        run = rewards[t] + gamma * run
        out[t] = run
    return out


def returns_without_last_reward(rewards, gamma):
    out, run = [], 0.0
    for t in reversed(range(len(rewards))):
        out.insert(0, run)
        run = rewards[t] + gamma * run
    return np.array(out)


def returns_powers_from_the_start(rewards, gamma):
    powers = np.array([gamma**t for t in range(len(rewards))])
    return np.cumsum((powers * rewards)[::-1])[::-1]


# λ-returns and n-step returns


def lambda_return(reward, value, pcont, bootstrap, lam):
    steps, out, run = len(reward), [], bootstrap
    following = np.concatenate([value[1:], np.asarray(bootstrap)[None]], 0)
    for t in reversed(range(steps)):
        run = reward[t] + pcont[t] * ((1 - lam) * following[t] + lam * run)
        out.append(run)
    return np.stack(out[::-1])


def td_lambda_targets(rewards, next_values, dones, gamma, td_lambda):
    out, run = np.zeros_like(rewards), next_values[-1]
    for t in reversed(range(len(rewards))):
        mixed = (1 - td_lambda) * next_values[t] + td_lambda * run
        run = rewards[t] + gamma * (1 - dones[t]) * mixed
        out[t] = run
    return out


def lambda_return_of_own_values(rewards, values, last_value, dones, gamma, lam):
    """Mixes in V of the state that the step starts from."""
    out, run = np.zeros_like(rewards), last_value
    for t in reversed(range(len(rewards))):
        run = rewards[t] + gamma * (1 - dones[t]) * ((1 - lam) * values[t] + lam * run)
        out[t] = run
    return out


def n_step_returns(rewards, values, dones, gamma, n_steps):
    steps = len(rewards)
    out = np.zeros_like(rewards)
    for t in range(steps):
        total, weight, end = 0.0, 1.0, min(t + n_steps, steps)
        for k in range(t, end):
            total = total + weight * rewards[k]
            weight = weight * gamma * (1.0 - dones[k])
        out[t] = total + weight * values[end]
    return out


def n_step_gamma_once(rewards, values, dones, gamma, n_steps):
    steps = len(rewards)
    out = np.zeros_like(rewards)
    for t in range(steps):
        total, weight, live, end = 0.0, 1.0, 1.0, min(t + n_steps, steps)
        for k in range(t, end):
            total = total + weight * live * rewards[k]
            weight, live = weight * gamma, live * (1.0 - dones[k])
        out[t] = total + gamma * live * values[end]
    return out
