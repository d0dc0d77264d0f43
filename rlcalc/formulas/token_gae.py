"""GAE over the valid tokens of each row.

    δ_j = R_j + γ V_{j+1} − V_j,   A_j = δ_j + γλ A_{j+1},   G_j = A_j + V_j,

j running over the valid tokens of a row, with the bootstrap after the last.
Both the value that follows and the advantage are instances of the one
recurrence x_t = b_t + a_t x_{t+1}: at a masked token b is 0 and a is 1.

Source: Schulman et al., arXiv:1506.02438, equations 11 to 16.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from rlcalc.backends import Backend
from rlcalc.formulas._lines import by_lines
from rlcalc.inputs import Arrays, Inputs
from rlcalc.recurrence.scan import scan
from rlcalc.steps import Derivation, Name, Term, product, term, total


def exact_form(d: Derivation, i: Inputs) -> None:
    advantages: list[list[Term]] = []
    returns: list[list[Term]] = []
    for n, flags in enumerate(i.mask):
        own: list[Term] = [term(0) for _ in flags]
        goals: list[Term] = [term(0) for _ in flags]
        for t, advantage, value in _row(d, i, n, flags):
            own[t] = advantage
            goals[t] = d.step(Name("G", f"{n},{t}"), advantage + value)
        advantages.append(own)
        returns.append(goals)
    d.output("advantages", advantages)
    d.output("returns", returns)


def _row(d: Derivation, i: Inputs, n: int, flags: list[bool]) -> list[tuple[int, Term, Term]]:
    """Advantage and value of the valid tokens of a row."""
    gamma, lam = d.given("γ", i.gamma), d.given("λ", i.lam)
    valid = [t for t, there in enumerate(flags) if there]
    steps = valid
    if valid and i.interior == "zero":
        steps = list(range(valid[0], valid[-1] + 1))
    elif i.interior == "ignore":
        steps = list(range(len(flags)))
    values = [d.given(Name("V", f"{n},{t}"), i.values[n][t]) for t in steps]
    values.append(d.given(Name("U", str(n)), i.bootstrap[n]))
    errors = []
    for j, t in enumerate(steps):
        reward = d.given(Name("R", f"{n},{t}"), i.rewards[n][t])
        errors.append(d.step(Name("δ", f"{n},{t}"), reward + gamma * values[j + 1] - values[j]))
    found: list[tuple[int, Term, Term]] = []
    for j, t in enumerate(steps):
        if flags[t]:
            later = [_weighted(gamma, lam, k, error) for k, error in enumerate(errors[j:])]
            found.append((t, d.step(Name("A", f"{n},{t}"), total(later)), values[j]))
    return found


def _weighted(gamma: Term, lam: Term, k: int, error: Term) -> Term:
    """What k steps of delay leave of a TD error."""
    if k < 2:
        return product([gamma, lam, error]) if k else error
    return (gamma * lam) ** k * error


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Rewards, values and mask [..., N, T], bootstrap [..., N] -> advantages, returns [..., N, T]."""
    rewards, values, mask = xp.broadcast_arrays(a.rewards, a.values, a.mask)
    counted = mask
    if a.interior == "zero":
        flags = xp.cast(mask, xp.int64)
        counted = flags.sum(-1)[..., None] - xp.cumsum(flags, -1) > 0  # before the last valid token
        counted = counted | mask
    elif a.interior == "ignore":
        counted = mask | ~mask
    last = xp.new_zeros(rewards, ()) if a.bootstrap is None else a.bootstrap[..., None]
    last, _ = xp.broadcast_arrays(last, rewards[..., :1])
    walk = partial(_of_rows, xp, gamma=a.gamma, lam=a.lam)
    advantages = by_lines(xp, walk, rewards, values, counted, mask, last)["advantages"]
    if a.interior == "ignore":  # else what is masked is 0
        values = xp.where(mask, values, 0.0)
    return {"advantages": advantages, "returns": xp.add(advantages, values, out=xp.spare(values))}


def _of_rows(
    xp: Backend, rewards: Any, values: Any, counted: Any, mask: Any, last: Any, gamma: Any, lam: Any
) -> dict[str, Any]:
    """Rows [..., K, T] with the value after the last token [..., K, 1]; what does not count is 0."""
    zero = xp.new_zeros(rewards, ())
    # the value of the next token that counts, each passed on through those that do not
    following: Any = scan(values, xp.cast(~counted, values.dtype), last[..., 0])
    following = xp.concatenate([following[..., 1:], last], -1)
    errors: Any = xp.multiply(following, gamma, out=xp.over(following, gamma))
    errors = xp.add(errors, rewards, out=xp.over(errors, rewards))
    errors = xp.subtract(errors, values, out=xp.over(errors, values))
    errors = xp.where(counted, errors, 0.0, out=xp.over(errors, counted))
    advantages = scan(errors, xp.where(counted, zero + gamma * lam, zero + 1))
    return {"advantages": xp.where(mask, advantages, 0.0)}
