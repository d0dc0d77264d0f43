"""Losses, policies and other formulas of single samples and short vectors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from rlcalc.inputs.bind import Inputs
from rlcalc.reference import reals

Outputs = Mapping[str, Any]


def lambda_weights(i: Inputs) -> Outputs:
    if i.steps == math.inf:
        return {}
    lam, count = i.lam, i.steps
    weights = [(1 - lam) * lam ** (n - 1) for n in range(1, count)] + [lam ** (count - 1)]
    return {"weights": weights, "sum": sum(weights)}


def td_update(i: Inputs) -> Outputs:
    target = i.reward + i.gamma * i.next_value if i.target is None else i.target
    error = target - i.value
    return {"value": i.value + i.alpha * error, "error": error}


def mc_update(i: Inputs) -> Outputs:
    value, values = i.value, []
    for k, g in enumerate(i.returns, 1):
        value += (Fraction(1, k) if isinstance(i.alpha, str) else i.alpha) * (g - value)
        values.append(value)
    return {"value": value, "values": values}


def advantage(i: Inputs) -> Outputs:
    if i.return_ is not None:
        return {"advantage": i.return_ - i.value}
    return {"advantage": i.reward + i.gamma * i.next_value - i.value}


def critic_loss(i: Inputs) -> Outputs:
    count = len(i.returns)
    values = i.values
    values = values if isinstance(values, list) else [values] * count
    total = sum(((v - g) ** 2 for v, g in zip(values, i.returns, strict=True)), start=Fraction(0))
    share = {"sum": Fraction(1), "mean": Fraction(1, count), "half-mean": Fraction(1, 2 * count)}
    return {"loss": share[i.reduction] * total}


def actor_loss(i: Inputs) -> Outputs:
    logs = [reals.log(p) for p in i.probs] if i.probs is not None else i.log_probs
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
    return {"ratio": i.new / i.old if i.new is not None else reals.exp(i.new_log - i.old_log)}


def softmax(i: Inputs) -> Outputs:
    return {"policy": reals.softmax([x / (i.temperature or 1) for x in i.theta])}


def score(i: Inputs) -> Outputs:
    policy = reals.softmax(i.theta)
    return {"score": [(k == i.action) - p for k, p in enumerate(policy)]}


def reinforce_step(i: Inputs) -> Outputs:
    step = i.alpha * (i.return_ - i.baseline)
    return {"theta": [x + step * s for x, s in zip(i.theta, score(i)["score"], strict=True)]}


def entropy(i: Inputs) -> Outputs:
    nats = -sum((p * reals.log(p) for p in i.p if p), start=Fraction(0))
    return {"entropy": nats if isinstance(i.base, str) else nats / reals.log(i.base)}


def kl(i: Inputs) -> Outputs:
    pairs = [(p, q) for p, q in zip(i.p, i.q, strict=True) if p]
    if any(not q for _, q in pairs):
        return {"divergence": math.inf}
    return {"divergence": sum((p * reals.log(p / q) for p, q in pairs), start=Fraction(0))}


def grpo_advantage(i: Inputs) -> Outputs:
    count = len(i.rewards)
    mean = sum(i.rewards, start=Fraction(0)) / count
    apart = [r - mean for r in i.rewards]
    variance = sum((x * x for x in apart), start=Fraction(0)) / (count - i.ddof)
    if not variance:
        return {"advantages": apart}
    scale = reals.sqrt(variance) + i.eps
    return {"advantages": [x / scale for x in apart]}


def importance(i: Inputs) -> Outputs:
    return {"expectation": sum((p * f for p, f in zip(i.p, i.f, strict=True)), start=Fraction(0))}


def ppo_count(i: Inputs) -> Outputs:
    return {"collections": Fraction(i.iterations)}
