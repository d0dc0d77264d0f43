"""Returns and advantages of a sequence, as sums over the definition."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from rlcalc.inputs.bind import Inputs

Outputs = Mapping[str, Any]


class _Steps:
    """A sequence: rewards, values, where each step leads and where it ends.

    Sums are kept as integers over one denominator; reducing a fraction
    after every addition would be most of the work.
    """

    def __init__(self, i: Inputs) -> None:
        self.rewards: list[Fraction] = i.rewards
        count = self.count = len(self.rewards)
        self.values: list[Fraction] = i.values or [Fraction(0)] * (count + 1)
        over = i.terminated or [False] * count
        cut = i.truncated or [False] * count
        follows = i.next_values or self.values[1:]
        bootstrap = i.given.get("bootstrap")
        if bootstrap is not None:
            follows = [*follows[:-1], bootstrap]
        # V' of the successor; a terminated step has none
        self.follows = [Fraction(0) if end else v for end, v in zip(over, follows, strict=True)]
        self.ends = [a or b for a, b in zip(over, cut, strict=True)]
        self.ends[-1] = True
        gammas: list[Fraction] = i.gamma if isinstance(i.gamma, list) else [i.gamma] * count
        # γ_t is gamma[t] / below
        self.below = math.lcm(*(g.denominator for g in set(gammas)))
        self.gamma = [_over(g, self.below) for g in gammas]
        # so are rewards and successors, over the unit
        self.unit = _unit(self.rewards, self.follows)
        self.whole_rewards = [_over(x, self.unit) for x in self.rewards]
        self.whole_follows = [_over(x, self.unit) for x in self.follows]

    def reach(self, t: int) -> int:
        """Steps from t to the end of its episode."""
        return self.ends.index(True, t) - t + 1

    def discounted_errors(self, lam: Fraction) -> list[Fraction]:
        """Σ_k (γλ)^k δ_{t+k} to the end of the episode, for every t."""
        whole, unit = self.errors()
        below = self.below * lam.denominator
        found = []
        for t in range(self.count):
            total, factor, steps = 0, 1, self.reach(t)
            for k in range(t, t + steps):
                total = total * below + factor * whole[k]
                factor *= self.gamma[k] * lam.numerator
            found.append(Fraction(total, unit * below ** (steps - 1)))
        return found

    def errors(self) -> tuple[list[int], int]:
        """δ_t = R_{t+1} + γ_t V'(S_{t+1}) − V(S_t) as integers, and their unit."""
        unit = _unit(self.rewards, self.values, self.follows)
        parts = zip(self.rewards, self.gamma, self.follows, self.values, strict=False)
        found = [
            (_over(r, unit) - _over(v, unit)) * self.below + g * _over(follow, unit)
            for r, g, follow, v in parts
        ]
        return found, unit * self.below

    def n_steps(self, t: int) -> list[int]:
        """G_t^(1), G_t^(2), … as far as the episode goes, G^(n) over unit · below^n."""
        found, total, factor = [], 0, 1
        for k in range(t, t + self.reach(t)):
            total = total * self.below + factor * (self.below * self.whole_rewards[k])
            factor *= self.gamma[k]
            found.append(total + factor * self.whole_follows[k])
        return found

    def n_step(self, t: int, n: float) -> Fraction:
        """Discounted rewards of n steps, or to the end, and the value of where they lead."""
        steps = int(min(self.reach(t), n))
        total, factor = 0, 1
        for k in range(t, t + steps):
            total = total * self.below + factor * self.whole_rewards[k]
            factor *= self.gamma[k]
        total = total * self.below + factor * self.whole_follows[t + steps - 1]
        return Fraction(total, self.unit * self.below**steps)


def _unit(*lists: Sequence[Fraction]) -> int:
    """A denominator that all of the numbers share."""
    return math.lcm(*{x.denominator for numbers in lists for x in numbers})


def _over(x: Fraction, unit: int) -> int:
    """The numerator of a number over that denominator."""
    return x.numerator * (unit // x.denominator)


def gae(i: Inputs) -> Outputs:
    s = _Steps(i)
    found = s.discounted_errors(i.lam)
    return {"advantages": found, "returns": [a + v for a, v in zip(found, s.values, strict=False)]}


def td_error(i: Inputs) -> Outputs:
    if i.reward is not None:
        target = i.reward + i.gamma * i.next_value
        return {"td_error": target - i.value, "target": target}
    s = _Steps(i)
    found, unit = s.errors()
    gammas = [Fraction(g, s.below) for g in s.gamma]
    targets = [r + g * v for r, g, v in zip(s.rewards, gammas, s.follows, strict=True)]
    return {"td_error": [Fraction(x, unit) for x in found], "target": targets}


def discounted_return(i: Inputs) -> Outputs:
    count = len(i.rewards)
    found = n_step_return(i, math.inf)["returns"]
    if i.tail is not None:
        found = [g + i.gamma ** (count - t) * i.tail / (1 - i.gamma) for t, g in enumerate(found)]
    if i.repeat:  # one round from each step, and the same again
        rounds = [[*i.rewards[t:], *i.rewards[:t]] for t in range(count)]
        once = [sum(i.gamma**k * reward for k, reward in enumerate(one)) for one in rounds]
        found = [part / (1 - i.gamma**count) for part in once]
    return {"returns": found}


def n_step_return(i: Inputs, n: float | None = None) -> Outputs:
    s = _Steps(i)
    found = [s.n_step(t, i.n if n is None else n) for t in range(s.count)]
    return {"returns": found, **_updated(i, s, found)}


def _updated(i: Inputs, s: _Steps, returns: Sequence[Fraction]) -> Outputs:
    """The first state's value, a step of α nearer to its return."""
    alpha, old = i.given.get("alpha"), s.values[0]
    return {} if alpha is None else {"updated": old + alpha * (returns[0] - old)}


def lambda_return(i: Inputs) -> Outputs:
    """Every n-step return with its weight (1−λ)λ^{n−1}; the last takes what is left, λ^{N−1}."""
    s = _Steps(i)
    above, below = i.lam.numerator, i.lam.denominator

    def one(t: int) -> Fraction:
        found = s.n_steps(t)
        total, power, step = 0, 1, s.below * below
        for n, value in enumerate(found, 1):
            share = below if n == len(found) else below - above
            total = total * step + share * power * value
            power *= above
        return Fraction(total, s.unit * step ** len(found))

    returns = [one(t) for t in range(s.count)]
    return {"returns": returns, **_updated(i, s, returns)}
