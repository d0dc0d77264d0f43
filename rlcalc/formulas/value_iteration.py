"""Value iteration, sweep by sweep.

    Q_k(s,a) = R(s,a) + γ Σ_{s'} P(s'|s,a) V_{k−1}(s'),   V_k(s) = max_a Q_k(s,a),   V_k(terminal) = 0.

With two arrays a sweep uses the values of the sweep before; in place it uses
new values at once, state after state.

Source: Sutton and Barto, 2nd edition, section 4.4.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas._sweeps import check_sweeps, of_states, sweep_arrays, write_sweeps
from rlcalc.formulas._tabular import best_actions, rational_gamma, whole_row
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Term, apply


def check(i: Inputs) -> None:
    """Check the order of the states, and that the discount is a number.

    Raises:
        InputError: ``gamma_not_rational`` and those of ``check_sweeps``.
    """
    rational_gamma(i.gamma)
    check_sweeps(i.mdp, i.sweeps, i.values, i.in_place, i.order)


def check_arrays(a: Arrays) -> None:
    """``check`` for arrays."""
    check_sweeps(a.mdp.mdp, a.sweeps, a.values, a.in_place, a.order)


def exact_form(d: Derivation, i: Inputs) -> None:
    mdp, gamma = i.mdp, d.given("γ", i.gamma)

    def best(s: int, q: dict[int, Any]) -> Term:
        values = list(q.values())
        return apply("max", *values) if len(values) > 1 else values[0]

    sweeps, q_values = write_sweeps(d, i, gamma, best)
    last = sweeps[-1]
    rows = of_states(mdp, q_values, d.given("0", 0))
    d.output("values", last)
    d.output("q_values", [whole_row(mdp, row) for row in rows])
    d.output(
        "greedy",
        [
            "terminal" if over else best_actions(mdp, {a: worth.value for a, worth in q.items()})
            for over, q in zip(mdp.terminal, q_values, strict=True)
        ],
    )
    d.output("history", sweeps)
    before = sweeps[-2]
    if all(new.value == old.value for new, old in zip(last, before, strict=True)):
        d.note(f"Sweep {len(sweeps) - 1} changes nothing: these are the optimal values.")


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """values [S] after the sweeps, q_values [S, A] of the last one."""

    def best(q_values: Any, s: int | None) -> Any:
        return xp.amax(q_values, -1)

    now, q_values = sweep_arrays(xp, a.mdp, a.gamma, a.sweeps, a.values, a.in_place, a.order, best)
    return {"values": now, "q_values": q_values}
