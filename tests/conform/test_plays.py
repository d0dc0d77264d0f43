"""Training loops, which play an environment by themselves: judged by the steps that they took."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rlcalc.conform import conform
from rlcalc.conform.binding.plays import played
from rlcalc.conform.binding.which import found_formula
from rlcalc.conform.runner import run
from rlcalc.conform.target.base import from_function
from rlcalc.errors import InputError
from tests.command import run as command
from tests.sweep import sweep

from .altered import altered
from .as_it_stands import bugs, named


def chosen(Q, s: int, count: int, epsilon: float) -> int:
    return int(np.random.randint(count)) if np.random.random() < epsilon else int(np.argmax(Q[s]))


def sarsa(env, num_episodes: int, alpha: float = 0.1, gamma: float = 1.0, epsilon: float = 0.1):
    """Gymnasium's five, and a reset with two; a dict with defaults."""
    count = env.action_space.n
    Q: Any = defaultdict(lambda: np.zeros(count))
    for _ in range(num_episodes):
        state, _ = env.reset()
        action = chosen(Q, state, count, epsilon)
        while True:
            after, reward, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                Q[state][action] += alpha * (reward - Q[state][action])
                break
            then = chosen(Q, after, count, epsilon)
            Q[state][action] += alpha * (reward + gamma * Q[after][then] - Q[state][action])
            state, action = after, then
    return Q


def sarsa_of_the_best(env, num_episodes: int, alpha: float, gamma: float, epsilon: float):
    count = env.action_space.n
    Q: Any = defaultdict(lambda: np.zeros(count))
    for _ in range(num_episodes):
        state, done = env.reset(), False
        action = chosen(Q, state, count, epsilon)
        while not done:
            after, reward, done, _ = env.step(action)
            then = chosen(Q, after, count, epsilon)
            Q[state][action] += alpha * (reward + gamma * np.max(Q[after]) - Q[state][action])
            state, action = after, then
    return Q


def train_q_learning(env, n_episodes: int = 500, lr: float = 0.1, discount: float = 0.99, eps: float = 1.0):
    """An array, beside what the episodes have brought; ε falls."""
    q_table = np.zeros((env.observation_space.n, env.action_space.n))
    totals = []
    for _ in range(n_episodes):
        s, total, done = env.reset(), 0.0, False
        while not done:
            a = env.action_space.sample() if random.random() < eps else np.argmax(q_table[s, :])
            s2, r, done, _ = env.step(a)
            q_table[s, a] = (1 - lr) * q_table[s, a] + lr * (r + discount * np.max(q_table[s2, :]))
            s, total = s2, total + r
        eps = max(0.05, eps * 0.9)
        totals.append(total)
    return q_table, totals


def train_q_learning_on_the_target_alone(env, n_episodes: int, lr: float, discount: float, eps: float):
    q_table = np.zeros((env.observation_space.n, env.action_space.n))
    for _ in range(n_episodes):
        s, done = env.reset(), False
        while not done:
            a = chosen(q_table, s, env.action_space.n, eps)
            s2, r, done, _ = env.step(a)
            q_table[s, a] += lr * (r + discount * np.max(q_table[s2, :]))
            s = s2
    return q_table


def q_learning_of_pairs(env, episodes: int, alpha: float, gamma: float, epsilon: float):
    Q: dict[tuple[int, int], float] = {}
    actions = list(range(env.action_space.n))
    for _ in range(episodes):
        s, done = env.reset(), False
        while not done:
            best = max(actions, key=lambda b: Q.get((s, b), 0.0))
            a = random.choice(actions) if random.random() < epsilon else best
            s2, r, done, _ = env.step(a)
            after = 0.0 if done else max(Q.get((s2, b), 0.0) for b in actions)
            Q[s, a] = Q.get((s, a), 0.0) + alpha * (r + gamma * after - Q.get((s, a), 0.0))
            s = s2
    return Q


def expected_sarsa(env, num_episodes: int, alpha: float, gamma: float = 1.0, epsilon: float = 0.1):
    count = env.action_space.n
    Q: Any = defaultdict(lambda: np.zeros(count))

    def policy(s: int):
        found = np.ones(count) * epsilon / count
        found[np.argmax(Q[s])] += 1 - epsilon
        return found

    for _ in range(num_episodes):
        s, done = env.reset(), False
        while not done:
            a = np.random.choice(np.arange(count), p=policy(s))
            s2, r, done, _ = env.step(a)
            Q[s][a] += alpha * (r + gamma * np.dot(Q[s2], policy(s2)) - Q[s][a])
            s = s2
    return Q


def td_prediction(env, policy, num_episodes: int, alpha: float, gamma: float = 1.0):
    V: Any = defaultdict(float)
    for _ in range(num_episodes):
        s, done = env.reset(), False
        while not done:
            s2, r, done, _ = env.step(policy(s))
            V[s] += alpha * (r + gamma * V[s2] - V[s])
            s = s2
    return V


