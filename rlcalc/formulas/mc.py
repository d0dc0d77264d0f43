"""Monte Carlo estimates of state values from whole episodes, first visit or every visit.

    V(s) = mean of the returns that follow the visits of s,   G_t = R_{t+1} + γ R_{t+2} + …

or, with a step size, V ← V + α (G − V) after every visit that counts.

Source: Sutton and Barto, 2nd edition, sections 5.1 and 6.1.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas import _learning_arrays as arrays
from rlcalc.formulas._learning import Ledger, Rates, check_learning, experience_of, visits, window
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Symbol, Term, term, total


def check(i: Any) -> None:
    """Match names, and say which visits the rows are."""
    check_learning(i, ["values"])
    if isinstance(i, Inputs):
        experience = experience_of(i)
        i.names["state"] = experience.left
        counted = visits(experience, i.visit)
        i.names["visit"] = tuple(
            f"{k}  episode {visit.episode}, step {visit.step}: {experience.steps[visit.t].state}"
            for k, visit in enumerate(counted, start=1)
        )


check_arrays = check


def exact_form(d: Derivation, i: Inputs) -> None:
    experience = experience_of(i)
    steps, keys = experience.steps, [(state,) for state in experience.left]
    if any(steps[episode[-1]].after is not None for episode in experience.episodes()):
        d.note("An episode that breaks off counts with the rewards so far: its last state gives nothing.")
    table, rates = Ledger(d, "V", keys, i.given["values"]), Rates(d, i.alpha)
    returns: dict[str, list[Symbol]] = {state: [] for state in experience.left}
    rows: list[Term] = []
    new: list[Term] = []
    for row, visit in enumerate(visits(experience, i.visit), start=1):
        d.row = row
        state = steps[visit.t].state
        found = d.step(Name("G", str(row)), window(d, steps, visit.t, visit.end, i.gamma, None))
        returns[state].append(found)
        rows.append(found)
        if i.alpha is not None:
            old, alpha = table[(state,)], rates.at((state,))
            new.append(table.set((state,), row, old + alpha * (found - old)))
    d.row = 0
    if i.alpha is None:
        for state, found_here in returns.items():
            table.set((state,), 1, total(found_here) / len(found_here), "mean of the returns")
    d.output("state_values", [table[key] for key in keys])
    d.output("visits", [term(len(found_here)) for found_here in returns.values()])
    d.output("returns", rows)
    if new:
        d.output("new_value", new)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Returns backwards through each episode; then means, or one update a visit."""
    experience = experience_of(a)
    like = experience.steps[0].reward
    backwards = arrays.returns(experience, a.gamma)
    counted = visits(experience, a.visit)
    found = [backwards[place.t] for place in counted]
    zero = like * 0
    now = {state: zero if a.values is None else a.values.get((state,)) for state in experience.left}
    rates = arrays.Rates("1/k" if a.alpha is None else a.alpha, zero + 1)
    count = dict.fromkeys(experience.left, 0)
    new = []
    for place, gain in zip(counted, found, strict=True):
        state = experience.steps[place.t].state
        count[state] += 1
        now[state] = now[state] + rates.at((state,)) * (gain - now[state])
        new.append(now[state])
    outputs = {
        "state_values": arrays.vector(xp, list(now.values()), like),
        "visits": arrays.vector(xp, [zero + number for number in count.values()], like),
        "returns": arrays.vector(xp, found, like),
    }
    return outputs if a.alpha is None else {**outputs, "new_value": arrays.vector(xp, new, like)}
