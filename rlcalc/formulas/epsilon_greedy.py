"""The ε-greedy policy: mostly the best action, now and then any.

    π(a) = ε/A + (1 − ε)/m where Q(a) is one of the m largest values, ε/A elsewhere

and the value of acting so, Σ_a π(a) Q(a).

Source: Sutton and Barto, 2nd edition, sections 2.2 and 5.4.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas import _greedy
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, total


def check(i: Inputs) -> None:
    """Refuse values of which no largest is known.

    Raises:
        InputError: ``q_not_ordered``.
    """
    _greedy.largest(i.q, "q")


def exact_form(d: Derivation, i: Inputs) -> None:
    actions = [Name("a", str(a)) for a in range(len(i.q))]
    values = [d.given(Name("Q", arg=a), q) for a, q in zip(actions, i.q, strict=True)]
    best = _greedy.largest(i.q, "q")
    chances = _greedy.chances(d.given("ε", i.epsilon), best, len(values))
    notes = ["one of the best" if a in best else "" for a in range(len(values))]
    policy = [d.step(Name("π", arg=a), p, note) for a, p, note in zip(actions, chances, notes, strict=True)]
    d.output("policy", policy)
    d.output("value", d.step("V", total(p * q for p, q in zip(policy, values, strict=True))))


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """q [..., A], epsilon [...] -> policy [..., A], value [...]."""
    policy = _greedy.policy(xp, a.q, a.epsilon)
    return {"policy": policy, "value": (policy * a.q).sum(-1)}
