"""Target of SARSA: the reward and the value of the action that was taken next.

    target_t = R_{t+1} + γ_t^n Q(S_{t+n}, A_{t+n}),   t = 0 … T−1,

and R_{t+1} alone after a terminated step. With n above 1 a reward is the discounted sum of n steps.

Source: Rummery and Niranjan (1994); Sutton and Barto, 2nd edition, equations 6.7 and 7.4.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas._indices import check_arrays_below, check_below
from rlcalc.formulas._targets import action_values, exact_targets, targets
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Term


def check(i: Inputs) -> None:
    """Refuse an action without a value.

    Raises:
        InputError: ``next_actions_out_of_range``.
    """
    check_below("next_actions", i.next_actions, len(i.next_q[0]), "next_q")


def check_arrays(a: Arrays) -> None:
    """``check`` for arrays."""
    check_arrays_below(a, "next_actions", "next_q")


def exact_form(d: Derivation, i: Inputs) -> None:
    def following(t: int) -> Term:
        taken: int = i.next_actions[t]
        return action_values(d, i.next_q, t)[taken]

    exact_targets(d, i, following)


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """R + γ^n Q(A') for rewards and actions [..., T] and action values [..., T, A]."""
    following = xp.take(a.next_q, xp.placed(a.next_actions, a.next_q)[..., None])[..., 0]
    return targets(xp, a.rewards, a.gamma, following, a.terminated, a.n)
