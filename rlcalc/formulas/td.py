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
from rlcalc.formulas._learning import Ledger, check_learning, experience_of, learned, world
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation


def check(i: Any) -> None:
    """Match names; see ``check_learning``."""
    check_learning(i, ["values"])


check_arrays = check


def following(table: Any, step: Step) -> Any:
    """V(S'), as a term or a number."""
    return table[(str(step.after),)]


def exact_form(d: Derivation, i: Inputs) -> None:
    known = world(i, ["values"])
    table = Ledger(d, "V", known.entries(), i.given["values"])
    rows = learned(d, i, table, lambda step: following(table, step))
    d.output("state_values", [table[key] for key in known.entries()])
    rows.declare(d)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """One loop over the steps."""
    experience = experience_of(a)
    now = arrays.start(experience, arrays.universe(experience, [a.values]), a.values)
    rows = arrays.learned(xp, a, experience, now, following)
    return {"state_values": arrays.vector(xp, list(now.values()), experience.steps[0].reward), **rows}