def mc_prediction(policy, env, num_episodes: int, discount_factor: float = 1.0):
    totals, counts, V = defaultdict(float), defaultdict(float), defaultdict(float)
    for _ in range(num_episodes):
        episode, state = [], env.reset()
        for _ in range(100):
            action = policy(state)
            after, reward, done, _ = env.step(action)
            episode.append((state, action, reward))
            if done:
                break
            state = after
        for s in {part[0] for part in episode}:
            first = next(k for k, part in enumerate(episode) if part[0] == s)
            totals[s] += sum(part[2] * discount_factor**k for k, part in enumerate(episode[first:]))
            counts[s] += 1
            V[s] = totals[s] / counts[s]
    return V


def first_visit_mc(policy, env, num_episodes: int, gamma: float = 1.0):
    """It counts every visit."""
    totals, counts = defaultdict(float), defaultdict(int)
    for _ in range(num_episodes):
        episode, s, done = [], env.reset(), False
        while not done:
            s2, r, done, _ = env.step(policy(s))
            episode.append((s, r))
            s = s2
        gain = 0.0
        for s, r in episode[::-1]:
            gain = gamma * gain + r
            totals[s] += gain
            counts[s] += 1
    return {s: totals[s] / counts[s] for s in totals}


class QAgent:
    """It keeps its environment and its table, and gives back nothing."""

    def __init__(self, env, alpha: float = 0.1, gamma: float = 0.9, epsilon: float = 0.1) -> None:
        self.env, self.alpha, self.gamma, self.epsilon = env, alpha, gamma, epsilon
        self.Q = np.zeros((env.observation_space.n, env.action_space.n))

    def train(self, num_episodes: int) -> None:
        for _ in range(num_episodes):
            s, done = self.env.reset(), False
            while not done:
                a = chosen(self.Q, s, self.env.action_space.n, self.epsilon)
                s2, r, done, _ = self.env.step(a)
                target = r if done else r + self.gamma * self.Q[s2].max()
                self.Q[s, a] += self.alpha * (target - self.Q[s, a])
                s = s2

    def train_without_rate(self, num_episodes: int) -> None:
        for _ in range(num_episodes):
            s, done = self.env.reset(), False
            while not done:
                a = chosen(self.Q, s, self.env.action_space.n, self.epsilon)
                s2, r, done, _ = self.env.step(a)
                self.Q[s, a] += self.alpha * (r + self.Q[s2].max() - self.Q[s, a])
                s = s2


class SarsaAgent:
    """It is handed its environment, and learns in a method of its own."""

    def __init__(self, n_states: int, n_actions: int, lr: float, discount: float, eps: float) -> None:
        self.q_table, self.count = np.zeros((n_states, n_actions)), n_actions
        self.lr, self.discount, self.eps = lr, discount, eps

    def update(self, s: int, a: int, r: float, s2: int, a2: int, done: bool) -> None:
        target = r + self.discount * self.q_table[s2, a2] * (1 - done)
        self.q_table[s, a] += self.lr * (target - self.q_table[s, a])

    def run(self, env, episodes: int) -> None:
        for _ in range(episodes):
            s, done = env.reset()[0], False
            a = chosen(self.q_table, s, self.count, self.eps)
            while not done:
                s2, r, terminated, truncated, _ = env.step(a)
                done = terminated or truncated
                a2 = chosen(self.q_table, s2, self.count, self.eps)
                self.update(s, a, r, s2, a2, done)
                s, a = s2, a2


def q_learning_from_anywhere(end_is_0: bool) -> Callable[..., Any]:
    """The table begins with random numbers; where the end does as well, what stands there is added."""

    def q_learning(env, num_episodes: int, alpha: float, gamma: float, epsilon: float):
        Q = np.random.uniform(-1, 1, (env.observation_space.n, env.action_space.n))
        Q[-1] *= not end_is_0
        for _ in range(num_episodes):
            s, done = env.reset(), False
            while not done:
                a = chosen(Q, s, env.action_space.n, epsilon)
                s2, r, done, _ = env.step(a)
                Q[s, a] += alpha * (r + gamma * Q[s2].max() - Q[s, a])
                s = s2
        return Q

    return q_learning


def sarsa_lambda(env, episodes: int, alpha: float, gamma: float, lam: float, epsilon: float):
    count = env.action_space.n
    Q = np.zeros((env.observation_space.n, count))
    for _ in range(episodes):
        E, s, done = np.zeros_like(Q), env.reset(), False
        a = chosen(Q, s, count, epsilon)
        while not done:
            s2, r, done, _ = env.step(a)
            a2 = chosen(Q, s2, count, epsilon)
            error = r + gamma * Q[s2, a2] * (not done) - Q[s, a]
            E[s, a] += 1
            Q += alpha * error * E
            E *= gamma * lam
            s, a = s2, a2
    return Q


