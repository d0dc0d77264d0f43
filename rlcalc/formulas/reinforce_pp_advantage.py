"""REINFORCE++: returns of the tokens, whitened over the whole batch.

    G_j = R_j + γ G_{j+1} over the valid tokens of a row,   A = whitened G.

Between valid tokens a masked one is not there (skip), discounts without a
reward of its own (count), or ends the return (reset): in the one recurrence
x_t = b_t + a_t x_{t+1} it has b = 0, and a = 1, γ or 0.

Source: Hu et al., arXiv:2501.03262, section 3.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas._lines import by_lines
from rlcalc.formulas.masked_whiten import Place, whitened, whitened_steps
from rlcalc.inputs import Arrays, Inputs
from rlcalc.recurrence.scan import scan
from rlcalc.steps import Derivation, Name, Term, term, total


def exact_form(d: Derivation, i: Inputs) -> None:
    goals = {place: goal for n in range(len(i.mask)) for place, goal in _returns(d, i, n).items()}
    advantages = whitened_steps(d, i, "A", goals)
    for name, found in (("advantages", advantages), ("returns", goals)):
        d.output(
            name, [[found.get((n, t), term(0)) for t in range(len(row))] for n, row in enumerate(i.mask)]
        )


def _returns(d: Derivation, i: Inputs, n: int) -> dict[Place, Term]:
    """Sums of the discounted rewards from each valid token of a row on."""
    gamma = d.given("γ", i.gamma)
    valid = [t for t, there in enumerate(i.mask[n]) if there]
    rewards = {t: d.given(Name("R", f"{n},{t}"), i.rewards[n][t]) for t in valid}
    found: dict[Place, Term] = {}
    for at, t in enumerate(valid):
        later = []
        for ahead, u in enumerate(valid[at:]):
            if i.interior == "reset" and u - t > ahead:
                break  # a masked token lies between
            delay = ahead if i.interior == "skip" else u - t
            later.append(_delayed(gamma, delay, rewards[u]))
        found[n, t] = d.step(Name("G", f"{n},{t}"), total(later))
    return found


def _delayed(gamma: Term, steps: int, reward: Term) -> Term:
    if steps < 2:
        return gamma * reward if steps else reward
    return gamma**steps * reward


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Rewards and mask [..., N, T] -> advantages, returns [..., N, T]."""
    passed = {"skip": 1, "count": a.gamma, "reset": 0}[a.interior]
    rewards, mask = xp.broadcast_arrays(a.rewards, a.mask)
    walk = partial(_of_rows, xp, gamma=a.gamma, passed=passed)
    returns = by_lines(xp, walk, rewards, mask)["returns"]
    return {"advantages": whitened(xp, returns, mask, a), "returns": returns}


def _of_rows(xp: Backend, rewards: Any, mask: Any, gamma: Any, passed: Any) -> dict[str, Any]:
    """Rewards of rows [..., K, T], 0 where they are masked, and what a masked token leaves of the return."""
    zero = xp.new_zeros(rewards, ())
    returns = scan(rewards, xp.where(mask, zero + gamma, zero + passed))
    return {"returns": xp.where(mask, returns, 0.0)}
