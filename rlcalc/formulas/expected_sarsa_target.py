"""Target of expected SARSA: the reward and what follows under the policy.

    target_t = R_{t+1} + γ_t^n Σ_a π(a|S_{t+n}) Q(S_{t+n}, a),   t = 0 … T−1,

and R_{t+1} alone after a terminated step. The policy is given, or it is the ε-greedy one of the values.

Source: Sutton and Barto, 2nd edition, equations 6.9 and 7.7.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas import _greedy
from rlcalc.formulas._targets import action_values, exact_targets, targets
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Term, total


def check(i: Inputs) -> None:
    """Refuse an ε-greedy policy of values of which no largest is known.

    Raises:
        InputError: ``q_values_not_ordered``.
    """
    for row in i.q_values if i.policy is None else ():
        _greedy.largest(row, "q_values")


def exact_form(d: Derivation, i: Inputs) -> None:
    def following(t: int) -> Term:
        values = action_values(d, i.q_values, t)
        names = [Name("π", str(t + 1), arg=Name("a", str(a))) for a in range(len(values))]
        chances: list[Term]
        if i.policy is None:
            best = _greedy.largest(i.q_values[t], "q_values")
            parts = _greedy.chances(d.given("ε", i.epsilon), best, len(values))
            chances = [d.step(name, part) for name, part in zip(names, parts, strict=True)]
        else:
            chances = [d.given(name, p) for name, p in zip(names, i.policy[t], strict=True)]
        expected = total(p * q for p, q in zip(chances, values, strict=True))
        return d.step(Name("V", str(t + 1)), expected, "expected under π")

    exact_targets(d, i, following)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """R + γ^n Σ_a π Q for rewards [..., T], action values and policy [..., T, A]."""
    chances = _greedy.policy(xp, a.q_values, xp.asarray(a.epsilon)) if a.policy is None else a.policy
    # a probability of 0 takes nothing, also of a value that is not finite
    expected = xp.where(chances == 0, xp.zeros_like(a.q_values), chances * a.q_values).sum(-1)
    return targets(xp, a.rewards, a.gamma, expected, a.terminated, a.n)
