"""SARSA from recorded steps: one step, n steps, or SARSA(λ).

    Q(S, A) ← Q(S, A) + α (R + γ Q(S', A') − Q(S, A)),   R alone when the episode ends

A' is the action that was taken next. With λ every pair is moved by its trace.

Source: Sutton and Barto, 2nd edition, equations 6.7 and 7.5, and section 12.7.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.experience import Step
from rlcalc.formulas import _learning_arrays as arrays
from rlcalc.formulas._learning import Ledger, check_learning, check_next_actions, grid, learn_pairs, world
from rlcalc.inputs.bind import Inputs
from rlcalc.steps.derivation import Derivation
from rlcalc.steps.terms import Term


def check(i: Any) -> None:
    """Match names; every action that is looked up must be known."""
    check_learning(i, ["q"], "actions")
    check_next_actions(i)


check_arrays = check


def exact_form(d: Derivation, i: Inputs) -> None:
    known = world(i, ["q"], "actions")
    table = Ledger(d, "Q", known.entries(), i.q)

    def following(step: Step) -> Term:
        return table[(str(step.after), step.then)]

    rows = learn_pairs(d, i, table, following)
    d.output("q_values", grid(table, known))
    rows.declare(d)


def array_form(
    xp: Backend,
    steps: Any,
    q: Any = None,
    alpha: Any = None,
    gamma: Any = 1,
    n: Any = 1,
    lam: Any = None,
    replacing: Any = None,
    actions: Any = None,
) -> dict[str, Any]:
    """One loop over the steps."""
    known = arrays.universe(steps, [q], actions)
    values = arrays.start(steps, known, q)

    def following(table: arrays.Values, step: Step) -> Any:
        return table[(str(step.after), step.then)]

    if lam is None:
        found = arrays.learn(xp, steps, values, alpha, gamma, n, following)
    else:
        found = arrays.learn_with_traces(xp, steps, values, alpha, gamma, lam, replacing, following)
    return {"q_values": arrays.grid(xp, values, known, steps.steps[0].reward), **found}
