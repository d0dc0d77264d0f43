"""Q-learning from recorded steps: one step, n steps, or Watkins's Q(λ).

    Q(S, A) ← Q(S, A) + α (R + γ max_a Q(S', a) − Q(S, A)),   R alone when the episode ends

With λ every pair is moved by its trace, and the traces are cut where the next action is not greedy.

Source: Watkins and Dayan (1992); Sutton and Barto, 2nd edition, equation 6.8, and 1st edition, section 7.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rlcalc.backends import Backend
from rlcalc.exact import compare
from rlcalc.experience import Step
from rlcalc.formulas import _learning_arrays as arrays
from rlcalc.formulas._learning import Ledger, action_values, check_learning, learned_pairs
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Term, apply


def check(i: Any) -> None:
    """Match names; see ``check_learning``."""
    check_learning(i, ["q"], "actions")


check_arrays = check


def exact_form(d: Derivation, i: Inputs) -> None:
    learned_pairs(d, i, _largest, _cut)


def _largest(table: Ledger, step: Step, actions: Sequence[str]) -> Term:
    return apply("max", *action_values(table, str(step.after), actions))


def _cut(table: Ledger, step: Step, actions: Sequence[str]) -> str:
    if step.after is None or not step.then:
        return ""
    taken = table[(step.after, step.then)].value
    best = max(compare(one.value, taken) or 0 for one in action_values(table, step.after, actions))
    return f"{step.then} is not greedy in {step.after}" if best > 0 else ""


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """One loop over the steps."""

    def largest(table: arrays.Values, step: Step, actions: Sequence[str]) -> Any:
        found = arrays.action_values(table, str(step.after), actions)
        return xp.at_largest(found, found)

    def cut(table: arrays.Values, step: Step, actions: Sequence[str]) -> Any:
        if step.after is None or not step.then:
            return None
        return largest(table, step, actions) > table[(step.after, step.then)]

    return arrays.learned_pairs(xp, a, largest, cut)
