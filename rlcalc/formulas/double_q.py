"""Double Q-learning from recorded steps.

    Q1(S, A) ← Q1(S, A) + α (R + γ Q2(S', A*) − Q1(S, A)),   A* = argmax_a Q1(S', a)

and with the tables exchanged at the steps that update Q2; R alone when the episode ends.

Source: van Hasselt (2010); Sutton and Barto, 2nd edition, equation 6.10.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.errors import InputError, many, shown
from rlcalc.experience import Step
from rlcalc.formulas import _learning_arrays as arrays
from rlcalc.formulas._greedy import largest
from rlcalc.formulas._learning import (
    Ledger,
    Rates,
    Rows,
    action_values,
    check_learning,
    grid,
    window,
    world,
)
from rlcalc.inputs import Arrays, Inputs
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, Term


def check(i: Any) -> None:
    """Match names, and one table to update for every step.

    Raises:
        InputError: ``update_wrong_length``, ``update_unknown``.
    """
    check_learning(i, ["q1", "q2"], "actions")
    for word in i.update or ():
        if str(word) not in ("1", "2"):
            raise InputError("update_unknown", f"{spelled('update')} names table 1 or 2, not {shown(word)}.")
    if i.update is not None and len(i.update) not in (1, len(i.steps)):
        raise InputError(
            "update_wrong_length",
            f"{spelled('update')} has {many(len(i.update), 'entry', 'entries')}, expected {len(i.steps)}, "
            "one for every step, or one for all.",
        )


check_arrays = check


def _updated(update: Any, t: int) -> int:
    """The table that step t moves: 1 or 2."""
    if update is None:
        return 1
    return int(update[t if len(update) > 1 else 0])


def exact_form(d: Derivation, i: Inputs) -> None:
    known = world(i, ["q1", "q2"], "actions")
    tables = {number: Ledger(d, f"Q{number}", known.entries(), i.given[f"q{number}"]) for number in (1, 2)}
    rates = {number: Rates(d, i.alpha) for number in (1, 2)}
    rows = Rows()
    for t, step in enumerate(i.steps.steps):
        d.row = t + 1
        moved = _updated(i.update, t)
        table, other = tables[moved], tables[3 - moved]

        def following(step: Step, table: Ledger = table, other: Ledger = other) -> Term:
            values = action_values(table, str(step.after), known.actions)
            best = known.actions[largest([value.value for value in values], f"q{table.letter[1]}")[0]]
            d.note(f"Of several largest values the first in the order {' '.join(known.actions)} is chosen.")
            return other[(str(step.after), best)]

        target = d.step(Name("target", str(t + 1)), window(d, i.steps.steps, t, t, i.gamma, following))
        old, alpha = table[step.key], rates[moved].at(step.key)
        error = d.step(Name("δ", str(t + 1)), target - old)
        rows.add(target, error, table.set(step.key, t + 1, old + alpha * error, f"table {moved} is updated"))
    d.row = 0
    d.output("q1_values", grid(tables[1], known))
    d.output("q2_values", grid(tables[2], known))
    rows.declare(d)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """One loop over the steps, each of which moves one of two tables."""
    known = arrays.universe(a.steps, [a.q1, a.q2], a.actions)
    tables = {1: arrays.start(a.steps, known, a.q1), 2: arrays.start(a.steps, known, a.q2)}
    like = a.steps.steps[0].reward
    rates = {number: arrays.Rates(a.alpha, like * 0 + 1) for number in (1, 2)}
    rows = arrays.Rows(like)
    for t, step in enumerate(a.steps.steps):
        moved = _updated(a.update, t)
        table, other = tables[moved], tables[3 - moved]
        target = step.reward
        if step.after is not None:
            values = arrays.action_values(table, step.after, known.actions)
            theirs = arrays.action_values(other, step.after, known.actions)
            target = target + a.gamma * xp.at_largest(values, theirs)
        error = target - table[step.key]
        table[step.key] = table[step.key] + rates[moved].at(step.key) * error
        rows.add(target, error, table[step.key])
    return {
        "q1_values": arrays.grid(xp, tables[1], known, like),
        "q2_values": arrays.grid(xp, tables[2], known, like),
        **rows.outputs(xp),
    }
