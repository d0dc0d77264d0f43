"""Formulas on named states and tokens: traces and text as a decision process."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import prod
from typing import Any

from rlcalc.inputs.bind import Inputs
from rlcalc.reference import reals

Outputs = Mapping[str, Any]


def traces(i: Inputs) -> Outputs:
    """Traces as sums over visits; the credit by the forward view wherever the views agree.

    z_t(s) = Σ_{k <= t, S_k = s} (γλ)^{t−k} ρ_k … ρ_t, of which a replacing trace keeps the last visit.
    """
    names = list(dict.fromkeys(i.states))
    steps = next((len(each) for each in (i.rewards, i.ratios) if each is not None), len(i.states))
    ratios = i.ratios or [Fraction(1)] * steps
    decay = i.gamma * i.lam

    def trace(t: int, name: str) -> Fraction:
        visits = [k for k in range(t + 1) if i.states[k] == name]
        kept = visits[-1:] if i.replacing else visits
        return sum((decay ** (t - k) * prod(ratios[k : t + 1]) for k in kept), Fraction(0))

    eligibility = [[trace(t, name) for name in names] for t in range(steps)]
    if i.rewards is None:
        return {"eligibility": eligibility}
    worth = dict(zip(names, i.values or [Fraction(0)] * len(names), strict=True))
    # V(S_0) … V(S_T); without a last state the episode ended in a terminal one
    along = [worth[name] for name in i.states] + [Fraction(0)] * (steps + 1 - len(i.states))
    errors = [i.rewards[t] + i.gamma * along[t + 1] - along[t] for t in range(steps)]
    if i.ratios is None:
        returns = [_lambda_return(i, along, t) for t in range(steps)]
    else:  # equation 12.24: what is expected, and the errors to come, each with its ratios
        returns = [
            along[t] + sum(decay ** (k - t) * prod(ratios[t : k + 1]) * errors[k] for k in range(t, steps))
            for t in range(steps)
        ]
    forward = [
        sum((returns[t] - along[t] for t in range(steps) if i.states[t] == name), Fraction(0))
        for name in names
    ]
    credit = forward
    if i.replacing:
        credit = [
            sum((errors[t] * eligibility[t][column] for t in range(steps)), Fraction(0))
            for column in range(len(names))
        ]
    found = {
        "eligibility": eligibility,
        "td_errors": errors,
        "credit": credit,
        "lambda_returns": returns,
        "forward_credit": forward,
    }
    if i.alpha is not None:
        found["updates"] = [i.alpha * x for x in credit]
        found["new_values"] = [v + i.alpha * x for v, x in zip(worth.values(), credit, strict=True)]
    return found


def _lambda_return(i: Inputs, along: list[Fraction], t: int) -> Fraction:
    """Σ_n (1−λ)λ^{n−1} G^(n) with all the weight that is left on the longest one."""
    last = len(i.rewards) - t
    total = Fraction(0)
    for n in range(1, last + 1):
        g = sum((i.gamma**k * i.rewards[t + k] for k in range(n)), i.gamma**n * along[t + n])
        total += (i.lam ** (n - 1)) * (1 if n == last else 1 - i.lam) * g
    return total


def token_mdp(i: Inputs) -> Outputs:
    """G_t = Σ_k γ^k R_{t+k+1} over rewards of which only the last is not 0."""
    count = len(i.tokens)
    rewards = [Fraction(0)] * (count - 1) + [i.reward]
    found: dict[str, Any] = {
        "returns": [
            sum((i.gamma**k * reward for k, reward in enumerate(rewards[t:])), Fraction(0))
            for t in range(count)
        ]
    }
    if i.vocabulary is not None:
        share = Fraction(1, i.vocabulary)
        found["log_probability"] = sum((reals.log(share) for _ in i.tokens), Fraction(0))
    return found
