"""Target of Q-learning and DQN: the reward and the best that can follow.

    target_t = R_{t+1} + γ_t^n max_a Q(S_{t+n}, a),   t = 0 … T−1,

and R_{t+1} alone after a terminated step. With n above 1 a reward is the discounted sum of n steps.

Source: Watkins and Dayan (1992); Mnih et al. (2015), algorithm 1.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas._targets import action_values, exact_targets, targets
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Term, apply


def exact_form(d: Derivation, i: Inputs) -> None:
    def following(t: int) -> Term:
        return d.step(Name("M", str(t + 1)), apply("max", *action_values(d, i.next_q, t)), "the best action")

    exact_targets(d, i, following)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """R + γ^n max_a Q for rewards [..., T] and action values [..., T, A]."""
    return targets(xp, a.rewards, a.gamma, xp.amax(a.next_q, -1), a.terminated, a.n)
