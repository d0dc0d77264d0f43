"""Storages and agents in the styles of public code, each right one beside its faulty sibling."""

import numpy as np
import torch

from tests.conform.altered import altered


class Recurrent:
    """One mask more than there are rewards: that of step t has the number t + 1."""

    def __init__(self, num_steps, lanes):
        self.rewards = torch.zeros(num_steps, lanes, 1)
        self.value_preds = torch.zeros(num_steps + 1, lanes, 1)
        self.returns = torch.zeros(num_steps + 1, lanes, 1)
        self.masks = torch.ones(num_steps + 1, lanes, 1)
        self.bad_masks = torch.ones(num_steps + 1, lanes, 1)

    def compute_returns(self, next_value, gamma, gae_lambda):
        self.value_preds[-1] = next_value
        gae = 0
        for k in reversed(range(self.rewards.size(0))):
            live = self.masks[k + 1]
            error = self.rewards[k] + gamma * self.value_preds[k + 1] * live - self.value_preds[k]
            gae = (error + gamma * gae_lambda * live * gae) * self.bad_masks[k + 1]
            self.returns[k] = gae + self.value_preds[k]

    compute_returns_late = altered(
        compute_returns, {"self.masks[k + 1]": "self.masks[k]", " * self.bad_masks[k + 1]": ""}
    )


class Walker:
    """As many flags as rewards, so that the flag of step t has the number t."""

    def __init__(self, horizon, robots, device="cpu"):
        self.horizon = horizon
        self.rewards = torch.zeros(horizon, robots, 1, device=device)
        self.dones = torch.zeros(horizon, robots, 1, device=device).byte()
        self.values = torch.zeros(horizon, robots, 1, device=device)
        self.returns = torch.zeros(horizon, robots, 1, device=device)

    def compute_returns(self, last_values, gamma, lam):
        advantage = 0
        for k in reversed(range(self.horizon)):
            after = last_values if k == self.horizon - 1 else self.values[k + 1]
            live = 1.0 - self.dones[k].float()
            error = self.rewards[k] + live * gamma * after - self.values[k]
            advantage = error + live * gamma * lam * advantage
            self.returns[k] = advantage + self.values[k]

    def compute_returns_early(self, last_values, gamma, lam):
        advantage = 0
        for k in reversed(range(self.horizon)):
            last = k == self.horizon - 1
            after = last_values if last else self.values[k + 1]
            live = 1.0 - self.dones[-1 if last else k + 1].float()
            error = self.rewards[k] + live * gamma * after - self.values[k]
            advantage = error + live * gamma * lam * advantage
            self.returns[k] = advantage + self.values[k]


class Loop:
    """The flag after the last step comes by itself: those of the rollout are the flags of observations."""

    def __init__(self, args):
        self.args = args
        self.rewards = torch.zeros((args.num_steps, args.num_envs))
        self.dones = torch.zeros((args.num_steps, args.num_envs))
        self.values = torch.zeros((args.num_steps, args.num_envs))

    def compute_gae(self, next_value, next_done):
        return self._estimate(next_value, next_done, 1)

    def compute_gae_late(self, next_value, next_done):
        advantages, run = torch.zeros_like(self.rewards), 0
        for k in reversed(range(self.args.num_steps)):
            last = k == self.args.num_steps - 1
            live = 1.0 - (next_done if last else self.dones[k])
            after = next_value if last else self.values[k + 1]
            error = self.rewards[k] + self.args.gamma * after * live - self.values[k]
            advantages[k] = run = error + self.args.gamma * self.args.gae_lambda * live * run
        return advantages

    def _estimate(self, next_value, next_done, ahead):
        advantages, run = torch.zeros_like(self.rewards), 0
        for k in reversed(range(self.args.num_steps)):
            last = k == self.args.num_steps - 1
            live = 1.0 - (next_done if last else self.dones[k + ahead])
            after = next_value if last else self.values[k + ahead]
            error = self.rewards[k] + self.args.gamma * after * live - self.values[k]
            advantages[k] = run = error + self.args.gamma * self.args.gae_lambda * live * run
        return advantages


class Learner:
    """Keeps its errors in a list."""

    def __init__(self, env, learning_rate, discount_factor=0.95):
        self.q_values, self.lr, self.discount_factor = {}, learning_rate, discount_factor
        self.training_error = []

    def update(self, obs, action, reward, terminated, next_obs):
        best = (not terminated) * np.max(self.q_values[next_obs])
        error = reward + self.discount_factor * best - self.q_values[obs][action]
        self.q_values[obs][action] += self.lr * error
        self.training_error.append(error)

    def update_on(self, obs, action, reward, terminated, next_obs):
        error = reward + self.discount_factor * np.max(self.q_values[next_obs]) - self.q_values[obs][action]
        self.q_values[obs][action] += self.lr * error
        self.training_error.append(error)


class OneStep:
    """Advantages of one step by a critic, in the names of a course."""

    def __init__(self, params):
        self.gamma = params["gamma"]
        self.standardize_advantages = params["standardize_advantages"]

    def estimate_advantage(self, ob_no, next_ob_no, re_n, terminal_n):
        before, after = self.critic.forward_np(ob_no), self.critic.forward_np(next_ob_no)
        adv_n = re_n + self.gamma * after * (1 - terminal_n) - before
        if self.standardize_advantages:
            adv_n = (adv_n - np.mean(adv_n)) / (np.std(adv_n) + 1e-8)
        return adv_n

    def estimate_advantage_on(self, ob_no, next_ob_no, re_n, terminal_n):
        before, after = self.critic.forward_np(ob_no), self.critic.forward_np(next_ob_no)
        return re_n + self.gamma * after - before


