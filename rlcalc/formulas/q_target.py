"""Target of Q-learning and DQN: the reward and the best that can follow.

    target_t = R_{t+1} + γ_t^n max_a Q(S_{t+n}, a),   t = 0 … T−1,

and R_{t+1} alone after a terminated step. With n above 1 a reward is the discounted sum of n steps.

Source: Watkins and Dayan (1992); Mnih et al. (2015), algorithm 1.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas._targets import action_values, exact_targets, targets
from rlcalc.inputs.bind import Inputs
from rlcalc.steps.derivation import Derivation
from rlcalc.steps.terms import Name, Term, apply


def exact_form(d: Derivation, i: Inputs) -> None:
    def following(t: int) -> Term:
        return d.step(Name("M", str(t + 1)), apply("max", *action_values(d, i.next_q, t)), "the best action")

    exact_targets(d, i, following)


def array_form(
    xp: Backend,
    rewards: Any,
    next_q: Any,
    gamma: Any,
    terminated: Any = None,
    truncated: Any = None,
    n: Any = 1,
) -> dict[str, Any]:
    """R + γ^n max_a Q for rewards [..., T] and action values [..., T, A]."""
    return targets(xp, rewards, gamma, xp.amax(next_q, -1), terminated, n)
