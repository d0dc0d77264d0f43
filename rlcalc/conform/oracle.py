"""The literal definitions in rational arithmetic, for inputs that are numbers.

The exact forms of the calculator build a tree of steps for people; a
thousand generated cases need none. These say the same in plain Fractions, as
sums over the definition and never as the recursion that implementations run,
and a test holds them equal to the step trees. Where a definition leaves the
rationals (a logarithm, a root) fifty digits stand for the exact number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rlcalc.inputs import Inputs

Number = Fraction
Outputs = Mapping[str, Any]
PLACES = 50


class _Steps:
    """A sequence: rewards, values, where each step leads and where it ends.

    Sums are kept as whole numbers over one denominator; reducing a fraction
    after every addition would be most of the work.
    """

    def __init__(self, i: Inputs) -> None:
        self.rewards: list[Fraction] = i.rewards
        count = self.count = len(self.rewards)
        self.values: list[Fraction] = i.values["values"] or [Fraction(0)] * (count + 1)
        over = i.terminated or [False] * count
        cut = i.truncated or [False] * count
        follows = i.next_values or self.values[1:]
        bootstrap = i.values.get("bootstrap")
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
        """δ_t = R_{t+1} + γ_t V'(S_{t+1}) − V(S_t) as whole numbers, and their unit."""
        unit = _unit(self.rewards, self.values, self.follows)
        parts = zip(self.rewards, self.gamma, self.follows, self.values, strict=False)
        found = [
            (_over(r, unit) - _over(v, unit)) * self.below + g * _over(follow, unit)
            for r, g, follow, v in parts
        ]
        return found, unit * self.below

    def n_steps(self, t: int, most: float = math.inf) -> tuple[list[int], int]:
        """G_t^(1), G_t^(2), … as far as the episode goes, and their unit.

        G^(n) is its number over unit · below^n: rewards of n steps, then the
        value of where they lead.
        """
        steps = int(min(self.reach(t), most))
        rewards, follows = self.rewards[t : t + steps], self.follows[t : t + steps]
        unit = _unit(rewards, follows)
        found, total, factor = [], 0, 1
        for k, (reward, follow) in enumerate(zip(rewards, follows, strict=True)):
            total = total * self.below + factor * self.below * _over(reward, unit)
            factor *= self.gamma[t + k]
            found.append(total + factor * _over(follow, unit))
        return found, unit

    def n_step(self, t: int, n: float) -> Fraction:
        found, unit = self.n_steps(t, n)
        return Fraction(found[-1], unit * self.below ** len(found))


def _unit(*lists: Sequence[Fraction]) -> int:
    """A denominator that all of the numbers share."""
    return math.lcm(*{x.denominator for numbers in lists for x in numbers})


