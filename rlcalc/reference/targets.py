"""Targets of action values, log-densities of continuous actions, and bandits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from rlcalc.inputs.bind import Inputs
from rlcalc.reference import reals

Outputs = Mapping[str, Any]
ZERO = Fraction(0)


def _each(value: Any, index: int) -> Any:
    return value[index] if isinstance(value, list) else value


def _ended(i: Inputs, t: int) -> bool:
    return bool(i.terminated and i.terminated[t])


def _targets(i: Inputs, following: Callable[[int], Fraction]) -> list[Fraction]:
    return [
        reward if _ended(i, t) else reward + _each(i.gamma, t) ** i.n * following(t)
        for t, reward in enumerate(i.rewards)
    ]


def _greedy(q: Sequence[Fraction], epsilon: Fraction) -> list[Fraction]:
    """Each action's share of a random choice, and of the choice among the best."""
    best = [value == max(q) for value in q]
    return [epsilon / len(q) + (1 - epsilon) * top / sum(best) for top in best]


def q_target(i: Inputs) -> Outputs:
    return {"target": _targets(i, lambda t: max(i.next_q[t]))}


def double_q_target(i: Inputs) -> Outputs:
    chosen = [row.index(max(row)) for row in i.next_q_online]
    found = _targets(i, lambda t: i.next_q_target[t][chosen[t]])
    return {"target": found, "next_actions": [Fraction(a) for a in chosen]}


def sarsa_target(i: Inputs) -> Outputs:
    return {"target": _targets(i, lambda t: i.next_q[t][i.next_actions[t]])}


def expected_sarsa_target(i: Inputs) -> Outputs:
    def following(t: int) -> Fraction:
        q = i.q_values[t]
        chances = _greedy(q, i.epsilon) if i.policy is None else i.policy[t]
        return sum((p * value for p, value in zip(chances, q, strict=True)), ZERO)

    return {"target": _targets(i, following)}


def sac_target(i: Inputs) -> Outputs:
    def following(t: int) -> Fraction:
        if i.policy is None:
            critics = [rows[t] for rows in (i.next_q1, i.next_q2) if rows is not None]
            sampled: Fraction = min(critics) - i.alpha * i.next_log_probs[t]
            return sampled
        found = ZERO
        for a, p in enumerate(i.policy[t]):
            critics = [rows[t][a] for rows in (i.q1_values, i.q2_values) if rows is not None]
            found += p * (min(critics) - i.alpha * reals.log(p)) if p else ZERO
        return found

    return {"target": _targets(i, following)}


def c51_projection(i: Inputs) -> Outputs:
    count = len(i.next_probs[0])
    low, high = (i.v_min, i.v_max) if i.atoms is None else (i.atoms[0], i.atoms[-1])
    width = (high - low) / (count - 1)
    atoms = [low + k * width for k in range(count)]
    rows = []
    for t, reward in enumerate(i.rewards):
        row = [ZERO] * count
        shrink = ZERO if _ended(i, t) else _each(i.gamma, t) ** i.n
        for p, atom in zip(i.next_probs[t], atoms, strict=True):
            place = (min(max(reward + shrink * atom, low), high) - low) / width
            below = math.floor(place)
            row[below] += p * (1 - (place - below))
            if place > below:
                row[below + 1] += p * (place - below)
        rows.append(row)
    means = [sum((m * z for m, z in zip(row, atoms, strict=True)), ZERO) for row in rows]
    return {"probs": rows, "mean": means}


def quantile_huber_loss(i: Inputs) -> Outputs:
    count, kappa = len(i.quantiles), i.kappa
    losses = []
    for k, estimate in enumerate(i.quantiles):
        tau = Fraction(2 * k + 1, 2 * count) if i.taus is None else i.taus[k]
        whole = ZERO
        for sample in i.targets:
            size = abs(sample - estimate)
            huber = size**2 / (2 * kappa) if size <= kappa and kappa else size - kappa / 2
            whole += abs(tau - (sample < estimate)) * huber
        losses.append(whole / len(i.targets))
    return {"loss": sum(losses, ZERO) / (count if i.reduction == "mean" else 1), "losses": losses}


# continuous actions


def _log_stds(i: Inputs) -> list[Fraction]:
    return list(i.log_std) if i.log_std is not None else [reals.log(std) for std in i.std]


def _log_densities(i: Inputs, points: Sequence[Fraction]) -> list[Fraction]:
    found = []
    for x, mean, log in zip(points, i.mean, _log_stds(i), strict=True):
        found.append(-((x - mean) ** 2) * reals.exp(-2 * log) / 2 - log - reals.half_log_two_pi())
    return found


def gaussian_log_prob(i: Inputs) -> Outputs:
    logs = _log_densities(i, i.x)
    return {"log_prob": sum(logs, ZERO), "log_probs": logs}


def gaussian_entropy(i: Inputs) -> Outputs:
    parts = [Fraction(1, 2) + reals.half_log_two_pi() + log for log in _log_stds(i)]
    return {"entropy": sum(parts, ZERO), "entropies": parts}


def squashed_gaussian_log_prob(i: Inputs) -> Outputs:
    logs, actions = [], []
    for k, (u, log) in enumerate(zip(i.u, _log_densities(i, i.u), strict=True)):
        half, middle = _each(i.scale, k), ZERO
        if i.low is not None:
            half, middle = (_each(i.high, k) - _each(i.low, k)) / 2, (_each(i.high, k) + _each(i.low, k)) / 2
        power = reals.exp(-2 * abs(u))
        # the slope of tanh is 4 e / (1 + e)², e = exp(−2|u|)
        logs.append(log - reals.log(half) - reals.log(4 * power / (1 + power) ** 2))
        size = (1 - power) / (1 + power)
        actions.append(middle + half * (size if u >= 0 else -size))
    return {"log_prob": sum(logs, ZERO), "log_probs": logs, "action": actions}


# bandits


def epsilon_greedy(i: Inputs) -> Outputs:
    chances = _greedy(i.q, i.epsilon)
    return {"policy": chances, "value": sum((p * q for p, q in zip(chances, i.q, strict=True)), ZERO)}


def ucb(i: Inputs) -> Outputs:
    time = sum(i.counts) if i.t is None else i.t
    scores: list[Any] = [
        q + i.c * reals.sqrt(reals.log(Fraction(time)) / n) if n else math.inf
        for q, n in zip(i.q, i.counts, strict=True)
    ]
    return {"scores": scores, "action": Fraction(scores.index(max(scores)))}


def gradient_bandit(i: Inputs) -> Outputs:
    held, baselines = list(i.preferences), []
    for k, (action, reward) in enumerate(zip(i.actions, i.rewards, strict=True)):
        seen = i.rewards[: k + 1] if i.baseline == "with" or not k else i.rewards[:k]
        baseline = sum(seen, ZERO) / len(seen) if isinstance(i.baseline, str) else i.baseline
        baselines.append(baseline)
        policy = reals.softmax(held)
        for b, chance in enumerate(policy):
            held[b] = reals.short(held[b] + i.alpha * (reward - baseline) * ((b == action) - chance))
    return {"preferences": held, "policy": reals.softmax(held), "baselines": baselines}
