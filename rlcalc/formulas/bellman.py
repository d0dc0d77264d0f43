"""Bellman optimality equation of a finite MDP.

    Q*(s,a) = R(s,a) + γ Σ_{s'} P(s'|s,a) V*(s'),   V*(s) = max_a Q*(s,a),   V*(terminal) = 0.

The exact form runs policy iteration over the rationals, which ends after
finitely many iterations with the solution itself; NumPy runs value iteration,
Torch policy iteration in floating point and one differentiable solve at its
end, so that ∂V*/∂γ is that of the optimal policy (the envelope theorem).

With γ = 1 the equation need not have one solution. It has exactly one when
no policy that can loop for ever is as good as an optimal one; otherwise the
formula is refused, with the loop named.

Source: Sutton and Barto, 2nd edition, equations 3.19, 3.20 and section 4.3;
Bertsekas and Tsitsiklis, An analysis of stochastic shortest path problems, 1991.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from rlcalc._lazy import np, torch
from rlcalc.errors import InputError
from rlcalc.exact import to_sympy, to_text
from rlcalc.formulas._tabular import (
    backup,
    backup_term,
    evaluate_exact,
    half_as_float32,
    pair_name,
    rational_gamma,
    state_name,
)
from rlcalc.inputs.array_checks import Seen
from rlcalc.inputs.bind import Inputs
from rlcalc.mdp.model import MDP
from rlcalc.steps.derivation import Derivation
from rlcalc.steps.terms import Name, Number, apply

SHOWN_SWEEPS = 5
NUMPY_SWEEPS = 2000


def check(i: Inputs) -> None:
    """Refuse γ = 1 where the equation has not exactly one solution.

    Raises:
        InputError: as ``solve_undiscounted``.
    """
    if i.gamma == 1:
        solve_undiscounted(i.mdp)


def check_arrays(a: Seen) -> None:
    found = a.look("gamma")
    if found is not None and found[0] == 1:
        solve_undiscounted(a.mdp.mdp)


def exact_form(d: Derivation, i: Inputs) -> None:
    mdp, gamma = i.mdp, rational_gamma(i.gamma)
    solution, rounds = iterate_policies(mdp, gamma)
    d.note(
        f"Policy iteration over exact rationals ended after {rounds} "
        f"{'iteration' if rounds == 1 else 'iterations'}; the steps put its values into the optimality "
        "equation, which they satisfy."
    )
    discount = d.given("γ", i.gamma)
    solved = [d.given(Name("V", sup="*", arg=state_name(mdp, s)), value) for s, value in enumerate(solution)]
    values, q_values, greedy = [], [], []
    for s, over in enumerate(mdp.terminal):
        if over:
            values.append(solved[s])
            q_values.append([solved[s]] * len(mdp.actions))
            greedy.append("terminal")
            continue
        q = [
            d.step(Name("Q", sup="*", arg=pair_name(mdp, s, a)), backup_term(d, mdp, solved, discount, s, a))
            for a in range(len(mdp.actions))
        ]
        best = d.step(Name("V", sup="*", arg=state_name(mdp, s)), apply("max", *q) if len(q) > 1 else q[0])
        values.append(best)
        q_values.append(q)
        greedy.append(" ".join(mdp.actions[a] for a, worth in enumerate(q) if worth.value == best.value))
    modulus = contraction_modulus(mdp, gamma)
    sweeps = value_iteration(mdp, gamma)
    d.output("values", values)
    d.output("q_values", q_values)
    d.output("greedy", greedy)
    d.output("iterations", _number(rounds))
    d.output("modulus", _number(modulus))
    d.output("sweeps", [[_number(value) for value in sweep] for sweep in sweeps])
    _remarks(d, sweeps, solution, gamma, modulus)


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
        d.note("In the max norm this is no contraction; the solution is unique all the same.")


def contraction_modulus(mdp: MDP, gamma: Fraction) -> Fraction:
    """The smallest c with ‖TV − TW‖ <= c ‖V − W‖ in the max norm.

    γ times the largest probability of not ending with the step: far up, the
    maximum is attained by the action that keeps most.
    """
    stays = [
        sum((chance for t, chance in enumerate(row) if not mdp.terminal[t]), Fraction(0))
        for s in mdp.non_terminal
        for row in mdp.p[s]
    ]
    return gamma * max(stays, default=Fraction(0))


def value_iteration(mdp: MDP, gamma: Fraction) -> list[list[Fraction]]:
    """V_0 = 0, V_1, … until nothing changes, at most ``SHOWN_SWEEPS`` of them."""
    sweeps = [[Fraction(0)] * len(mdp.states)]
    for _ in range(SHOWN_SWEEPS):
        old = sweeps[-1]
        new = [
            Fraction(0) if over else max(backup(mdp, old, gamma, s, a) for a in range(len(mdp.actions)))
            for s, over in enumerate(mdp.terminal)
        ]
        if new == old:
            break
        sweeps.append(new)
    return sweeps


def iterate_policies(mdp: MDP, gamma: Fraction) -> tuple[list[Fraction], int]:
    """V* and the number of policies that were evaluated.

    An action is replaced only by a strictly better one, so that no policy
    comes twice and a tie never leads from a proper policy to a looping one.

    Raises:
        InputError: ``values_unbounded``, when γ = 1 and a loop earns more
            than nothing on average.
    """
    policy = [action or 0 for action in mdp.proper_policy()]
    actions = range(len(mdp.actions))
    rounds = 0
    while True:
        rounds += 1
        values = evaluate_exact(mdp, [[Fraction(a == chosen) for a in actions] for chosen in policy], gamma)
        if values is None:
            # only γ = 1 comes here, and a strict improvement made this loop
            raise InputError(
                "values_unbounded",
                "With gamma 1 the values have no bound: some policy loops for ever and earns by it.",
                "Take a gamma below 1.",
            )
        better = list(policy)
        for s in mdp.non_terminal:
            q = [backup(mdp, values, gamma, s, a) for a in actions]
            best = max(actions, key=q.__getitem__)
            if q[best] > q[policy[s]]:
                better[s] = best
        if better == policy:
            return values, rounds
        policy = better


def solve_undiscounted(mdp: MDP) -> list[Fraction]:
    """V* for γ = 1, where the equation has one solution.

    Raises:
        InputError: ``no_proper_policy``, ``values_unbounded`` or
            ``solution_not_unique``.
    """
    way_out = mdp.proper_policy()
    closed = [mdp.states[s] for s in mdp.non_terminal if way_out[s] is None]
    if closed:
        raise InputError(
            "no_proper_policy",
            f"With gamma 1 every policy may go on for ever from {', '.join(closed[:6])}"
            f"{' …' if len(closed) > 6 else ''}, so the equation does not determine the values.",
            "Take a gamma below 1, or give every state a way to a terminal one.",
        )
    values, _ = iterate_policies(mdp, Fraction(1))
    loop = _greedy_loop(mdp, values)
    if loop:
        s, a = loop[0]
        raise InputError(
            "solution_not_unique",
            "With gamma 1 the optimal values exist, but the optimality equation does not determine them: "
            "it has more than one solution. Without ever ending, one can "
            f"loop through {', '.join(mdp.states[t] for t in sorted({t for t, _ in loop})[:6])} at no loss "
            f"(action {mdp.actions[a]} in {mdp.states[s]}), so these values may be raised together and "
            "still solve it.",
            "Take a gamma below 1, or a cost for each step.",
        )
    return values


def _greedy_loop(mdp: MDP, values: Sequence[Fraction]) -> list[tuple[int, int]]:
    """State–action pairs, all optimal, with which an episode can be kept from ending.

    At a solution V no loop gains on average, and one gains nothing exactly
    when each of its actions attains the maximum; adding a constant to V there
    then solves the equation again.
    """
    one = Fraction(1)
    pairs = {
        (s, a)
        for s in mdp.non_terminal
        for a in range(len(mdp.actions))
        if backup(mdp, values, one, s, a) == values[s]
    }
    while True:
        states = {s for s, _ in pairs}
        closed = {(s, a) for s, a in pairs if set(mdp.successors(s, a)) <= states}
        if closed == pairs:
            return sorted(pairs)
        pairs = closed


def numpy_form(mdp: Any, gamma: Any) -> dict[str, Any]:
    """Value iteration to the precision of the dtype, then Newton steps on the greedy policy.

    The sweeps end when the contraction bound c/(1−c)·‖change‖ is below one
    rounding of the largest value. With c near 1 that takes too many, so the
    greedy policy is evaluated directly until it repeats.
    """
    exact, p, r = mdp.mdp, mdp.p, mdp.r
    work = np.result_type(p.dtype, np.float32)
    p, r, discount = p.astype(work), r.astype(work), gamma.astype(work)
    live = ~np.asarray(exact.terminal)
    c = float(discount * (p * live).sum(axis=-1).max(initial=0.0))
    rounding = float(np.finfo(work).eps)
    values = np.zeros(live.shape, work)
    for _ in range(NUMPY_SWEEPS):
        old, values = values, (r + discount * (p @ values)).max(axis=-1)
        change = float(np.abs(values - old).max(initial=0.0))
        if change == 0 or c * change <= (1 - c) * rounding * float(np.abs(values).max(initial=0.0)):
            break
    else:
        values = _newton_numpy(exact, p, r, discount, values)
    q_values = r + discount * (p @ values)
    return {"values": q_values.max(axis=-1).astype(mdp.p.dtype), "q_values": q_values.astype(mdp.p.dtype)}


def _newton_numpy(exact: MDP, p: Any, r: Any, discount: Any, values: Any) -> Any:
    rows = np.arange(len(exact.states))
    seen: set[bytes] = set()
    while True:
        greedy = (r + discount * (p @ values)).argmax(axis=-1)
        if greedy.tobytes() in seen:
            return values
        seen.add(greedy.tobytes())
        values = np.linalg.solve(
            np.eye(len(rows), dtype=p.dtype) - discount * p[rows, greedy], r[rows, greedy]
        )


def torch_form(mdp: Any, gamma: Any) -> dict[str, Any]:
    """Policy iteration with a fixed number of iterations, so that nothing waits for the device."""
    exact = mdp.mdp
    p, r = half_as_float32(mdp.p), half_as_float32(mdp.r)
    discount = gamma.to(p.dtype)
    count, width = r.shape
    rows = torch.arange(count, device=p.device)
    greedy = torch.tensor([action or 0 for action in exact.proper_policy()], device=p.device)
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
    return {"values": q_values.amax(-1).to(mdp.p.dtype), "q_values": q_values.to(mdp.p.dtype)}