def _over(x: Fraction, unit: int) -> int:
    """The numerator of a number over that denominator."""
    return x.numerator * (unit // x.denominator)


def gae(i: Inputs) -> Outputs:
    return {"advantages": _Steps(i).discounted_errors(i.lam)}


def td_error(i: Inputs) -> Outputs:
    if i.reward is not None:
        return {"td_error": i.reward + i.gamma * i.next_value - i.value}
    found, unit = _Steps(i).errors()
    return {"td_error": [Fraction(x, unit) for x in found]}


def discounted_return(i: Inputs) -> Outputs:
    return n_step_return(i, math.inf)


def n_step_return(i: Inputs, n: float | None = None) -> Outputs:
    s = _Steps(i)
    return {"returns": [s.n_step(t, i.n if n is None else n) for t in range(s.count)]}


def lambda_return(i: Inputs) -> Outputs:
    """Every n-step return with its weight (1−λ)λ^{n−1}; the last takes what is left, λ^{N−1}."""
    s = _Steps(i)
    above, below = i.lam.numerator, i.lam.denominator

    def one(t: int) -> Fraction:
        found, unit = s.n_steps(t)
        total, power = 0, 1
        for n, value in enumerate(found, 1):
            share = below if n == len(found) else below - above
            total = total * s.below * below + share * power * value
            power *= above
        return Fraction(total, unit * (s.below * below) ** len(found))

    return {"returns": [one(t) for t in range(s.count)]}


def lambda_weights(i: Inputs) -> Outputs:
    if i.steps == math.inf:
        return {}
    lam, count = i.lam, i.steps
    return {"weights": [(1 - lam) * lam ** (n - 1) for n in range(1, count)] + [lam ** (count - 1)]}


def td_update(i: Inputs) -> Outputs:
    return {"value": i.value + i.alpha * (i.target - i.value)}


def mc_update(i: Inputs) -> Outputs:
    value = i.value
    for k, g in enumerate(i.returns, 1):
        value += (Fraction(1, k) if isinstance(i.alpha, str) else i.alpha) * (g - value)
    return {"value": value}


def advantage(i: Inputs) -> Outputs:
    if i.return_ is not None:
        return {"advantage": i.return_ - i.value}
    return {"advantage": i.reward + i.gamma * i.next_value - i.value}


def critic_loss(i: Inputs) -> Outputs:
    count = len(i.returns)
    values = i.values["values"]
    values = values if isinstance(values, list) else [values] * count
    total = sum(((v - g) ** 2 for v, g in zip(values, i.returns, strict=True)), start=Fraction(0))
    share = {"sum": Fraction(1), "mean": Fraction(1, count), "half-mean": Fraction(1, 2 * count)}
    return {"loss": share[i.reduction] * total}


def actor_loss(i: Inputs) -> Outputs:
    logs = [_log(p) for p in i.probs] if i.probs is not None else i.log_probs
    total = sum((x * a for x, a in zip(logs, i.advantages, strict=True)), start=Fraction(0))
    objective = total / (len(logs) if i.reduction == "mean" else 1)
    return {"objective": objective, "loss": -objective}


def ppo_clip(i: Inputs) -> Outputs:
    clipped = max(1 - i.eps, min(i.ratio, 1 + i.eps))
    return {"objective": min(i.ratio * i.adv, clipped * i.adv)}


def ppo_loss(i: Inputs) -> Outputs:
    objective = i.clip - i.c1 * i.critic + i.c2 * i.entropy
    return {"objective": objective, "loss": -objective}


def ratio(i: Inputs) -> Outputs:
    return {"ratio": i.new / i.old if i.new is not None else _exp(i.new_log - i.old_log)}


def softmax(i: Inputs) -> Outputs:
    return {"policy": _softmax(i.theta)}


def score(i: Inputs) -> Outputs:
    policy = _softmax(i.theta)
    return {"score": [(k == i.action) - p for k, p in enumerate(policy)]}


def reinforce_step(i: Inputs) -> Outputs:
    step = i.alpha * (i.return_ - i.baseline)
    return {"theta": [x + step * s for x, s in zip(i.theta, score(i)["score"], strict=True)]}


def entropy(i: Inputs) -> Outputs:
    nats = -sum((p * _log(p) for p in i.p if p), start=Fraction(0))
    return {"entropy": nats if isinstance(i.base, str) else nats / _log(i.base)}


def kl(i: Inputs) -> Outputs:
    pairs = [(p, q) for p, q in zip(i.p, i.q, strict=True) if p]
    if any(not q for _, q in pairs):
        return {"divergence": math.inf}
    return {"divergence": sum((p * _log(p / q) for p, q in pairs), start=Fraction(0))}


def grpo_advantage(i: Inputs) -> Outputs:
    count = len(i.rewards)
    mean = sum(i.rewards, start=Fraction(0)) / count
    apart = [r - mean for r in i.rewards]
    variance = sum((x * x for x in apart), start=Fraction(0)) / (count - i.ddof)
    if not variance:
        return {"advantages": apart}
    scale = _sqrt(variance) + i.eps
    return {"advantages": [x / scale for x in apart]}


def importance(i: Inputs) -> Outputs:
    return {"expectation": sum((p * f for p, f in zip(i.p, i.f, strict=True)), start=Fraction(0))}


def ppo_count(i: Inputs) -> Outputs:
    return {"collections": Fraction(i.iterations)}


ORACLES: Mapping[str, Callable[[Any], Outputs]] = {
    function.__name__: function
    for function in (
        gae,
        td_error,
        discounted_return,
        n_step_return,
        lambda_return,
        lambda_weights,
        td_update,
        mc_update,
        advantage,
        critic_loss,
        actor_loss,
        ppo_clip,
        ppo_loss,
        ratio,
        softmax,
        score,
        reinforce_step,
        entropy,
        kl,
        grpo_advantage,
        importance,
        ppo_count,
    )
}


def exact_answer(inputs: Inputs) -> dict[str, Any]:
    """Outputs as nested Fractions, ±inf as floats: by the definitions above, else by the step tree."""
    from rlcalc.digits import truth_of
    from rlcalc.evaluation import derive_bound
    from rlcalc.golden_values import each

    oracle = ORACLES.get(inputs.formula.name)
    if oracle is not None:
        return dict(oracle(inputs))
    numbers = {o.name for o in inputs.formula.outputs if o.kind == "number" and not o.exact_only}
    found = derive_bound(inputs).outputs
    return {name: each(truth_of, value) for name, value in found.items() if name in numbers}


def _mp() -> Any:
    from mpmath import mp

    mp.dps = max(mp.dps, PLACES)
    return mp


def _fraction(value: Any) -> Fraction:
    """The binary number that mpmath holds, without rounding."""
    sign, mantissa, exponent, _ = value._mpf_
    whole = Fraction(-int(mantissa) if sign else int(mantissa))
    return whole * Fraction(2) ** int(exponent)


def _number(value: Fraction) -> Any:
    mp = _mp()
    return mp.mpf(value.numerator) / value.denominator


def _log(value: Fraction) -> Fraction:
    return _fraction(_mp().log(_number(value)))


def _exp(value: Fraction) -> Fraction:
    return _fraction(_mp().exp(_number(value)))


def _sqrt(value: Fraction) -> Fraction:
    return _fraction(_mp().sqrt(_number(value)))


def _softmax(theta: Sequence[Fraction]) -> list[Fraction]:
    top = max(theta)
    shares = [_exp(x - top) for x in theta]
    total = sum(shares, start=Fraction(0))
    return [x / total for x in shares]
