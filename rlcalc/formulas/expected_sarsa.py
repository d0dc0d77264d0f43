"""Expected SARSA from recorded steps, under an ε-greedy policy.

    Q(S, A) ← Q(S, A) + α (R + γ Σ_a π(a|S') Q(S', a) − Q(S, A)),   R alone when the episode ends

π gives every action ε/A and shares 1 − ε among those of the largest value.

Source: Sutton and Barto, 2nd edition, equation 6.9.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rlcalc.backends import Backend
from rlcalc.experience import Step
from rlcalc.formulas import _learning_arrays as arrays
from rlcalc.formulas._greedy import chances, largest
from rlcalc.formulas._learning import Ledger, action_values, check_learning, learned_pairs
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Term, total


def check(i: Any) -> None:
    """Match names; see ``check_learning``."""
    check_learning(i, ["q"], "actions")


check_arrays = check


def exact_form(d: Derivation, i: Inputs) -> None:
    epsilon = d.given("ε", i.epsilon)

    def expected(table: Ledger, step: Step, actions: Sequence[str]) -> Term:
        values = action_values(table, str(step.after), actions)
        policy = chances(epsilon, largest([value.value for value in values], "q"), len(values))
        mean = total(p * value for p, value in zip(policy, values, strict=True))
        return d.step(Name("V", str(d.row)), mean, f"expected in {step.after}, ε-greedy")

    learned_pairs(d, i, expected)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """One loop; however ties share, the expectation is (1 − ε)·max + ε·mean."""

    def expected(table: arrays.Values, step: Step, actions: Sequence[str]) -> Any:
        found = arrays.action_values(table, str(step.after), actions)
        mean = sum(found[1:], found[0]) / len(found)
        return (1 - a.epsilon) * xp.at_largest(found, found) + a.epsilon * mean

    return arrays.learned_pairs(xp, a, expected)
