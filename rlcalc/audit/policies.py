"""Policies and a small decision process in which everything is a symbol.

``TwoSteps`` has two decisions between two actions L and R, a random successor
that depends on the first action, any rewards, any discount and one preference
per state. It is the smallest process in which dynamics, reward-to-go and
discount all matter, and all eight of its trajectories are summed. A network
whose preferences share parameters follows by the chain rule.

``odds_gain`` is what a step does to a softmax policy of any number of actions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit.evidence import Identity
from rlcalc.audit.proofs import positives, reals

FAMILY = (
    "every policy, discount, reward and random successor of two decisions between two actions "
    "(8 trajectories, all summed)"
)


@dataclass(frozen=True)
class Step:
    """One decision of a trajectory: where, the chance of the action taken, and its score."""

    state: int
    chance: Any
    score: Any
    reward: Any


@dataclass(frozen=True)
class Path:
    steps: tuple[Step, Step]
    dynamics: Any

    @property
    def policy(self) -> Any:
        """The product of the policy's probabilities."""
        return self.steps[0].chance * self.steps[1].chance

    @property
    def chance(self) -> Any:
        return self.dynamics * self.policy


class TwoSteps:
    """Start state 0, then state 1 or 2, then the end.

    Attributes:
        gamma: the discount; a symbol unless given.
        left: chance of action L in the states 0, 1, 2, the logistic function of their preferences.
    """

    def __init__(self, gamma: Any = None) -> None:
        self.gamma = reals("gamma") if gamma is None else gamma
        self.left = reals("p q1 q2")
        self.to_one = dict(zip("LR", reals("c_L c_R"), strict=True))
        self.first = dict(zip("LR", reals("r_L r_R"), strict=True))
        self.second = dict(zip(product((1, 2), "LR"), reals("s_1L s_1R s_2L s_2R"), strict=True))

    def paths(self) -> Iterator[Path]:
        for a, after, b in product("LR", (1, 2), "LR"):
            moved = self.to_one[a] if after == 1 else 1 - self.to_one[a]
            steps = (self._step(0, a, self.first[a]), self._step(after, b, self.second[after, b]))
            yield Path(steps, moved)

    def _step(self, state: int, action: str, reward: Any) -> Step:
        p = self.left[state]
        chance, score = (p, 1 - p) if action == "L" else (1 - p, -p)
        return Step(state, chance, score, reward)

    def to_go(self, path: Path, t: int) -> Any:
        """G_t."""
        one, two = (step.reward for step in path.steps)
        return two if t else one + self.gamma * two

    def value(self, state: int) -> Any:
        """V of one of the two later states."""
        p = self.left[state]
        return p * self.second[state, "L"] + (1 - p) * self.second[state, "R"]

    def worth(self, action: str) -> Any:
        """Q of an action at the start."""
        c = self.to_one[action]
        return self.first[action] + self.gamma * (c * self.value(1) + (1 - c) * self.value(2))

    def objective(self) -> Any:
        """J = E[G_0]."""
        return sum(path.chance * self.to_go(path, 0) for path in self.paths())

    def gradient(self, state: int) -> Any:
        """The derivative of J by the preference of one state, taken directly: dp/dθ = p(1 − p)."""
        p = self.left[state]
        return sympy.diff(sympy.expand(self.objective()), p) * p * (1 - p)

    def mean(self, weight: Callable[[Path, int], Any], state: int) -> Any:
        """E[Σ_t weight(path, t) ∂ log π(A_t|S_t)/∂θ_state]."""
        return sum(
            path.chance * weight(path, t) * step.score
            for path in self.paths()
            for t, step in enumerate(path.steps)
            if step.state == state
        )

    def gradient_is(self, what: str, weight: Callable[[Path, int], Any]) -> list[Identity]:
        """One identity per state: the mean of the weighted scores is the gradient of J."""
        return [
            Identity(f"{what}, preference of state {s}", self.mean(weight, s), self.gradient(s), FAMILY)
            for s in range(3)
        ]


def odds_gain(weight: Any) -> Any:
    """What θ += weight·∇ log π(a) adds to log π(a)/π(b), for any other action b.

    1 − π(a) + π(b), with 1 − π(a) written as π(b) plus the rest: of any number
    of actions. π(a) rises when all these odds rise, and falls when all fall.
    """
    other, rest = positives("pi_b rest")
    return weight * ((other + rest) + other)
