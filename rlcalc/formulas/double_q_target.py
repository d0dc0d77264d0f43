"""Target of double DQN: one table chooses the next action, the other one says what it is worth.

    target_t = R_{t+1} + γ_t^n Q'(S_{t+n}, A*),   A* = argmax_a Q(S_{t+n}, a),   t = 0 … T−1,

and R_{t+1} alone after a terminated step. Q is the online network (the table that is updated), Q' the
target network (the other table); of several equal largest values the first is chosen.

Source: van Hasselt (2010); van Hasselt, Guez and Silver (2016), equation 4.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas._greedy import largest
from rlcalc.formulas._targets import action_values, ended, exact_targets, largest_index, targets
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Term, term


def check(i: Inputs) -> None:
    """Refuse values of the choosing table of which no largest is known.

    Raises:
        InputError: ``next_q_online_not_ordered``.
    """
    for row in i.next_q_online:
        largest(row, "next_q_online")


def exact_form(d: Derivation, i: Inputs) -> None:
    chosen = [largest(row, "next_q_online")[0] for row in i.next_q_online]
    for t, best in enumerate(chosen):
        if not ended(i, t):
            d.step(Name("A*", str(t + 1)), term(best), "the first largest value of the online network")

    def following(t: int) -> Term:
        return action_values(d, i.next_q_target, t, "Q'")[chosen[t]]

    exact_targets(d, i, following)
    d.output("next_actions", [term(best) for best in chosen])


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """R + γ^n Q'(argmax Q) for rewards [..., T] and both action values [..., T, A]."""
    chosen = largest_index(xp, a.next_q_online)
    following = xp.take(a.next_q_target, chosen[..., None])[..., 0]
    found = targets(xp, a.rewards, a.gamma, following, a.terminated, a.n)
    return {**found, "next_actions": xp.cast(chosen, a.rewards.dtype)}
