"""TD learning of state values during an episode: TD(0), n steps, TD(λ).

    V(S_t) ← V(S_t) + α (G_{t:t+n} − V(S_t))
    with λ:  δ_t = R_{t+1} + γ V(S_{t+1}) − V(S_t),   V ← V + α δ_t z_t,   z_t = γλ z_{t−1} + 1[S_t]

Every update counts at once, unlike those of ``traces``, which are all made at the end.

Source: Sutton and Barto, 2nd edition, equations 6.2 and 7.2, and section 12.2.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.experience import Step
from rlcalc.formulas import _learning_arrays as arrays
from rlcalc.formulas._learning import (
    Ledger,
    Rates,
    check_learning,
    experience_of,
    learn,
    learn_with_traces,
    world,
)
from rlcalc.inputs.bind import Inputs
from rlcalc.steps.derivation import Derivation
from rlcalc.steps.terms import Term


def check(i: Any) -> None:
    """Match names; see ``check_learning``."""
    check_learning(i, ["values"])


check_arrays = check


def exact_form(d: Derivation, i: Inputs) -> None:
    known, steps = world(i, ["values"]), experience_of(i).steps
    table = Ledger(d, "V", known.entries(), i.given["values"])

    def following(step: Step) -> Term:
        return table[(str(step.after),)]

    rates = Rates(d, i.alpha)
    if i.lam is None:
        rows = learn(d, steps, table, rates, i.gamma, i.n, following)
    else:
        rows = learn_with_traces(d, steps, table, rates, i, following)
    d.output("state_values", [table[key] for key in known.entries()])
    rows.declare(d)


def array_form(
    xp: Backend,
    steps: Any = None,
    episodes: Any = None,
    values: Any = None,
    alpha: Any = None,
    gamma: Any = 1,
    n: Any = 1,
    lam: Any = None,
    replacing: Any = None,
) -> dict[str, Any]:
    """One loop over the steps."""
    experience = steps if steps is not None else episodes
    known = arrays.universe(experience, [values])
    now = arrays.start(experience, known, values)

    def following(table: arrays.Values, step: Step) -> Any:
        return table[(str(step.after),)]

    if lam is None:
        found = arrays.learn(xp, experience, now, alpha, gamma, n, following)
    else:
        found = arrays.learn_with_traces(xp, experience, now, alpha, gamma, lam, replacing, following)
    return {"state_values": arrays.vector(xp, list(now.values()), experience.steps[0].reward), **found}
