"""Q-learning from recorded steps: one step, n steps, or Watkins's Q(λ).

    Q(S, A) ← Q(S, A) + α (R + γ max_a Q(S', a) − Q(S, A)),   R alone when the episode ends

With λ every pair is moved by its trace, and the traces are cut where the next action is not greedy.

Source: Watkins and Dayan (1992); Sutton and Barto, 2nd edition, equation 6.8, and 1st edition, section 7.6.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.exact import compare
from rlcalc.experience import Step
from rlcalc.formulas import _learning_arrays as arrays
from rlcalc.formulas._learning import Ledger, action_values, check_learning, grid, learn_pairs, world
from rlcalc.inputs.bind import Inputs
from rlcalc.steps.derivation import Derivation
from rlcalc.steps.terms import Term, apply


def check(i: Any) -> None:
    """Match names; see ``check_learning``."""
    check_learning(i, ["q"], "actions")


check_arrays = check


def exact_form(d: Derivation, i: Inputs) -> None:
    known = world(i, ["q"], "actions")
    table = Ledger(d, "Q", known.entries(), i.q)

    def following(step: Step) -> Term:
        return apply("max", *action_values(table, str(step.after), known.actions))

    def cut(step: Step) -> str:
        if step.after is None or not step.then:
            return ""
        best = max(compare(value.value, table[(step.after, step.then)].value) or 0
                   for value in action_values(table, step.after, known.actions))  # fmt: skip
        return f"{step.then} is not greedy in {step.after}" if best > 0 else ""

    rows = learn_pairs(d, i, table, following, cut)
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
        found = arrays.action_values(table, str(step.after), known.actions)
        return xp.at_largest(found, found)

    def cut(table: arrays.Values, step: Step) -> Any:
        if step.after is None or not step.then:
            return None
        return following(table, step) > table[(step.after, step.then)]

    if lam is None:
        found = arrays.learn(xp, steps, values, alpha, gamma, n, following)
    else:
        found = arrays.learn_with_traces(xp, steps, values, alpha, gamma, lam, replacing, following, cut)
    return {"q_values": arrays.grid(xp, values, known, steps.steps[0].reward), **found}
