"""What batch learning from a few episodes converges to: TD by the certainty-equivalent chain, or Monte Carlo.

    TD:  V(s) = r(s) + γ Σ_s' N(s, s')/N(s) V(s'),   r(s) the mean reward on leaving s
    MC:  V(s) = mean of the returns that followed s

Source: Sutton and Barto, 2nd edition, section 6.3 and example 6.4.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

from rlcalc.backends import Backend
from rlcalc.errors import InputError
from rlcalc.exact import rational
from rlcalc.exact.linear import solve
from rlcalc.experience import Experience
from rlcalc.formulas import _learning_arrays as arrays
from rlcalc.formulas._learning import check_learning, experience_of, visits, window
from rlcalc.formulas._words import word_name
from rlcalc.inputs import Arrays, Inputs
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, Term, term, total


def check(i: Any) -> None:
    """Match names; without discount every state must lead to an end.

    Raises:
        InputError: ``no_fixed_point``.
    """
    check_learning(i, [])
    experience = experience_of(i)
    if isinstance(i, Inputs):
        i.names["state"] = experience.left
    if i.method == "td" and float(i.gamma) == 1 and not _all_end(experience):
        raise InputError(
            "no_fixed_point",
            "With discount 1 some state never leads to an end in these steps: batch TD has no fixed point.",
            f"Give steps that reach 'end', or a {spelled('gamma')} below 1.",
        )


def _all_end(experience: Experience) -> bool:
    """Whether every state has a way out: to the end, or to a state of which nothing is known."""
    out = {step.state for step in experience.steps if step.after not in experience.left}
    while True:
        more = {step.state for step in experience.steps if step.after in out} - out
        if not more:
            return out == set(experience.left)
        out |= more


check_arrays = check


def moves(experience: Experience) -> dict[str, Counter[str]]:
    """N(s, s') for states that are left, to states that are left: elsewhere the value is 0."""
    found: dict[str, Counter[str]] = {state: Counter() for state in experience.left}
    for step in experience.steps:
        if step.after in found:
            found[step.state][str(step.after)] += 1
    return found


def exact_form(d: Derivation, i: Inputs) -> None:
    experience = experience_of(i)
    unknown = [state for state in experience.states if state not in experience.left]
    if unknown:
        d.note(
            f"{' '.join(unknown)} is never left: its value is taken to be 0, since nothing is known about it."
        )
    states = experience.left
    count = Counter(step.state for step in experience.steps)
    found = _by_chain(d, i, experience, count) if i.method == "td" else _by_returns(d, i, experience)
    d.output("state_values", [found[state] for state in states])
    d.output("visits", [term(count[state]) for state in states])


def _by_chain(d: Derivation, i: Inputs, experience: Experience, count: Counter[str]) -> dict[str, Term]:
    states, chain = experience.left, moves(experience)
    paid = {state: [s.reward for s in experience.steps if s.state == state] for state in states}
    means = {
        state: d.step(Name("r", arg=word_name(state)), total(term(r) for r in paid[state]) / count[state])
        for state in states
    }
    gamma = Fraction(i.gamma)
    rows = [
        {k: Fraction(s == t) - gamma * Fraction(chain[s][t], count[s]) for k, t in enumerate(states)}
        for s in states
    ]
    right = [rational(means[state].value) for state in states]
    if None in right:
        hint = f"Use {spelled('method')} mc."
        raise InputError("reward_not_rational", "Batch TD takes rational rewards.", hint)
    solved = solve(rows, [value for value in right if value is not None])
    assert solved is not None  # by _all_end
    known = {
        state: d.given(Name("V", arg=word_name(state)), value)
        for state, value in zip(states, solved, strict=True)
    }
    discount = d.given("γ", i.gamma)
    found: dict[str, Term] = {}
    for state in states:
        parts: list[Term] = [means[state]]
        parts += [
            discount * (term(Fraction(times, count[state])) * known[other])
            for other, times in chain[state].items()
        ]
        found[state] = d.step(Name("V", arg=word_name(state)), total(parts), "solves the system")
    return found


def _by_returns(d: Derivation, i: Inputs, experience: Experience) -> dict[str, Term]:
    returns: dict[str, list[Term]] = {state: [] for state in experience.left}
    for row, visit in enumerate(visits(experience, "every"), start=1):
        gain = window(d, experience.steps, visit.t, visit.end, i.gamma, None)
        returns[experience.steps[visit.t].state].append(d.step(Name("G", str(row)), gain))
    return {
        state: d.step(Name("V", arg=word_name(state)), total(found) / len(found), "mean of the returns")
        for state, found in returns.items()
    }


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """The linear system by a solver, in float64; or the means of the returns."""
    experience = experience_of(a)
    states, like = experience.left, experience.steps[0].reward
    count = Counter(step.state for step in experience.steps)
    gains = arrays.returns(
        experience, a.gamma if a.method == "mc" else a.gamma * 0
    )  # γ = 0: the reward alone
    sums = dict.fromkeys(states, like * 0)
    for step, gain in zip(experience.steps, gains, strict=True):
        sums[step.state] = sums[step.state] + gain
    means = arrays.vector(xp, [sums[state] / count[state] for state in states], like)
    if a.method == "td":
        chain = moves(experience)
        onward = xp.array([[chain[s][t] / count[s] for t in states] for s in states], xp.float64)
        onward = xp.placed(onward, means)
        wide = xp.cast(means, xp.float64)
        system = xp.placed(xp.eye(len(states), dtype=xp.float64), means)
        system = system - xp.cast(xp.asarray(a.gamma), xp.float64) * onward
        means = xp.cast(xp.linalg.solve(system, wide), like.dtype)
    seen = arrays.vector(xp, [like * 0 + count[state] for state in states], like)
    return {"state_values": means, "visits": seen}
