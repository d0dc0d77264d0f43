"""Methods of agents that keep something between the calls: traces, counts, a mean, a buffer, a coin."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rlcalc.conform import conform
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.binding.which import found_formula
from rlcalc.conform.conform_report import ConformReport
from rlcalc.conform.target.base import from_function
from rlcalc.conform.target.facts import facts_of
from rlcalc.errors import InputError

from .altered import altered
from .as_it_stands import judged, judging


class Predictor:
    """TD(λ), a step a call."""

    def __init__(self, n_states: int, alpha: float = 0.1, gamma: float = 0.9, lam: float = 0.8) -> None:
        self.alpha, self.gamma, self.lam = alpha, gamma, lam
        self.V, self.E = np.zeros(n_states), np.zeros(n_states)

    def error(self, s: int, r: float, s2: int, done: bool):
        return r + (0 if done else self.gamma * self.V[s2]) - self.V[s]

    def update(self, s: int, r: float, s2: int, done: bool) -> None:
        delta = self.error(s, r, s2, done)
        self.E[s] += 1
        self.V += self.alpha * delta * self.E
        self.E *= self.gamma * self.lam
        if done:
            self.E[:] = 0

    def update_replacing(self, s: int, r: float, s2: int, done: bool):
        self.E *= self.gamma * self.lam
        self.E[s] = 1
        delta = self.error(s, r, s2, done)
        self.V = self.V + self.alpha * delta * self.E
        self.E = self.E * (1 - done)
        return delta

    def past_the_end(self, s: int, r: float, s2: int, done: bool) -> None:
        delta = r + self.gamma * self.V[s2] - self.V[s]
        self.E[s] += 1
        self.V += self.alpha * delta * self.E
        self.E *= self.gamma * self.lam * (1 - done)

    def decayed_too_soon(self, s: int, r: float, s2: int, done: bool) -> None:
        delta = self.error(s, r, s2, done)
        self.E[s] += 1
        self.E *= self.gamma * self.lam
        self.V += self.alpha * delta * self.E
        if done:
            self.E[:] = 0


class KeepsTraces(Predictor):
    """Nobody sets its traces to 0."""

    def __init__(self, n_states: int, alpha: float, gamma: float, lam: float) -> None:
        super().__init__(n_states, alpha, gamma, lam)
        self.z = np.zeros(n_states)

    def observe(self, s: int, r: float, s2: int, done: bool) -> None:
        delta = self.error(s, r, s2, done)
        self.z *= self.gamma * self.lam
        self.z[s] += 1
        self.V += self.alpha * delta * self.z


class IsReset(KeepsTraces):
    """Whoever trains it calls ``start_episode``."""

    def start_episode(self) -> None:
        self.z.fill(0)

    def learn(self, s: int, r: float, s2: int, done: bool) -> None:
        self.observe(s, r, s2, done)


class Controller:
    """SARSA(λ) that its training loop sets back, of an environment, with settings and dicts."""

    def __init__(self, env, config: dict[str, float]) -> None:
        self.nA = env.action_space.n
        self.alpha, self.gamma, self.lam = config["alpha"], config["gamma"], config["lambda"]
        self.Q: Any = defaultdict(lambda: np.zeros(self.nA))
        self.E: Any = defaultdict(lambda: np.zeros(self.nA))

    def train(self, env) -> None:
        self.E = defaultdict(lambda: np.zeros(self.nA))

    def learn(self, s: int, a: int, r: float, s_next: int, a_next: int, done: bool) -> None:
        following = 0.0 if done else self.Q[s_next][a_next]
        delta = r + self.gamma * following - self.Q[s][a]
        self.E[s][a] += 1
        for state in list(self.E):
            self.Q[state] += self.alpha * delta * self.E[state]
            self.E[state] *= self.gamma * self.lam


class OfAnySize:
    """Made with what has a name of its own, and with something else."""

    def __init__(self, size: int, alpha: float = 0.1, gamma: float = 0.9, lam: float = 0.5) -> None:
        self.alpha, self.gamma, self.lam = alpha, gamma, lam
        self.worth, self.E = np.zeros(size), np.zeros(size)

    def advance(self, s: int, r: float, s2: int, done: bool) -> None:
        delta = r + self.gamma * self.worth[s2] * (1 - done) - self.worth[s]
        self.E = self.gamma * self.lam * self.E
        self.E[s] += 1
        self.worth += self.alpha * delta * self.E
        if done:
            self.E = np.zeros_like(self.E)


class OnASchedule(OfAnySize):
    def __init__(self, n_states: int, schedule, alpha: float, gamma: float, lam: float) -> None:
        super().__init__(n_states, alpha, gamma, lam)
        self.first = schedule(0)

    def follow(self, s: int, r: float, s2: int, done: bool) -> None:
        self.advance(s, r, s2, done)


class Waits:
    """n steps, with a buffer."""

    def __init__(self, n_states: int, n: int = 3, alpha: float = 0.1, gamma: float = 0.9) -> None:
        self.V, self.n, self.alpha, self.gamma = np.zeros(n_states), n, alpha, gamma
        self.buffer: Any = deque()

    def update(self, s: int, r: float, s2: int, done: bool) -> None:
        self.buffer.append((s, r))
        while len(self.buffer) == self.n or (done and self.buffer):
            total = sum(self.gamma**k * x for k, (_, x) in enumerate(self.buffer))
            total += self.gamma ** len(self.buffer) * (0.0 if done else self.V[s2])
            first, _ = self.buffer.popleft()
            self.V[first] += self.alpha * (total - self.V[first])


def told_which(Q1, Q2, s: int, a: int, r: float, s2: int, done: bool, alpha: float, flip: bool):
    """Its caller tosses the coin."""
    moved, other = (Q1, Q2) if flip else (Q2, Q1)
    target = r + (0 if done else 0.9 * other[s2, np.argmax(moved[s2])])
    moved[s, a] += alpha * (target - moved[s, a])
    return Q1, Q2


def told_which_of_its_own(Q1, Q2, s: int, a: int, r: float, s2: int, done: bool, alpha: float, flip: bool):
    moved = Q1 if flip else Q2
    target = r + (0 if done else 0.9 * moved[s2].max())
    moved[s, a] += alpha * (target - moved[s, a])
    return Q1, Q2


def step_with_traces(
    V, E, s: int, r: float, s2: int, done: bool, alpha: float, gamma: float, lam: float
) -> None:
    """A function that is given what an agent keeps."""
    delta = r + gamma * V[s2] * (1 - done) - V[s]
    E *= gamma * lam
    E[s] += 1
    V += alpha * delta * E


class Tosses:
    """Double Q-learning whose coin falls inside."""

    def __init__(self, n_states: int, n_actions: int, alpha: float = 0.1, gamma: float = 0.9) -> None:
        self.Q1, self.Q2 = np.zeros((n_states, n_actions)), np.zeros((n_states, n_actions))
        self.alpha, self.gamma, self.rng = alpha, gamma, np.random.default_rng(0)

    def update(self, s: int, a: int, r: float, s2: int, done: bool) -> None:
        one, other = (self.Q1, self.Q2) if np.random.rand() < 0.5 else (self.Q2, self.Q1)
        following = 0 if done else other[s2, one[s2].argmax()]
        one[s, a] += self.alpha * (r + self.gamma * following - one[s, a])

    def update_by_its_own(self, s: int, a: int, r: float, s2: int, done: bool) -> None:
        if self.rng.random() < 0.5:
            goal = r + self.gamma * self.Q2[s2, self.Q1[s2].argmax()] * (1 - done)
            self.Q1[s, a] += self.alpha * (goal - self.Q1[s, a])
        else:
            goal = r + self.gamma * self.Q1[s2, self.Q2[s2].argmax()] * (1 - done)
            self.Q2[s, a] += self.alpha * (goal - self.Q2[s, a])

    def of_the_maximum(self, s: int, a: int, r: float, s2: int, done: bool) -> None:
        one, _ = (self.Q1, self.Q2) if random.random() < 0.5 else (self.Q2, self.Q1)
        one[s, a] += self.alpha * (r + (0 if done else self.gamma * one[s2].max()) - one[s, a])

    def past_the_end(self, s: int, a: int, r: float, s2: int, done: bool) -> None:
        one, other = (self.Q1, self.Q2) if random.random() < 0.5 else (self.Q2, self.Q1)
        one[s, a] += self.alpha * (r + self.gamma * other[s2, one[s2].argmax()] - one[s, a])


class MonteCarlo:
    def __init__(self, n_states: int, n_actions: int = 2, gamma: float = 0.9, alpha: float = 0.1) -> None:
        self.gamma, self.V, self.N = gamma, np.zeros(n_states), np.zeros(n_states)
        self.Q, self.step_size = np.zeros((n_states, n_actions)), alpha
        self.returns: Any = defaultdict(list)

    def update(self, episode) -> None:
        G, states = 0.0, [s for s, a, r in episode]
        for t in reversed(range(len(episode))):
            s, _, r = episode[t]
            G = r + self.gamma * G
            if s not in states[:t]:
                self.N[s] += 1
                self.V[s] += (G - self.V[s]) / self.N[s]

    def update_of_lists(self, states, rewards) -> None:
        G = 0.0
        for s, r in zip(reversed(states), reversed(rewards), strict=True):
            G = r + self.gamma * G
            self.returns[s].append(G)
            self.V[s] = np.mean(self.returns[s])

    def last_visits(self, episode) -> None:
        G, seen = 0.0, set()
        for s, a, r in reversed(episode):  # noqa: B007
            G = r + self.gamma * G
            if s not in seen:
                seen.add(s)
                self.N[s] += 1
                self.V[s] += (G - self.V[s]) / self.N[s]


class CountsFromOne(MonteCarlo):
    def __init__(self, n_states: int, gamma: float = 0.9) -> None:
        super().__init__(n_states, gamma=gamma)
        self.N = np.ones(n_states)

    def counted(self, episode) -> None:
        G = 0.0
        for s, a, r in reversed(episode):  # noqa: B007
            G = r + self.gamma * G
            self.N[s] += 1
            self.V[s] += (G - self.V[s]) / self.N[s]


class FirstVisits(MonteCarlo):
    """What it is called after it does not do."""

    def first_visit_update(self, episode) -> None:
        G = 0.0
        for s, a, r in reversed(episode):  # noqa: B007
            G = r + self.gamma * G
            self.N[s] += 1
            self.V[s] += (G - self.V[s]) / self.N[s]


class ControlByReturns:
    """Pairs, with a step size, from the end of an episode."""

    def __init__(self, n_states: int, n_actions: int, alpha: float = 0.1, gamma: float = 0.9) -> None:
        self.Q, self.alpha, self.gamma = np.zeros((n_states, n_actions)), alpha, gamma

    def learn(self, episode) -> None:
        G = 0.0
        for s, a, r in reversed(episode):
            G = r + self.gamma * G
            self.Q[s, a] += self.alpha * (G - self.Q[s, a])


class Arms:
    def __init__(self, k: int, alpha: float = 0.1) -> None:
        self.Q, self.N, self.alpha, self.t = np.zeros(k), np.zeros(k), alpha, 0

    def mean(self, arm: int, reward: float) -> None:
        self.N[arm] += 1
        self.Q[arm] += (reward - self.Q[arm]) / self.N[arm]

    def mean_of_all(self, arm: int, reward: float) -> None:
        self.t += 1
        self.Q[arm] += (reward - self.Q[arm]) / self.t

    def counted_late(self, arm: int, reward: float) -> None:
        self.Q[arm] += (reward - self.Q[arm]) / max(1, self.N[arm])
        self.N[arm] += 1


class ConstantArms:
    def __init__(self, k: int, alpha: float = 0.1) -> None:
        self.estimates, self.alpha = [0.0] * k, alpha

    def update(self, arm: int, reward: float) -> None:
        self.estimates[arm] += self.alpha * (reward - self.estimates[arm])


class Prefers:
    def __init__(self, n_arms: int, alpha: float = 0.1) -> None:
        self.H, self.alpha, self.mean, self.count = np.zeros(n_arms), alpha, 0.0, 0

    def slope(self, arm: int):
        policy = np.exp(self.H - self.H.max())
        return np.eye(len(self.H))[arm] - policy / policy.sum()

    def update(self, arm: int, reward: float) -> None:
        self.count += 1
        self.mean += (reward - self.mean) / self.count
        self.H = self.H + self.alpha * (reward - self.mean) * self.slope(arm)

    def update_first(self, arm: int, reward: float) -> None:
        self.H = self.H + self.alpha * (reward - self.mean) * self.slope(arm)
        self.count += 1
        self.mean += (reward - self.mean) / self.count


PAIRS, OF_STATES, OF_ARMS = "[S, A] of an agent", "[S] of an agent", "[A] of an agent"
without_lambda = altered(Predictor.update, {"self.gamma * self.lam": "self.gamma"})
learn_greedily = altered(Controller.learn, {"self.Q[s_next][a_next]": "self.Q[s_next].max()"})
discounts_once = altered(Waits.update, {"self.gamma ** len(self.buffer)": "self.gamma"})
without_baseline = altered(Prefers.update, {"(reward - self.mean) * self.slope": "reward * self.slope"})
wrong_on_one_side = altered(
    Tosses.update_by_its_own, {"self.rng": "random", "self.Q2[s2].argmax()": "self.Q1[s2].argmax()"}
)

CASES = [
    (Predictor.update, "td", "conforms", OF_STATES),
    (without_lambda, "td", "traces-decay-without-lambda", OF_STATES),
    (Predictor.update_replacing, "td", "conforms", f"{OF_STATES}, replacing traces"),
    (Predictor.past_the_end, "td", "terminal-value-bootstrapped", OF_STATES),
    (Predictor.decayed_too_soon, "td", "traces-decay-before-credit", OF_STATES),
    (IsReset.learn, "td", "conforms", OF_STATES),
    (KeepsTraces.observe, "td", "traces-survive-the-end", OF_STATES),
    (OfAnySize.advance, "td", "conforms", OF_STATES),
    (OnASchedule.follow, "td", "conforms", OF_STATES),
    (step_with_traces, "td", "conforms", OF_STATES),
    (Controller.learn, "sarsa", "conforms", PAIRS),
    (learn_greedily, "sarsa", "best-next-action", PAIRS),
    (Waits.update, "td", "conforms", OF_STATES),
    (discounts_once, "td", "n-step-discounted-once", OF_STATES),
    (Tosses.update, "double_q", "conforms", PAIRS),
    (Tosses.update_by_its_own, "double_q", "conforms", PAIRS),
    (Tosses.of_the_maximum, "double_q", "own-table-values", PAIRS),
    (Tosses.past_the_end, "double_q", "terminal-value-bootstrapped", PAIRS),
    (told_which, "double_q", "conforms", PAIRS),
    (told_which_of_its_own, "double_q", "own-table-values", PAIRS),
    (MonteCarlo.update, "mc", "conforms", f"{OF_STATES}, first visits"),
    (MonteCarlo.update_of_lists, "mc", "conforms", f"{OF_STATES}, every visit"),
    (MonteCarlo.last_visits, "mc", "last-visits-only", f"{OF_STATES}, first visits"),
    (CountsFromOne.counted, "mc", "start-counted-as-a-return", f"{OF_STATES}, every visit"),
    (FirstVisits.first_visit_update, "mc", "every-visit-counted", f"{OF_STATES}, first visits"),
    (ControlByReturns.learn, "mc", "visits-backwards", f"{PAIRS}, every visit"),
    (Arms.mean, "bandit", "conforms", OF_ARMS),
    (Arms.mean_of_all, "bandit", "all-pulls-counted", OF_ARMS),
    (Arms.counted_late, "bandit", "counted-after-dividing", OF_ARMS),
    (ConstantArms.update, "bandit", "conforms", OF_ARMS),
    (Prefers.update, "gradient_bandit", "conforms", f"{OF_ARMS}, the mean with the present reward"),
    (Prefers.update_first, "gradient_bandit", "mean-of-nothing", f"{OF_ARMS}, the mean of earlier rewards"),
    (without_baseline, "gradient_bandit", "baseline-missing", f"{OF_ARMS}, the mean with the present reward"),
]
test_agents_are_asked_on_one_object = judging(CASES)


def test_one_side_of_a_coin_is_not_enough() -> None:
    with pytest.raises(InputError, match="agrees with none"):
        found_formula(from_function(wrong_on_one_side), "a.py:wrong_on_one_side")
    assert not conform(wrong_on_one_side, "double_q").passed


def test_what_begins_with_an_episode_is_read_from_the_class_and_around_it() -> None:
    assert facts_of(IsReset.learn).resets["self.start_episode()"] == ("z",)
    assert facts_of(Controller.learn).resets == {"self.E": ("E",)}
    assert "self.z" not in facts_of(KeepsTraces.observe).resets
    # another method that learns is none that begins an episode
    assert "V" in facts_of(Predictor.update).resets["self.E"]


def test_a_trainer_that_clears_the_traces_is_told_by_one_line() -> None:
    accused = judged(KeepsTraces.observe, "td", "traces-survive-the-end", OF_STATES)
    assert accused.binding is not None
    assert "--map self.z=fresh" in " ".join(accused.binding.notes)
    report = conform(KeepsTraces.observe, "td", mapped={"self.z": "fresh"})
    assert report.verdict == "conforms"


class Believes:
    """Thompson sampling, which is no formula here: what it sums up is no table of values."""

    def __init__(self, k: int) -> None:
        self.successes, self.failures = np.ones(k), np.ones(k)

    def update(self, arm: int, reward: float) -> None:
        self.successes[arm] += reward
        self.failures[arm] += 1 - reward


def test_another_algorithm_has_no_bug_of_a_table_that_no_name_tells() -> None:
    with pytest.raises(InputError, match="agrees with none"):
        found_formula(from_function(Believes.update), "a.py:update")


def test_a_bug_that_no_vector_shows_is_no_pass() -> None:
    bound = Binding("td", agreed="fault", like=("n-step-discounted-once",))
    report = ConformReport("a.py:f", "td", "conforms", (), False, [], binding=bound)
    assert "the bug n-step-discounted-once" in report.thin
    assert not replace(report, binding=replace(bound, agreed="formula")).thin


def test_random_numbers_of_others_go_on_as_they_were() -> None:
    random.seed(5)
    np.random.seed(5)
    expected = random.random(), np.random.rand()
    random.seed(5)
    np.random.seed(5)
    judged(Tosses.update, "double_q", "conforms", PAIRS)
    assert (random.random(), np.random.rand()) == expected


class Plans:
    """Its counts of states and actions are no groups of answers."""

    def __init__(self, P, nS: int, nA: int, gamma: float = 0.9, theta: float = 1e-10) -> None:
        self.P, self.nS, self.nA, self.gamma, self.theta = P, nS, nA, gamma, theta
        self.V = np.zeros(nS)

    def run(self):
        delta = np.inf
        while delta >= self.theta:
            delta = 0.0
            for s in range(self.nS):
                old = self.V[s]
                self.V[s] = max(
                    sum(p * self.gamma * (r + self.V[z] * (not over)) for p, z, r, over in self.P[s][a])
                    for a in range(self.nA)
                )
                delta = max(delta, abs(old - self.V[s]))
        return self.V


def test_a_method_that_plans_is_no_function_of_groups() -> None:
    assert found_formula(from_function(Plans.run), "a.py:run") == "bellman"
