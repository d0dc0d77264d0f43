"""Functions as people write them, with no thought of batches, dtypes or discounts per step."""

from __future__ import annotations

import math

import numpy as np

# textbook loops over plain lists, one sequence at a time


def discounted_return(rewards, gamma):
    returns, later = [], 0.0
    for reward in reversed(rewards):
        later = reward + gamma * later
        returns.append(later)
    return returns[::-1]


def gae(rewards, values, gamma, lam):
    advantages, later = [0.0] * len(rewards), 0.0
    for t in reversed(range(len(rewards))):
        error = rewards[t] + gamma * values[t + 1] - values[t]
        advantages[t] = later = error + gamma * lam * later
    return advantages


def n_step_return(rewards, values, gamma, n):
    found = []
    for t in range(len(rewards)):
        end = int(min(t + n, len(rewards)))
        whole = sum(gamma ** (k - t) * rewards[k] for k in range(t, end))
        found.append(whole + gamma ** (end - t) * values[end])
    return found


def lambda_return(rewards, values, gamma, lam):
    later, found = values[-1], []
    for t in reversed(range(len(rewards))):
        later = rewards[t] + gamma * ((1 - lam) * values[t + 1] + lam * later)
        found.insert(0, later)
    return found


def td_error(rewards, values, gamma):
    return [r + gamma * after - own for r, own, after in zip(rewards, values, values[1:], strict=False)]


def returns_in_a_buffer(rewards, gamma):
    """An index over the first axis, and a discount that must be a number."""
    found, later = np.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        later = rewards[t] + float(gamma) * later
        found[t] = later
    return found


def only_lists(rewards, gamma):
    """What an array does not have: it is added to a list, and compared with an empty one."""
    if rewards == []:
        return []
    rest = only_lists(rewards[1:], gamma)
    return [rewards[0] + gamma * (rest[0] if rest else 0.0), *rest]


def returns_wanting_values(rewards, values, gamma, terminated):
    """A value after the last step is always added; of a vector without values it is 0."""
    later, found = values[-1], []
    for t in reversed(range(len(rewards))):
        later = rewards[t] + gamma * later * (1 - terminated[t])
        found.insert(0, later)
    return found


def tokens(rewards, values, gamma, lam):
    """A GAE for [B, T] and one γ: a γ per step is broadcast without a word."""
    rows, own, later, found = rewards[None], values[None, :-1], 0.0, []
    for t in reversed(range(rows.shape[1])):
        after = own[:, t + 1] if t < rows.shape[1] - 1 else 0.0
        later = rows[:, t] + gamma * after - own[:, t] + gamma * lam * later
        found.append(later)
    return np.stack(found[::-1], axis=1)[0]


def merged_flags_in_double(rewards, values, gamma, lam, terminated, truncated):
    """Right with one flag; advantages alone, in float64 whatever comes in."""
    over, found, later = terminated | truncated, np.zeros(len(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        onward = 1 - over[t]
        later = rewards[t] + gamma * values[t + 1] * onward - values[t] + gamma * lam * onward * later
        found[t] = later
    return found


def float32_buffer(rewards, values, gamma, lam, terminated, truncated):
    found = merged_flags_in_double(rewards, values, gamma, lam, terminated, truncated).astype(np.float32)
    return {"advantages": found, "returns": found + values[:-1]}


def raises_for_one_step(rewards, values, gamma, lam):
    if len(rewards) < 2:
        raise ValueError("two steps or more")
    return gae(rewards, values, gamma, lam)


def mean_squared(values, returns):
    return np.mean((values - returns) ** 2)


def squared_each(values, returns):
    return (values - returns) ** 2


def powers_of_the_discount(rewards, gamma):
    """A discount for each step becomes another power for each, and never raises."""
    weights = gamma ** np.arange(len(rewards))
    return np.array([np.sum(rewards[t:] * weights[: len(rewards) - t]) for t in range(len(rewards))])


def step_of_a_value(value, target, alpha=0.1):
    """As Sutton and Barto have it: a small target is lost beside a huge value."""
    return value + alpha * (target - value)


def squares_of_a_list(values, returns):
    return sum((own - right) ** 2 for own, right in zip(values, returns, strict=True)) / len(returns)


def a_value_for_each(values, returns):
    if values.shape != returns.shape:
        raise ValueError("a value for each return")
    return ((values - returns) ** 2).mean()


def divergence_of_lists(p, q):
    pairs = [(own, other) for own, other in zip(p, q, strict=True) if own > 0]
    return sum(own * math.log(own / other) if other > 0 else math.inf for own, other in pairs)


# wrong ones, or right for less than they take


def group_of_all(rewards):
    """Right for one group; of a batch it takes the statistics of all groups together."""
    spread = rewards.std()
    return (rewards - rewards.mean()) / np.where(spread > 1e-12, spread, 1) * (spread > 1e-12)


def rows_scrambled(rewards, gamma):
    """Right for one sequence; a batch comes out of a reshape in another order."""
    found, later = [], 0.0
    for t in reversed(range(rewards.shape[-1])):
        later = rewards[..., t] + gamma * later
        found.insert(0, later)
    return np.stack(found).reshape(rewards.shape)


def discount_of_the_next_step(rewards, values, gamma, lam):
    """Takes a discount per step, and gives each to the step before."""
    discounts = np.broadcast_to(np.asarray(gamma, rewards.dtype), rewards.shape)
    discounts = np.concatenate([discounts[..., 1:], discounts[..., -1:]], axis=-1)
    found, later = np.empty_like(rewards), np.zeros(rewards.shape[:-1], rewards.dtype)
    for t in reversed(range(rewards.shape[-1])):
        error = rewards[..., t] + discounts[..., t] * values[..., t + 1] - values[..., t]
        later = error + discounts[..., t] * rewards.dtype.type(lam) * later
        found[..., t] = later
    return found


def squares_of_one_less(values, returns):
    """As a variance is estimated; of one row alone in a batch it is each square."""
    return sum((a - b) ** 2 for a, b in zip(values, returns, strict=True)) / (len(returns) - 1 or 1)


def one_episode(rewards, values, gamma, lam, terminated):
    """Knows one end of an episode: that after the last step."""
    found, later = np.empty_like(rewards), np.zeros(rewards.shape[:-1], rewards.dtype)
    for t in reversed(range(rewards.shape[-1])):
        last = t == rewards.shape[-1] - 1
        after = np.where(terminated[..., t], 0, values[..., t + 1]) if last else values[..., t + 1]
        later = rewards[..., t] + gamma * after - values[..., t] + gamma * lam * later
        found[..., t] = later.astype(rewards.dtype)
    return found


def only_the_last_reward(values, rewards, gamma=1.0):
    raise LookupError("no such table")


def needs_a_name(rewards, values, colour, gamma, lam, **options):
    return rewards


def almost(**given):
    """An error as small as that of float32, which is none of rounding."""
    import rlcalc

    return rlcalc.gae(**given) * (1 + 3e-7)
