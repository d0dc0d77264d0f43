"""Updates of a table as an agent has them, one step a call: read without an adapter, right and wrong ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from .altered import altered
from .as_it_stands import judged, judging

GAMMA, LEARNING_RATE = 0.9, 0.25


class Learner:
    """With a table of its own."""

    q_table: Any
    lr: float
    discount: float
    actions: list[int]

    def update(self, state: int, action: int, reward: float, new_state: int, done: bool) -> None:
        goal = reward + (0 if done else self.discount * self.q_table[new_state].max())
        self.q_table[state, action] += self.lr * (goal - self.q_table[state, action])

    def update_dict(self, state, action, reward: float, next_state) -> None:
        best = max(self.q_table.get((next_state, a), 0.0) for a in self.actions)
        old = self.q_table.get((state, action), 0.0)
        self.q_table[state, action] = (1 - self.lr) * old + self.lr * (reward + self.discount * best)

    def update_rows(self, state: int, action: int, reward: float, next_state: int) -> float:
        """A row of numbers by state; gives the error."""
        row = self.q_table[state]
        error = float(reward + self.discount * max(self.q_table[next_state]) - row[action])
        row[action] += self.lr * error
        return error


def learn_q(table, s: int, a: int, r: float, s2: int, alpha: float, gamma: float):
    """A new table."""
    found = np.array(table)
    found[s, a] += alpha * (r + gamma * found[s2].max() - found[s, a])
    return found


def learn_q_of_the_mean(Q, s: int, a: int, r: float, s2: int, alpha: float, gamma: float) -> None:
    Q[s, a] += alpha * (r + gamma * np.mean(Q[s2]) - Q[s, a])


def learn_on_policy(Q, s: int, a: int, r: float, s2: int, a2: int, alpha: float, gamma: float) -> None:
    Q[s][a] = Q[s][a] + alpha * (r + gamma * Q[s2][a2] - Q[s][a])


def td_zero(V, s: int, r: float, s_next: int, done: bool) -> None:
    V[s] += LEARNING_RATE * (r + GAMMA * V[s_next] * (not done) - V[s])


def td_zero_in_brackets(V, s: int, r: float, s_next: int, alpha: float, gamma: float):
    V[s] = V[s] + alpha * (r + gamma * V[s_next]) - V[s]
    return V


update_blindly = altered(Learner.update, {"0 if done else ": ""})
learn_on_policy_again = altered(learn_on_policy, {"Q[s2][a2]": "Q[s2][a]"})

CASES = [
    (Learner.update, "q_learning", "conforms", "[S, A]"),
    (update_blindly, "q_learning", "terminal-value-bootstrapped", "[S, A]"),
    (Learner.update_dict, "q_learning", "conforms", "[S, A]"),
    (Learner.update_rows, "q_learning", "conforms", "[S, A]"),
    (learn_q, "q_learning", "conforms", "[S, A]"),
    (learn_q_of_the_mean, "q_learning", "mean-over-next-actions", "[S, A]"),
    (learn_on_policy, "sarsa", "conforms", "[S, A]"),
    (learn_on_policy_again, "sarsa", "same-action-again", "[S, A]"),
    (td_zero, "td", "conforms", "[S]"),
    (td_zero_in_brackets, "td", "bracket-closed-early", "[S]"),
]


test_an_update_is_played_on_the_steps_of_the_formula = judging(CASES)


def test_a_table_by_pairs_is_read_and_written_as_it_is_kept() -> None:
    report = judged(Learner.update_dict, "q_learning", "conforms", "[S, A]")
    assert report.binding is not None
    assert report.binding.form == "pairs"
    assert report.binding.outputs["q_values"] == "self.q_table"


def test_numbers_of_the_module_are_changed_by_the_vectors() -> None:
    report = judged(td_zero, "td", "conforms", "[S]")
    assert report.binding is not None
    assert {"module.GAMMA", "module.LEARNING_RATE"} <= report.binding.inputs.keys()


# an episode a call


def td0_over_states(V, states, rewards, alpha, gamma):
    for t, reward in enumerate(rewards):
        V[states[t]] += alpha * (reward + gamma * V[states[t + 1]] - V[states[t]])
    return V


def q_learning_of_an_episode(Q, episode, alpha, gamma):
    for s, a, r, s2, done in episode:
        Q[s, a] += alpha * (r + (0 if done else gamma * Q[s2].max()) - Q[s, a])
    return Q


def td_lambda_of_an_episode(V, states, rewards, alpha, gamma, lam):
    z = np.zeros_like(V)
    for t, reward in enumerate(rewards):
        z *= gamma * lam
        z[states[t]] += 1
        V = V + alpha * (reward + gamma * V[states[t + 1]] - V[states[t]]) * z
    return V


def td_lambda_in_place(states, rewards, V, alpha, gamma, lam):
    """It writes over the values that it is given, which is no fault of a table."""
    z = np.zeros(len(V))
    for t, reward in enumerate(rewards):
        z[states[t]] += 1
        V += alpha * (reward + gamma * V[states[t + 1]] - V[states[t]]) * z
        z *= gamma * lam
    return V


def q_learning_past_the_end(Q, transitions, alpha, gamma):
    for s, a, r, s2, done in transitions:  # noqa: B007
        Q[s, a] += alpha * (r + gamma * Q[s2].max() - Q[s, a])
    return Q


def sarsa_with_the_maximum(Q, episode, alpha, gamma):
    for s, a, r, s2, next_action, done in episode:  # noqa: B007
        Q[s, a] += alpha * (r + (0 if done else gamma * Q[s2].max()) - Q[s, a])
    return Q


td_lambda_without_lambda = altered(td_lambda_of_an_episode, {"gamma * lam": "gamma"})
td_lambda_without_discount = altered(td_lambda_of_an_episode, {"gamma * lam": "lam"})

test_episodes = judging(
    [
        (td0_over_states, "td", "conforms", "[S] by episodes"),
        (q_learning_of_an_episode, "q_learning", "conforms", "[S, A] by episodes"),
        (td_lambda_of_an_episode, "td", "conforms", "[S] by episodes"),
        (td_lambda_in_place, "td", "conforms", "[S] by episodes"),
        (q_learning_past_the_end, "q_learning", "terminal-value-bootstrapped", "[S, A] by episodes"),
        (sarsa_with_the_maximum, "sarsa", "nonconforming", "[S, A] by episodes"),
        (td_lambda_without_lambda, "td", "traces-decay-without-lambda", "[S] by episodes"),
        (td_lambda_without_discount, "td", "traces-decay-without-discount", "[S] by episodes"),
    ],
    inner=2,
)
