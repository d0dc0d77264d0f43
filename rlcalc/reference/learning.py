"""Learning from recorded steps: each value by its definition, from the record up to it.

Nothing is updated here. The value of an entry after t steps is a function of the steps before, and calls
itself for what those found; a trace is the sum over visits that its decay stands for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache
from typing import Any

from rlcalc.experience import Experience, Step, universe
from rlcalc.experience.model import Key
from rlcalc.formulas.bandit import arms_of
from rlcalc.inputs.bind import Inputs

Outputs = Mapping[str, Any]
ZERO, ONE = Fraction(0), Fraction(1)
Value = Callable[[int, Key], Fraction]  # after so many steps, of an entry
Following = Callable[[int, Step], Fraction]  # what a step leads to, after so many steps


def _experience(i: Inputs) -> Experience:
    found: Experience = i.given.get("steps") or i.given["episodes"]
    return found


def _size(alpha: Any, visits: int) -> Fraction:
    return Fraction(1, visits) if alpha == "1/k" else alpha


def _episode_end(steps: tuple[Step, ...], t: int) -> int:
    return next((k for k in range(t, len(steps)) if steps[k].last), len(steps) - 1)


def _return(steps: tuple[Step, ...], t: int, end: int, gamma: Fraction) -> Fraction:
    return sum((gamma ** (k - t) * steps[k].reward for k in range(t, end + 1)), ZERO)


def _learned(i: Inputs, table: str, follow: Callable[[Value], Following], watkins: bool = False) -> Outputs:
    """Targets, errors and values of every step.

    Args:
        table: name of the input with the initial values.
        follow: from the values at all times, what follows a step.
        watkins: traces end before a step whose action is not greedy.
    """
    steps, first, lam = _experience(i).steps, i.given[table], i.given.get("lam")
    actions = i.given.get("actions")
    known = universe(_experience(i), [first], actions)
    reach = 1 if lam is not None else i.n

    @cache
    def value(t: int, key: Key) -> Fraction:
        if t == 0:
            return Fraction(0 if first is None else first.get(key))
        return value(t - 1, key) + rate(t - 1) * credit(t - 1, key) * error(t - 1)

    following = follow(value)

    @cache
    def target(t: int) -> Fraction:
        end = int(min(t + reach - 1, _episode_end(steps, t)))
        found = _return(steps, t, end, i.gamma)
        return (
            found if steps[end].after is None else found + i.gamma ** (end + 1 - t) * following(t, steps[end])
        )

    @cache
    def error(t: int) -> Fraction:
        return target(t) - value(t, steps[t].key)

    def rate(t: int) -> Fraction:
        return _size(i.alpha, sum(step.key == steps[t].key for step in steps[: t + 1]))

    @cache
    def cut(t: int) -> bool:
        step = steps[t]
        if step.last or not watkins or step.after is None or not step.then:
            return step.last
        return value(t, (step.after, step.then)) < max(value(t, (step.after, a)) for a in known.actions)

    @cache
    def credit(t: int, key: Key) -> Fraction:
        if lam is None:
            return Fraction(steps[t].key == key)
        visits = [k for k in range(t + 1) if steps[k].key == key and not any(cut(j) for j in range(k, t))]
        return sum(((i.gamma * lam) ** (t - k) for k in (visits[-1:] if i.replacing else visits)), ZERO)

    count, keys = len(steps), known.entries()
    for t in range(count):  # in order, so that no value has to call all that lie before it
        for key in keys:
            value(t, key)
    found: dict[str, Any] = {
        "target": [target(t) for t in range(count)],
        "error": [error(t) for t in range(count)],
        "new_value": [value(t + 1, steps[t].key) for t in range(count)],
    }
    if lam is not None:
        found["traces"] = [[credit(t, key) for key in keys] for t in range(count)]
        found["history"] = [[value(t + 1, key) for key in keys] for t in range(count)]
    if table == "values":
        return {"state_values": [value(count, key) for key in keys], **found}
    return {"q_values": [[value(count, (s, a)) for a in known.actions] for s in known.states], **found}


def td(i: Inputs) -> Outputs:
    return _learned(i, "values", lambda value: lambda t, step: value(t, (str(step.after),)))


def sarsa(i: Inputs) -> Outputs:
    return _learned(i, "q", lambda value: lambda t, step: value(t, (str(step.after), step.then)))


def _rows(i: Inputs, value: Value) -> Callable[[int, Step], list[Fraction]]:
    actions = universe(i.steps, [i.q], i.actions).actions
    return lambda t, step: [value(t, (str(step.after), a)) for a in actions]


def q_learning(i: Inputs) -> Outputs:
    def follow(value: Value) -> Following:
        row = _rows(i, value)
        return lambda t, step: max(row(t, step))

    return _learned(i, "q", follow, watkins=True)


def expected_sarsa(i: Inputs) -> Outputs:
    def follow(value: Value) -> Following:
        row = _rows(i, value)

        def expected(t: int, step: Step) -> Fraction:
            q = row(t, step)
            best = [worth == max(q) for worth in q]
            chances = [i.epsilon / len(q) + (1 - i.epsilon) * top / sum(best) for top in best]
            return sum((p * worth for p, worth in zip(chances, q, strict=True)), ZERO)

        return expected

    return _learned(i, "q", follow)


def double_q(i: Inputs) -> Outputs:
    steps, firsts = i.steps.steps, {1: i.q1, 2: i.q2}
    known = universe(i.steps, list(firsts.values()), i.actions)
    update = [int(word) for word in i.update or ["1"]]
    moved = update * (len(steps) if len(update) == 1 else 1)

    @cache
    def value(t: int, table: int, key: Key) -> Fraction:
        if t == 0:
            return Fraction(0 if firsts[table] is None else firsts[table].get(key))
        before = value(t - 1, table, key)
        if moved[t - 1] != table or steps[t - 1].key != key:
            return before
        visits = sum(m == table and step.key == key for m, step in zip(moved[:t], steps, strict=False))
        return before + _size(i.alpha, visits) * (target(t - 1) - before)

    @cache
    def target(t: int) -> Fraction:
        state = steps[t].after
        if state is None:
            return Fraction(steps[t].reward)
        own = [value(t, moved[t], (state, a)) for a in known.actions]
        best = known.actions[own.index(max(own))]
        found: Fraction = steps[t].reward + i.gamma * value(t, 3 - moved[t], (state, best))
        return found

    count = len(steps)
    tables = {
        f"q{k}_values": [[value(count, k, (s, a)) for a in known.actions] for s in known.states]
        for k in firsts
    }
    return {
        **tables,
        "target": [target(t) for t in range(count)],
        "error": [target(t) - value(t, moved[t], steps[t].key) for t in range(count)],
        "new_value": [value(t + 1, moved[t], steps[t].key) for t in range(count)],
    }


def _mean(values: list[Fraction]) -> Fraction:
    return sum(values, ZERO) / len(values)


def _moved(first: Fraction, gains: list[Fraction], alpha: Any) -> Fraction:
    """(1−α_1)…(1−α_k) V_0 + Σ_j α_j (1−α_{j+1})…(1−α_k) G_j."""
    found, left = ZERO, ONE
    for k in range(len(gains), 0, -1):
        found, left = found + left * _size(alpha, k) * gains[k - 1], left * (1 - _size(alpha, k))
    return found + left * first


def mc(i: Inputs) -> Outputs:
    seen = _experience(i)
    steps, states = seen.steps, seen.left
    counted = [
        (steps[t].state, _return(steps, t, episode[-1], i.gamma))
        for episode in seen.episodes()
        for k, t in enumerate(episode)
        if i.visit == "every" or steps[t].state not in [steps[before].state for before in episode[:k]]
    ]
    first = {s: ZERO if i.given["values"] is None else i.given["values"].get((s,)) for s in states}

    def estimate(state: str, until: int) -> Fraction:
        gains = [gain for other, gain in counted[:until] if other == state]
        return _mean(gains) if i.alpha is None else _moved(first[state], gains, i.alpha)

    found = {
        "state_values": [estimate(s, len(counted)) for s in states],
        "visits": [Fraction(sum(other == s for other, _ in counted)) for s in states],
        "returns": [gain for _, gain in counted],
    }
    if i.alpha is not None:
        found["new_value"] = [estimate(s, k + 1) for k, (s, _) in enumerate(counted)]
    return found


def batch(i: Inputs) -> Outputs:
    """TD's fixed point as the value of the chain of counted moves; Monte Carlo's as the mean return."""
    from rlcalc.reference.tables import eliminated

    seen = _experience(i)
    steps, states = seen.steps, seen.left
    visits = Counter(step.state for step in steps)
    if i.method == "mc":
        ends = [_return(steps, t, _episode_end(steps, t), i.gamma) for t in range(len(steps))]
        paired = [(step.state, gain) for step, gain in zip(steps, ends, strict=True)]
        values: Any = [_mean([gain for other, gain in paired if other == s]) for s in states]
    else:
        moves = Counter((step.state, step.after) for step in steps)
        lines = [
            [(s == t) - i.gamma * Fraction(moves[s, t], visits[s]) for t in states]
            + [_mean([step.reward for step in steps if step.state == s])]
            for s in states
        ]
        values = eliminated(lines)
    return {"state_values": values, "visits": [Fraction(visits[s]) for s in states]}


def bandit(i: Inputs) -> Outputs:
    arms, pulled = arms_of(i.actions, i.arms), [str(action) for action in i.actions]

    def estimate(arm: str, until: int) -> Fraction:
        rewards = [r for a, r in zip(pulled[:until], i.rewards, strict=False) if a == arm]
        return _moved(i.initial, rewards, i.alpha)

    count = len(pulled)
    return {
        "estimates": [estimate(arm, count) for arm in arms],
        "pulls": [Fraction(pulled.count(arm)) for arm in arms],
        "new_value": [estimate(arm, t + 1) for t, arm in enumerate(pulled)],
        "history": [[estimate(arm, t + 1) for arm in arms] for t in range(count)],
    }