class Prompts:
    """Hides the tokens of prompts, before which its returns go on; whitening is the caller's."""

    def __init__(self, config):
        self.config = config

    def compute_advantages(self, values, rewards, mask):
        values, rewards = values * mask, rewards * mask
        run, found = 0, []
        for k in reversed(range(rewards.shape[-1])):
            after = values[:, k + 1] if k < rewards.shape[-1] - 1 else 0.0
            error = rewards[:, k] + self.config.gamma * after - values[:, k]
            run = error + self.config.gamma * self.config.lam * run
            found.append(run)
        advantages = torch.stack(found[::-1], dim=1)
        return values, advantages, advantages + values

    compute_advantages_short = altered(
        compute_advantages, {"self.config.gamma * self.config.lam": "self.config.lam"}
    )


class Masked:
    """Keeps masks of episodes beside its rewards."""

    def __init__(self, gamma):
        self.gamma, self.rewards, self.masks = gamma, [], []

    def compute_returns(self, next_value):
        run, found = next_value, []
        for k in reversed(range(len(self.rewards))):
            run = self.rewards[k] + self.gamma * run
            found.insert(0, run)
        return found


class Traces:
    """An episode a call, with traces that it keeps."""

    def __init__(self, n_states, alpha, gamma, lam):
        self.V, self.E = np.zeros(n_states), np.zeros(n_states)
        self.alpha, self.gamma, self.lam = alpha, gamma, lam

    def run_episode(self, episode):
        self.E = np.zeros_like(self.V)
        for s, r, s_next, done in episode:
            error = (r if done else r + self.gamma * self.V[s_next]) - self.V[s]
            self.E[s] += 1
            self.V += self.alpha * error * self.E
            self.E *= self.gamma * self.lam
        return self.V

    run_episode_short = altered(run_episode, {"self.gamma * self.lam": "self.lam"})


class Window:
    """Hands its flag on, and sums what its steps have brought."""

    def __init__(self, n, gamma):
        self.n, self.gamma, self.buffer = n, gamma, []

    def calc_multistep_return(self):
        total = 0
        for k in range(self.n):
            total += self.gamma**k * self.buffer[k].reward
        return (
            self.buffer[0].state,
            self.buffer[0].action,
            total,
            self.buffer[-1].next_state,
            self.buffer[-1].done,
        )

    def calc_multistep_return_late(self):
        total = 0
        for k in range(self.n):
            total += self.gamma ** (k + 1) * self.buffer[k].reward
        return self.buffer[0].state, total, self.buffer[-1].done


class Latest:
    """Keeps as many steps as it sums: its number of steps stands nowhere else."""

    def __init__(self, n_step, gamma):
        self.gamma, self.n_step_buffer = gamma, []

    def _get_n_step_info(self):
        reward, after, done = self.n_step_buffer[-1][-3:]
        for step in reversed(self.n_step_buffer[:-1]):
            r, s, d = step[-3:]
            reward = r + self.gamma * reward
            after, done = (s, d) if d else (after, done)
        return reward, after, done


class Starts:
    """Arrays, but for the last values, which come from the network as a tensor."""

    def __init__(self, size, lanes, gamma=0.99, gae_lambda=0.95):
        self.size, self.gamma, self.gae_lambda = size, gamma, gae_lambda
        self.rewards = np.zeros((size, lanes), dtype=np.float32)
        self.values = np.zeros((size, lanes), dtype=np.float32)
        self.episode_starts = np.zeros((size, lanes), dtype=np.float32)
        self.advantages = np.zeros((size, lanes), dtype=np.float32)

    def compute_advantage(self, last_values, dones):
        self._backwards(last_values.clone().cpu().numpy().flatten(), 1.0 - dones.astype(np.float32), 1)

    def compute_advantage_late(self, last_values, dones):
        self._backwards(last_values.clone().cpu().numpy().flatten(), 1.0 - dones.astype(np.float32), 0)

    def _backwards(self, last_values, going_on, shift):
        later, after = 0, last_values
        for k in reversed(range(self.size)):
            live = going_on if k == self.size - 1 else 1.0 - self.episode_starts[k + shift]
            error = self.rewards[k] + self.gamma * after * live - self.values[k]
            later = error + self.gamma * self.gae_lambda * live * later
            self.advantages[k], after = later, self.values[k]


class Greedy:
    """A table of values."""

    def __init__(self, states, actions, alpha=0.1, gamma=0.9):
        self.Q = np.zeros((states, actions))
        self.alpha, self.gamma = alpha, gamma

    def learn(self, s, a, r, s_, done):
        target = r + (0 if done else self.gamma * self.Q[s_].max())
        self.Q[s, a] += self.alpha * (target - self.Q[s, a])

    learn_least = altered(learn, {".max()": ".min()"})


class GRPOTrainer:
    """Its class says which advantages it has, and an attribute how many answers a prompt has."""

    def __init__(self, group_size=4, eps=1e-4):
        self.group_size, self.eps = group_size, eps

    def advantages(self, rewards):
        table = rewards.view(-1, self.group_size)
        return ((table - table.mean(dim=1, keepdim=True)) / (table.std(dim=1, keepdim=True) + self.eps)).view(
            -1
        )

    def advantages_over_all(self, rewards):
        table = rewards.view(-1, self.group_size)
        return ((table - table.mean()) / (table.std() + self.eps)).view(-1)
