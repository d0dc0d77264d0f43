"""Formulas on a finite decision process, by enumeration and elimination over Fractions.

None of these runs the algorithm of an implementation: the optimal values are
the best over all deterministic policies, where others iterate; the gradient
is the derivative of the recursion over steps to go, where others enumerate
trajectories or weight states by how often they are visited.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Any

from rlcalc.inputs.bind import Inputs
from rlcalc.mdp.model import MDP
from rlcalc.reference import reals

Outputs = Mapping[str, Any]
Table = list[list[Fraction]]


def bellman(i: Inputs) -> Outputs:
    """V* as the largest value that any deterministic policy has, state by state.

    Without discount a policy that never ends has no value; the formula takes
    such a process only where every policy of this kind loses by it.
    """
    found = [values for policy in _deterministic(i.mdp) if (values := _values(i.mdp, policy, i.gamma))]
    if not found:
        return {}
    best = [max(column) for column in zip(*found, strict=True)]
    return {"values": best, "q_values": _q_values(i.mdp, best, i.gamma)}


def policy_eval(i: Inputs) -> Outputs:
    mdp = i.mdp
    values = _values(mdp, _policy(i), i.gamma)
    # no unique solution: the formula refuses it
    return {} if values is None else {"values": values, "q_values": _q_values(mdp, values, i.gamma)}


def policy_iteration(i: Inputs) -> Outputs:
    """Whatever the first policy is, the last one is optimal."""
    return bellman(i)


def value_iteration(i: Inputs) -> Outputs:
    """V_k(s) calls V_{k−1}, or in place the V_k of the states that come before it in a sweep."""
    mdp, sweeps = i.mdp, int(i.sweeps)
    order = [mdp.states.index(word) for word in i.order] if i.order else list(mdp.non_terminal)

    @cache
    def value(k: int, s: int) -> Fraction:
        if mdp.terminal[s]:
            return Fraction(0)
        if k == 0:
            return Fraction(0 if i.values is None else i.values[s])
        return max(worth(k, s, a) for a in mdp.available(s))

    def worth(k: int, s: int, a: int) -> Fraction:
        earlier = order[: order.index(s)] if i.in_place else []
        later = (p * value(k - (t not in earlier), t) for t, p in enumerate(mdp.p[s][a]) if p)
        found: Fraction = mdp.r[s][a] + i.gamma * sum(later, Fraction(0))
        return found

    states = range(len(mdp.states))
    return {
        "values": [value(sweeps, s) for s in states],
        "q_values": [
            [
                Fraction(0)
                if mdp.terminal[s]
                else worth(sweeps, s, a)
                if a in mdp.available(s)
                else -math.inf
                for a in range(len(mdp.actions))
            ]
            for s in states
        ],
    }


def average_reward(i: Inputs) -> Outputs:
    """ρ = μ·R_π with the stationary distribution μ; then h = R_π − ρ + P·h with h(first) = 0."""
    mdp = i.mdp
    policy = _policy(i)
    size = range(len(mdp.states))
    paid = [sum(map(_times, policy[s], mdp.r[s]), Fraction(0)) for s in size]
    onward = [
        [sum((policy[s][a] * mdp.p[s][a][t] for a in range(len(mdp.actions))), Fraction(0)) for t in size]
        for s in size
    ]
    # μ = μ P with the last equation replaced by Σ μ = 1
    balance = [[Fraction(s == t) - onward[t][s] for t in size] + [Fraction(0)] for s in size[:-1]]
    stationary = eliminated([*balance, [Fraction(1)] * (len(size) + 1)])
    if stationary is None:
        return {}
    rate = sum(map(_times, stationary, paid), Fraction(0))
    recurrent = next(s for s in size if stationary[s])  # its equation follows from the others
    lines = [
        [Fraction(s == t) - onward[s][t] for t in size] + [paid[s] - rate] for s in size if s != recurrent
    ]
    values = eliminated([[Fraction(t == 0) for t in size] + [Fraction(0)], *lines])
    return {"rate": rate, "values": values}


def backup(i: Inputs) -> Outputs:
    gains = [
        (i.rewards[k] if isinstance(i.rewards, list) else i.rewards) + i.gamma * value
        for k, value in enumerate(i.next_values)
    ]
    rows = i.probs
    if rows is None:
        count = len(gains)
        alone = [[Fraction(k == j) for j in range(count)] for k in range(count)]
        rows = alone if i.max else [[Fraction(1, count)] * count]
    q_values = [sum(map(_times, row, gains), Fraction(0)) for row in rows]
    return {"value": max(q_values), "q_values": q_values}


def policy_gradient(i: Inputs) -> Outputs:
    """Derivatives of V_h(s) = Σ_a π(a|s) [R(s,a) + γ Σ_{s'} P(s'|s,a) V_{h−1}(s')], V_0 = 0.

    By the product rule ∇V_h(s) = Σ_a π(a|s) [∇log π(a|s) Q_h(s,a) + γ Σ_{s'} P ∇V_{h−1}(s')].
    The form without γ^t is the same with 1 for the γ in front of the later derivative.
    """
    mdp = i.mdp
    # without a horizon episodes have a longest length, below the number of states
    steps = len(mdp.states) if i.horizon == math.inf else int(i.horizon)
    policies = [reals.softmax(row) for row in i.theta]
    rows = _rows(mdp, len(policies))
    found = {
        carry: _derivative(mdp, policies, rows, i.gamma, carry, steps) for carry in {i.gamma, Fraction(1)}
    }
    gradient, loose = found[i.gamma][1], found[Fraction(1)][1]
    pairs = [list(zip(a, b, strict=True)) for a, b in zip(gradient, loose, strict=True)]
    return {
        "gradient": loose if i.form == "no-gamma-t" else gradient,
        "objective": found[i.gamma][0],
        "difference": [[b - a for a, b in row] for row in pairs],
    }


def _derivative(
    mdp: MDP, policies: Table, rows: Sequence[int], gamma: Fraction, carry: Fraction, steps: int
) -> tuple[Fraction, Table]:
    """J, and its derivative where what comes one step later counts ``carry`` times."""
    zero = [[Fraction(0)] * len(mdp.actions) for _ in policies]
    values = [Fraction(0)] * len(mdp.states)
    slopes = [zero] * len(mdp.states)
    for _ in range(steps):
        ahead = _q_values(mdp, values, gamma)
        new = [zero] * len(mdp.states)
        for s in mdp.non_terminal:
            policy = policies[rows[s]]
            table = [list(row) for row in zero]
            for a, chance in enumerate(policy):
                for b, other in enumerate(policy):
                    table[rows[s]][b] += chance * ((a == b) - other) * ahead[s][a]
                for t, moves in enumerate(mdp.p[s][a]):
                    if moves and not mdp.terminal[t]:
                        _add(table, slopes[t], chance * moves * carry)
            new[s] = table
        values = [
            Fraction(0) if over else sum(map(_times, policies[rows[s]], ahead[s]), Fraction(0))
            for s, over in enumerate(mdp.terminal)
        ]
        slopes = new
    total = [list(row) for row in zero]
    for s, chance in enumerate(mdp.start):
        _add(total, slopes[s], chance)
    return sum(map(_times, mdp.start, values), Fraction(0)), total


def _times(x: Fraction, y: Fraction) -> Fraction:
    return x * y


def _add(table: Table, other: Table, factor: Fraction) -> None:
    for row, more in zip(table, other, strict=True):
        for k, x in enumerate(more):
            row[k] += factor * x


def _deterministic(mdp: MDP) -> Iterator[Table]:
    """All policies that take one action in each state."""
    actions = range(len(mdp.actions))
    for chosen in product(actions, repeat=len(mdp.non_terminal)):
        taken = dict(zip(mdp.non_terminal, chosen, strict=True))
        yield [[Fraction(a == taken.get(s, 0)) for a in actions] for s in range(len(mdp.states))]


def _policy(i: Inputs) -> Table:
    """Probabilities [S][A]."""
    mdp = i.mdp
    if i.policy == "uniform":
        return [[Fraction(1, len(mdp.actions))] * len(mdp.actions)] * len(mdp.states)
    return [i.policy[row] for row in _rows(mdp, len(i.policy))]


def _rows(mdp: MDP, count: int) -> list[int]:
    """Which row of a table is that of a state: its own, one of the live states' or the only one."""
    if count == len(mdp.states):
        return list(range(count))
    live = list(mdp.non_terminal)
    return [live.index(s) if count == len(live) and s in live else 0 for s in range(len(mdp.states))]


def _q_values(mdp: MDP, values: Sequence[Fraction], gamma: Fraction) -> Table:
    return [
        [
            Fraction(0)
            if mdp.terminal[s]
            else reward + gamma * sum(map(_times, chances, values), Fraction(0))
            for chances, reward in zip(mdp.p[s], mdp.r[s], strict=True)
        ]
        for s in range(len(mdp.states))
    ]


def _values(mdp: MDP, policy: Table, gamma: Fraction) -> list[Fraction] | None:
    """V of a policy [S][A] by Gauss–Jordan elimination; ``None`` when there is not exactly one."""
    size = len(mdp.states)
    lines = []
    for s in range(size):
        line = [Fraction(s == t) for t in range(size)] + [Fraction(0)]
        for a, weight in enumerate(policy[s]):
            if mdp.terminal[s] or not weight:
                continue
            line[size] += weight * mdp.r[s][a]
            for t, chance in enumerate(mdp.p[s][a]):
                line[t] -= gamma * weight * chance
        lines.append(line)
    return eliminated(lines)


def eliminated(lines: Table) -> list[Fraction] | None:
    """The solution of lines that end in their right-hand side; ``None`` when there is not exactly one."""
    size = len(lines)
    for k in range(size):
        pivot = next((row for row in range(k, size) if lines[row][k]), None)
        if pivot is None:
            return None
        lines[k], lines[pivot] = lines[pivot], lines[k]
        head = lines[k] = [x / lines[k][k] for x in lines[k]]
        for row in range(size):
            factor = lines[row][k]
            if row != k and factor:
                lines[row] = [x - factor * y for x, y in zip(lines[row], head, strict=True)]
    return [line[size] for line in lines]