def double_q_learning(env, num_episodes: int, alpha: float, gamma: float, epsilon: float):
    """Another algorithm, which is no wrong one."""
    count = env.action_space.n
    both = [np.zeros((env.observation_space.n, count)) for _ in range(2)]
    for _ in range(num_episodes):
        s, done = env.reset(), False
        while not done:
            a = chosen(both[0] + both[1], s, count, epsilon)
            s2, r, done, _ = env.step(a)
            A, B = both if np.random.random() < 0.5 else both[::-1]
            A[s, a] += alpha * (r + gamma * B[s2, np.argmax(A[s2])] - A[s, a])
            s = s2
    return tuple(both)


def q_learning_with_a_bonus(
    env, num_episodes: int, alpha: float, gamma: float, epsilon: float, bonus: float = 0.5
):
    """Nobody knows what its bonus is."""
    Q = np.zeros((env.observation_space.n, env.action_space.n))
    for _ in range(num_episodes):
        s, done = env.reset(), False
        while not done:
            a = chosen(Q, s, env.action_space.n, epsilon)
            s2, r, done, _ = env.step(a)
            Q[s, a] += alpha * (r + bonus + gamma * Q[s2].max() - Q[s, a])
            s = s2
    return Q


def reinforce(env, num_episodes: int, alpha: float) -> None:
    """No table comes back."""
    env.reset()
    for _ in range(num_episodes):
        env.step(0)


td_prediction_without_gamma = altered(
    td_prediction, {"gamma: float = 1.0": "gamma: float", "gamma * V[s2]": "V[s2]"}
)

# function, formula, what is said of it: the verdict, or a bug
CASES = [
    (train_q_learning, "q_learning", "conforms"),
    (train_q_learning_on_the_target_alone, "q_learning", "old-value-not-subtracted"),
    (sarsa, "sarsa", "conforms"),
    (sarsa_of_the_best, "sarsa", "best-next-action"),
    (q_learning_of_pairs, "q_learning", "conforms"),
    (expected_sarsa, "expected_sarsa", "conforms"),
    (td_prediction, "td", "conforms"),
    (td_prediction_without_gamma, "td", "discount-missing"),
    (mc_prediction, "mc", "conforms"),
    (first_visit_mc, "mc", "every-visit-counted"),
    (QAgent.train, "q_learning", "conforms"),
    (QAgent.train_without_rate, "q_learning", "discount-missing"),
    (SarsaAgent.run, "sarsa", "conforms"),
    (q_learning_from_anywhere(end_is_0=True), "q_learning", "conforms"),
    (q_learning_from_anywhere(end_is_0=False), "q_learning", "nonconforming"),
    (sarsa_lambda, "sarsa", "conforms"),
]


@pytest.mark.parametrize(("function", "formula", "said"), sweep(CASES, 4, named))
def test_a_loop_is_judged_by_the_steps_that_it_took(
    function: Callable[..., Any], formula: str, said: str
) -> None:
    target = from_function(function)
    assert found_formula(target, f"a.py:{function.__qualname__}") == formula
    report = run(target, formula)
    assert said in (report.verdict, *bugs(report))
    assert any("environment of ours" in note for note in report.notes)


def test_each_run_is_a_vector_of_the_steps_that_were_taken() -> None:
    found = played(from_function(train_q_learning), "a.py:train_q_learning")
    assert found is not None
    steps = [vector.arrays["steps"].steps for vector in found.vectors]
    assert [sum(step.last for step in run) for run in steps] == [1, 3, 5]
    assert found.share == 1


@pytest.mark.parametrize("function", [double_q_learning, q_learning_with_a_bonus])
def test_another_algorithm_is_no_wrong_one(function: Callable[..., Any]) -> None:
    with pytest.raises(InputError, match="is right for none of q-learning"):
        found_formula(from_function(function), f"a.py:{function.__name__}")
    assert conform(function, "q_learning").verdict == "nonconforming"  # whoever asks for it


def test_no_table_is_said_with_what_can_be_judged() -> None:
    with pytest.raises(InputError, match="no table") as refused:
        found_formula(from_function(reinforce), "a.py:reinforce")
    assert "update(q, s, a, r, s2, done)" in str(refused.value.__dict__)


def test_a_written_test_plays_again(tmp_path: Path) -> None:
    source = Path(__file__).read_text("utf-8")
    begin, end = source.index("def chosen("), source.index("def q_learning_of_pairs(")
    modules = ("random", "numpy as np")
    head = "".join(f"import {name}\n" for name in modules)
    head += "from collections import defaultdict\nfrom typing import Any\n\n\n"
    (tmp_path / "loops.py").write_text(head + source[begin:end], "utf-8")
    written = tmp_path / "test_loops.py"
    target = f"{tmp_path / 'loops.py'}:train_q_learning_on_the_target_alone"
    assert command("conform", target, "--write-test", str(written))[0] == 1
    assert "conform(under_test.train_q_learning_on_the_target_alone" in written.read_text("utf-8")
