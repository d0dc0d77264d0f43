"""Bellman optimality equation of a finite MDP.

    Q*(s,a) = R(s,a) + γ Σ_{s'} P(s'|s,a) V*(s'),   V*(s) = max_a Q*(s,a),   V*(terminal) = 0.

The exact form runs policy iteration over the rationals, which ends after
finitely many iterations with the solution itself; NumPy runs value iteration,
Torch policy iteration in floating point and one differentiable solve at its
end, so that ∂V*/∂γ is that of the optimal policy (the envelope theorem).

With γ = 1 the equation need not have one solution. The answer is then that of
the best policy that ends the episode with probability 1; a note says where the
equation has others. It is refused where no policy ends, or where a loop earns.

Source: Sutton and Barto, 2nd edition, equations 3.19, 3.20 and section 4.3;
Bertsekas and Tsitsiklis, An analysis of stochastic shortest path problems, 1991.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from rlcalc._lazy import np, torch
from rlcalc.exact import to_sympy, to_text
from rlcalc.formulas._tabular import (
    action_values,
    best_actions,
    half_as_float32,
    rational_gamma,
    state_name,
    whole_row,
)
from rlcalc.inputs import Arrays, Inputs
from rlcalc.mdp.floats import error_note, evaluated
from rlcalc.mdp.model import MDP
from rlcalc.mdp.planning import (
    MOST_EXACT,
    ONE,
    ZERO,
    backup,
    check_undiscounted,
    first_policy,
    free_loop,
    optimal,
)
from rlcalc.mdp.sparse import Sparse
from rlcalc.steps import Derivation, Name, Number, Term, apply

SHOWN_SWEEPS = 5
NUMPY_SWEEPS = 2000


def check(i: Inputs) -> None:
    """Refuse γ = 1 where no policy ends, or a loop earns.

    Raises:
        InputError: ``no_proper_policy``, ``values_unbounded``.
    """
    if i.gamma == 1:
        _check_undiscounted(i.mdp)


def check_arrays(a: Arrays) -> None:
    found = a.look("gamma")
    if found is not None and found[0] == 1:
        _check_undiscounted(a.mdp.mdp)


def _check_undiscounted(mdp: MDP) -> None:
    check_undiscounted(mdp)
    if len(mdp.states) <= MOST_EXACT:
        optimal(mdp, ONE)


def exact_form(d: Derivation, i: Inputs) -> None:
    mdp, gamma = i.mdp, rational_gamma(i.gamma)
    solution, rounds = optimal(mdp, gamma)
    d.note(
        f"Policy iteration over exact rationals ended after {rounds} "
        f"{'iteration' if rounds == 1 else 'iterations'}; the steps put its values into the optimality "
        "equation, which they satisfy."
    )
    discount = d.given("γ", i.gamma)
    solved = [d.given(Name("V", sup="*", arg=state_name(mdp, s)), value) for s, value in enumerate(solution)]
    values: list[Term] = []
    q_values: list[list[Term]] = []
    greedy: list[str] = []
    for s, over in enumerate(mdp.terminal):
        if over:
            values.append(solved[s])
            q_values.append([solved[s] for _ in mdp.actions])
            greedy.append("terminal")
            continue
        q = action_values(d, mdp, solved, discount, s, Name("Q", sup="*"))
        alone = next(iter(q.values()))
        best = d.step(
            Name("V", sup="*", arg=state_name(mdp, s)), apply("max", *q.values()) if len(q) > 1 else alone
        )
        values.append(best)
        q_values.append(whole_row(mdp, q))
        greedy.append(best_actions(mdp, {a: worth.value for a, worth in q.items()}))
    modulus = contraction_modulus(mdp, gamma)
    sweeps = value_iteration(mdp, gamma)
    d.output("values", values)
    d.output("q_values", q_values)
    d.output("greedy", greedy)
    d.output("iterations", _number(rounds))
    d.output("modulus", _number(modulus))
    d.output("sweeps", [[_number(value) for value in sweep] for sweep in sweeps])
    _remarks(d, sweeps, solution, gamma, modulus)
    if gamma == 1:
        _say_not_unique(d, mdp, solution)


def _say_not_unique(d: Derivation, mdp: MDP, solution: Sequence[Fraction]) -> None:
    """A note where the equation has other solutions."""
    loop = free_loop(mdp, solution)
    if not loop:
        d.note("Every loop loses, so the equation has no other solution.")
        return
    s, a = loop[0]
    d.note(
        "With gamma 1 the optimality equation has more than one solution; these are the values of the best "
        "policy that ends the episode. Without ever ending, one can loop through "
        f"{', '.join(mdp.states[t] for t in sorted({t for t, _ in loop})[:6])} at no loss "
        f"(action {mdp.actions[a]} in {mdp.states[s]}), so the values there may be raised together and "
        "still solve it."
    )


def _number(value: Fraction | int) -> Number:
    return Number(to_sympy(value))


def _remarks(
    d: Derivation,
    sweeps: Sequence[Sequence[Fraction]],
    solution: Sequence[Fraction],
    gamma: Fraction,
    modulus: Fraction,
) -> None:
    last = len(sweeps) - 1
    if list(sweeps[last]) == list(solution):
        d.note(f"Value iteration from 0 reaches the solution exactly in sweep {last}.")
    else:
        off = max(abs(mine - truth) for mine, truth in zip(sweeps[last], solution, strict=True))
        d.note(f"Value iteration from 0 is off by {to_text(off)} after sweep {last}.")
        if modulus < 1:
            step = max(abs(b - a) for a, b in zip(sweeps[0], sweeps[1], strict=True))
            bound = modulus**last / (1 - modulus) * step
            d.note(f"The contraction promises at most c^k/(1 − c)·‖V_1 − V_0‖ = {to_text(bound)}.")
    if modulus < gamma:
        d.note("The modulus is below γ, since every action may end the episode.")
    if modulus == 1:
        d.note("In the max norm this is no contraction.")


def contraction_modulus(mdp: MDP, gamma: Fraction) -> Fraction:
    """The smallest c with ‖TV − TW‖ <= c ‖V − W‖ in the max norm.

    γ times the largest probability of not ending with the step: far up, the
    maximum is attained by the action that keeps most.
    """
    stays = [
        sum((chance for t, chance in moves if not mdp.terminal[t]), ZERO)
        for s in mdp.non_terminal
        for moves in mdp.moves[s]
        if moves is not None
    ]
    return gamma * max(stays, default=Fraction(0))


def value_iteration(mdp: MDP, gamma: Fraction) -> list[list[Fraction]]:
    """V_0 = 0, V_1, … until nothing changes, at most ``SHOWN_SWEEPS`` of them."""
    sweeps = [[ZERO] * len(mdp.states)]
    for _ in range(SHOWN_SWEEPS):
        old = sweeps[-1]
        new = [
            ZERO if over else max(backup(mdp, old, gamma, s, a) for a in mdp.available(s))
            for s, over in enumerate(mdp.terminal)
        ]
        if new == old:
            break
        sweeps.append(new)
    return sweeps


def numpy_form(a: Arrays) -> dict[str, Any]:
    """Value iteration to the precision of the dtype, then Newton steps on the greedy policy.

    The sweeps end when the contraction bound c/(1−c)·‖change‖ is below one
    rounding of the largest value. With c near 1 that takes too many, so the
    greedy policy is evaluated directly until it repeats. Without discount
    they start from a policy that ends, below which no solution is hidden.
    """
    exact, p, r = a.mdp.mdp, a.mdp.p, a.mdp.r
    work = np.result_type(p.dtype, np.float32)
    p, r, discount = p.astype(work), _existing(np, a.mdp.allowed, r.astype(work)), a.gamma.astype(work)
    live = ~np.asarray(exact.terminal)
    c = float(discount * (p @ live.astype(work)).max(initial=0.0))
    rounding = float(np.finfo(work).eps)
    values = np.zeros(live.shape, work)
    if discount >= 1:
        values = evaluated(p, r, discount, np.array(first_policy(exact)))
    for _ in range(NUMPY_SWEEPS):
        old, values = values, (r + discount * (p @ values)).max(axis=-1)
        change = float(np.abs(values - old).max(initial=0.0))
        if change == 0 or c * change <= (1 - c) * rounding * float(np.abs(values).max(initial=0.0)):
            break
    else:
        values = _newton_numpy(p, r, discount, values)
    q_values = r + discount * (p @ values)
    best = q_values.max(axis=-1)
    found = {"values": best.astype(a.mdp.p.dtype), "q_values": q_values.astype(a.mdp.p.dtype)}
    if isinstance(p, Sparse):
        found["notes"] = [error_note(p, r, discount, values, best)]
    return found


def _existing(xp: Any, allowed: Any, table: Any) -> Any:
    """A table of actions with −∞ for those that a state does not have."""
    return table if allowed is None else xp.where(allowed, table, -xp.inf)


def _newton_numpy(p: Any, r: Any, discount: Any, values: Any) -> Any:
    seen: set[bytes] = set()
    while True:
        greedy = (r + discount * (p @ values)).argmax(axis=-1)
        if greedy.tobytes() in seen:
            return values
        seen.add(greedy.tobytes())
        values = evaluated(p, r, discount, greedy)


def torch_form(a: Arrays) -> dict[str, Any]:
    """Policy iteration with a fixed number of iterations, so that nothing waits for the device."""
    exact = a.mdp.mdp
    p, r = half_as_float32(a.mdp.p), _existing(torch, a.mdp.allowed, half_as_float32(a.mdp.r))
    discount = a.gamma.to(p.dtype)
    count, width = r.shape
    rows = torch.arange(count, device=p.device)
    greedy = torch.tensor(first_policy(exact), device=p.device)
    eye = torch.eye(count, dtype=p.dtype, device=p.device)

    def solve(chosen: Any) -> Any:
        # without a check of the result: that would wait for the device
        return torch.linalg.solve_ex(eye - discount * p[rows, chosen], r[rows, chosen])[0]

    with torch.no_grad():
        slack = 8 * torch.finfo(p.dtype).eps
        for _ in range(min(count * (width - 1), 64) + 1):
            values = solve(greedy)
            q_values = r + discount * (p @ values)
            best, kept = q_values.max(-1), q_values[rows, greedy]
            # a tie within rounding keeps its action: switching could build a loop at gamma 1
            greedy = torch.where(best.values > kept + slack * (1 + kept.abs()), best.indices, greedy)
    q_values = r + discount * (p @ solve(greedy))
    return {"values": q_values.amax(-1).to(a.mdp.p.dtype), "q_values": q_values.to(a.mdp.p.dtype)}
