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
from rlcalc.formulas._learning import check_learning, check_next_actions, learned_pairs
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation


def check(i: Any) -> None:
    """Match names; every action that is looked up must be known."""
    check_learning(i, ["q"], "actions")
    check_next_actions(i)


check_arrays = check


def following(table: Any, step: Step, actions: Any) -> Any:
    """Q(S', A'), as a term or a number."""
    return table[(str(step.after), step.then)]


def exact_form(d: Derivation, i: Inputs) -> None:
    learned_pairs(d, i, following)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """One loop over the steps."""
    return arrays.learned_pairs(xp, a, following)
