"""Targets, errors and losses of agents that learn action values: by rows, by two critics, with weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from rlcalc.conform import conform
from rlcalc.conform.binding.which import found_formula
from rlcalc.conform.runner import run
from rlcalc.conform.target.base import from_function
from rlcalc.conform.target.facts import facts_of
from rlcalc.conform.target.load import load_function
from rlcalc.errors import InputError

from .altered import altered
from .as_it_stands import judging


def td_errors_of_rows(q, actions, rewards, q_next, dones, gamma: float):
    taken = q.gather(1, actions[:, None])[:, 0]
    return rewards + gamma * q_next.amax(1) * (1 - dones) - taken


def td_errors_of_the_first_action(q, actions, rewards, q_next, dones, gamma: float):
    return rewards + gamma * q_next.amax(1) * (1 - dones) - q[:, 0]


def td_error_squeezed(reward, value, next_value, done, gamma: float):
    return reward.squeeze() + gamma * (1 - done.squeeze()) * next_value.squeeze() - value.squeeze()


def td_error_as_priority(reward, value, next_value, done, gamma: float):
    return abs(value - reward - gamma * (1 - done) * next_value)


def n_step_target(rewards, max_next_q, dones, gamma: float, n_step: int):
    return rewards + gamma**n_step * (1 - dones) * max_next_q


def n_step_target_discounted_once(rewards, max_next_q, dones, gamma: float, n_step: int):
    return rewards + gamma * (1 - dones) * max_next_q


def q_loss(q1, q2, target_q):
    return functional.mse_loss(q1, target_q) + functional.mse_loss(q2, target_q)


def weighted_td_loss(q_pred, q_target, is_weights):
    return (is_weights * (q_target - q_pred).square()).mean()


def quantile_loss(quantiles, targets, taus):
    errors = targets[:, None, :] - quantiles[:, :, None]
    levels = taus[None, :, None]
    return torch.maximum(levels * errors, (levels - 1) * errors).mean(2).sum(1).mean()


def td_loss(q, actions, rewards, next_q, dones, gamma: float):
    taken = q.gather(1, actions[:, None])[:, 0]
    return functional.mse_loss(taken, rewards + gamma * next_q.amax(1) * (1 - dones))


def huber_td(q, q_target_next, r, d, gamma: float):
    return functional.smooth_l1_loss(q, r + gamma * (1 - d) * q_target_next.amax(1))


def td_loss_summed(q, actions, rewards, next_q, dones, gamma: float):
    taken = q.gather(1, actions[:, None])[:, 0]
    return (rewards + gamma * next_q.amax(1) * (1 - dones) - taken).pow(2).sum()


def huber_td_that_jumps(q, q_target_next, r, d, gamma: float):
    size = (r + gamma * (1 - d) * q_target_next.amax(1) - q).abs()
    return torch.where(size < 1, size**2 / 2, size).mean()


def value_loss_of_huber(values, returns, delta: float = 1.0):
    size = (values - returns).abs()
    return torch.where(size <= delta, size**2 / 2, delta * (size - delta / 2)).mean()


class Agent:
    def __init__(self) -> None:
        self.gamma = 0.9

    def td_target(self, rewards, next_states, dones):
        return rewards + (1 - dones) * self.target_net(next_states).amax(1)

    def td_error(self, states, actions, rewards, next_states, dones):
        after = self.target_net(next_states).amax(1)
        taken = self.q_net(states).gather(1, actions.view(-1, 1)).view(-1)
        return rewards + self.gamma * after * (1 - dones) - taken

    def sarsa_target(self, rewards, next_states, next_actions, dones):
        after = self.target_net(next_states).gather(1, next_actions.view(-1, 1))
        return rewards + self.gamma * after.view(-1) * (1 - dones)

    def loss(self, states, actions, rewards, next_states, dones):
        return self.td_error(states, actions, rewards, next_states, dones).square().mean() / 2


class Soft:
    def __init__(self, gamma: float) -> None:
        self.gamma = gamma

    def compute_target(self, reward, done, next_state):
        next_action, next_log_prob, _ = self.policy.sample(next_state)
        q1, q2 = self.critic_target(next_state, next_action)
        soft = torch.min(q1, q2) - self.log_alpha.exp() * next_log_prob
        return reward + self.gamma * (1 - done) * soft

    def td3_target(self, reward, done, next_state):
        next_action = self.actor_target(next_state)
        q1, q2 = self.critic_target(next_state, next_action)
        return reward + self.gamma * (1 - done) * torch.max(q1, q2)


def quantile_huber_of_errors(td_errors, taus, kappa: float = 1.0):
    size = td_errors.abs()
    huber = torch.where(size <= kappa, size**2 / 2, kappa * (size - kappa / 2))
    below = (td_errors < 0).to(td_errors.dtype)
    return ((taus[..., None] - below).abs() * huber / kappa).sum(1).mean()


def dqn_target_of_single_tensors(rewards, next_q, dones, gamma: float):
    best = torch.zeros(len(rewards))
    return rewards + gamma * (1 - dones) * best.index_add_(0, torch.arange(len(best)), next_q.amax(1))


def from_importance_weights(log_rhos, discounts, rewards, values, bootstrap_value, clip_rho_threshold: float):
    rho = log_rhos.exp().clamp(max=clip_rho_threshold)
    c = log_rhos.exp().clamp(max=1.0)
    onward = torch.cat([values[1:], bootstrap_value[None]])
    carried, found = torch.zeros_like(bootstrap_value), torch.zeros_like(values)
    for t in reversed(range(len(rewards))):
        error = rho[t] * (rewards[t] + discounts[t] * onward[t] - values[t])
        carried = error + discounts[t] * c[t] * carried
        found[t] = values[t] + carried
    return found


def ddqn_targets(rewards, not_dones, q_local_next, q_target_next, gamma: float):
    """The words of a name in another order than any table has them."""
    best = q_local_next.argmax(1)
    return rewards + gamma * not_dones * q_target_next[torch.arange(len(best)), best]


def one_step(reward: float, value: float, next_value: float, gamma: float, done: bool) -> float:
    return value - reward - (0.0 if done else gamma * next_value)


def td_error_at_ends_alone(r, v, v_next, gamma: float, terminated):
    return r + gamma * np.where(terminated, v_next, 0.0) - v


def soft_q_target_alone(r, done, q1_next, q2_next, log_pi, alpha: float):
    return r + 0.99 * (1 - done) * torch.minimum(q1_next, q2_next)


def categorical_projection(y, y_probs, z):
    width = z[1] - z[0]
    near = 1 - (y.clip(z[0], z[-1])[:, None, :] - z[:, None]).abs() / width
    return (near.clip(0, 1) * y_probs[:, None, :]).sum(-1)


def quantile_huber_of_lower_ends(quantiles, targets, kappa: float = 1.0):
    count = quantiles.shape[1]
    errors = targets[:, None, :] - quantiles[:, :, None]
    taus = torch.arange(count, dtype=errors.dtype)[None, :, None] / count
    return quantile_huber_of_errors(errors, taus[..., 0], kappa)


td_loss_after_the_end = altered(td_loss, {" * (1 - dones)": ""})
td_loss_of_sizes = altered(td_loss, {"mse_loss": "l1_loss"})
td_loss_of_errors = altered(td_loss_summed, {".pow(2).sum()": ".mean()"})
value_loss_that_jumps = altered(value_loss_of_huber, {"(size - delta / 2)": "size"})

CASES = [
    (one_step, "td_error", "sign-flipped", "[]"),
    (td_error_at_ends_alone, "td_error", "flags-inverted", "[..., T]"),
    (soft_q_target_alone, "sac_target", "entropy-missing", "[..., T]"),
    (categorical_projection, "c51_projection", "conforms", "[N]"),
    (quantile_huber_of_lower_ends, "quantile_huber_loss", "levels-at-the-starts", "[N]"),
    (Agent.sarsa_target, "sarsa_target", "conforms", "[N]"),
    (ddqn_targets, "double_q_target", "conforms", "[N]"),
    (dqn_target_of_single_tensors, "q_target", "conforms", "[N]"),
    (from_importance_weights, "vtrace", "conforms", "[T, B]"),
    (Soft.compute_target, "sac_target", "conforms", "[..., T]"),
    (Soft.td3_target, "sac_target", "larger-critic", "[..., T]"),
    (quantile_huber_of_errors, "quantile_huber_loss", "mean-over-batch", "[N]"),
    (td_errors_of_rows, "td_error", "conforms", "[T]"),
    (td_error_squeezed, "td_error", "conforms", "[..., T]"),
    (td_error_as_priority, "td_error", "absolute", "[..., T]"),
    (td_loss, "td_error", "mean-squared-error", "[T]"),
    (td_loss_after_the_end, "td_error", "bootstrap-after-terminal", "[T]"),
    (huber_td, "td_error", "smooth-l1-error", "[T]"),
    (td_loss_summed, "td_error", "summed-squared-error", "[T]"),
    (td_loss_of_sizes, "td_error", "error-not-squared", "[T]"),
    (td_loss_of_errors, "td_error", "square-missing", "[T]"),
    (huber_td_that_jumps, "td_error", "huber-offset-missing-from-1", "[T]"),
    (value_loss_that_jumps, "critic_loss", "huber-offset-missing", "[...]"),
    (value_loss_of_huber, "critic_loss", "smooth-l1-mean", "[...]"),
    (Agent.loss, "td_error", "half-mean-squared-error", "[T]"),
    (Agent.td_error, "td_error", "conforms", "[T]"),
    (Agent.td_target, "q_target", "gamma-missing", "[N]"),
    (n_step_target, "q_target", "conforms", "[..., T]"),
    (n_step_target_discounted_once, "q_target", "n-step-discounted-once", "[..., T]"),
    (q_loss, "critic_loss", "mean-reduction", "[...]"),
    (weighted_td_loss, "critic_loss", "mean-reduction", "[...]"),
    (quantile_loss, "quantile_huber_loss", "no-huber", "[N]"),
]
test_it_is_read_and_judged_as_it_stands = judging(CASES)


@pytest.mark.slow
def test_the_action_that_was_taken_matters() -> None:
    found = conform(td_errors_of_the_first_action, "td_error")
    assert found.verdict == "nonconforming"


def awac_policy_loss(log_probs, advantages, lam: float = 1.0):
    return -(log_probs * (advantages / lam).exp()).mean()


def sac_actor_loss(log_prob, q1, q2, alpha: float):
    return (alpha * log_prob - torch.min(q1, q2)).mean()


def value_loss(q, v, expectile: float = 0.8):
    return (torch.where(q > v, expectile, 1 - expectile) * (q - v).square()).mean()


@pytest.mark.parametrize("function", [awac_policy_loss, sac_actor_loss, value_loss])
def test_a_loss_of_an_algorithm_without_a_formula_is_not_called_wrong(function: Any) -> None:
    target = from_function(function)
    with pytest.raises(InputError, match=r"--formula is missing|says nothing about|None of the"):
        run(target, found_formula(target, f"a.py:{function.__name__}"))


def one_critic_twice(q1, q2, target_q):
    return 2 * functional.mse_loss(q1, target_q)


def squared_weights(q_pred, q_target, weights):
    return (weights**2 * (q_target - q_pred).square()).mean()


def huber_of_two(q1, q2, target_q):
    return functional.smooth_l1_loss(q1, target_q) + functional.smooth_l1_loss(q2, target_q)


@pytest.mark.parametrize("function", [one_critic_twice, squared_weights, huber_of_two])
def test_squares_that_do_not_add_up_are_not_judged(function: Any) -> None:
    with pytest.raises(InputError, match="whose squared errors were to add up"):
        conform(function, "critic_loss")


def test_what_is_called_may_know_torch(tmp_path: Path) -> None:
    (tmp_path / "library_of_tensors.py").write_text("import torch\n\n\ndef same(x):\n    return x.clone()\n")
    path = tmp_path / "caller.py"
    path.write_text(
        "import library_of_tensors\n\n\ndef advantages(x):\n    return library_of_tensors.same(x)\n"
    )
    assert facts_of(load_function(f"{path}:advantages")).framework == "called"
