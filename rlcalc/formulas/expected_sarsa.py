"""Expected SARSA from recorded steps, under an ε-greedy policy.

    Q(S, A) ← Q(S, A) + α (R + γ Σ_a π(a|S') Q(S', a) − Q(S, A)),   R alone when the episode ends

π gives every action ε/A and shares 1 − ε among those of the largest value.

Source: Sutton and Barto, 2nd edition, equation 6.9.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.experience import Step
from rlcalc.formulas import _learning_arrays as arrays
from rlcalc.formulas._greedy import chances, largest
from rlcalc.formulas._learning import Ledger, action_values, check_learning, grid, learn_pairs, world
from rlcalc.inputs.bind import Inputs
from rlcalc.steps.derivation import Derivation
from rlcalc.steps.terms import Name, Term, total


def check(i: Any) -> None:
    """Match names; see ``check_learning``."""
    check_learning(i, ["q"], "actions")


check_arrays = check


def exact_form(d: Derivation, i: Inputs) -> None:
    known = world(i, ["q"], "actions")
    table = Ledger(d, "Q", known.entries(), i.q)
    epsilon = d.given("ε", i.epsilon)

    def following(step: Step) -> Term:
        values = action_values(table, str(step.after), known.actions)
        best = largest([value.value for value in values], "q")
        policy = chances(epsilon, best, len(values))
        return d.step(
            Name("V", str(d.row)), total(p * value for p, value in zip(policy, values, strict=True)),
            f"expected in {step.after}, ε-greedy",
        )  # fmt: skip

    rows = learn_pairs(d, i, table, following)
    d.output("q_values", grid(table, known))
    rows.declare(d)


def array_form(
    xp: Backend,
    steps: Any,
    q: Any = None,
    alpha: Any = None,
    epsilon: Any = None,
    gamma: Any = 1,
    n: Any = 1,
    actions: Any = None,
) -> dict[str, Any]:
    """One loop; however ties share, the expectation is (1 − ε)·max + ε·mean."""
    known = arrays.universe(steps, [q], actions)
    values = arrays.start(steps, known, q)

    def following(table: arrays.Values, step: Step) -> Any:
        found = arrays.action_values(table, str(step.after), known.actions)
        return (1 - epsilon) * xp.at_largest(found, found) + epsilon * (sum(found[1:], found[0]) / len(found))

    found = arrays.learn(xp, steps, values, alpha, gamma, n, following)
    return {"q_values": arrays.grid(xp, values, known, steps.steps[0].reward), **found}
