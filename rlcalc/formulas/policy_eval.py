"""Value of a policy on a finite MDP.

    V(s) = Σ_a π(a|s) [ R(s,a) + γ Σ_{s'} P(s'|s,a) V(s') ],   V(terminal) = 0,

which is linear: (I − γ P_π) V = R_π, with R_π(s) = Σ_a π(a|s) R(s,a) and
P_π(s'|s) = Σ_a π(a|s) P(s'|s,a). It is singular exactly when γ = 1 and some
state never reaches a terminal one.

Source: Sutton and Barto, 2nd edition, equation 4.4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rlcalc._lazy import np, torch
from rlcalc.errors import InputError
from rlcalc.exact import is_symbolic, rational, to_sympy, to_text
from rlcalc.formulas._sweeps import check_sweeps, write_sweeps
from rlcalc.formulas._tabular import (
    action_values,
    check_policy_arrays,
    equations,
    half_as_float32,
    policy_of,
    rational_gamma,
    row_of_state,
    short,
    state_name,
    whole_row,
)
from rlcalc.inputs import Arrays, Inputs
from rlcalc.mdp.floats import error_note, iterated
from rlcalc.mdp.model import MDP, Value
from rlcalc.mdp.planning import evaluate, never_ends
from rlcalc.mdp.sparse import Sparse
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, Rewritten, Symbol, Term, product, total


def check(i: Inputs) -> None:
    """Match the policy with the process, and refuse one that never ends without discount.

    Raises:
        InputError: ``policy_wrong_length``, ``policy_not_rational``, ``policy_no_such_action``,
            ``singular_system``.
    """
    policy = policy_of(i.mdp, i.policy)
    if not is_symbolic(i.gamma):
        rational_gamma(i.gamma)
    if not all(is_symbolic(x) or rational(x) is not None for row in policy for x in row.values()):
        raise InputError(
            "policy_not_rational",
            f"{spelled('policy')} must be rational numbers: the system is solved by exact elimination.",
            "Write fractions such as 1/3.",
        )
    check_sweeps(i.mdp, i.sweeps, i.values, i.in_place, i.order)
    if i.gamma == 1 and i.sweeps is None and (stuck := i.mdp.stuck(policy)):
        raise never_ends([i.mdp.states[s] for s in stuck])


def check_arrays(a: Arrays) -> None:
    """``check`` for arrays: policy [..., S, A]."""
    check_sweeps(a.mdp.mdp, a.sweeps, a.values, a.in_place, a.order)
    check_policy_arrays(a, ends=a.sweeps is None)


def exact_form(d: Derivation, i: Inputs) -> None:
    mdp, gamma = i.mdp, i.gamma
    policy = policy_of(mdp, i.policy)
    discount = d.given("γ", gamma)
    solution = evaluate(mdp, policy, gamma)
    if i.sweeps is not None:
        _write_sweeps(d, i, policy, discount, solution)
    if solution is None:
        d.note("Without discount the policy never ends from some state: its values are not determined.")
        return
    d.note(
        "The linear system (I − γ P_π) V = R_π was solved by exact elimination; the steps put its solution "
        "into the definition."
    )
    solved = [d.given(Name("V", arg=state_name(mdp, s)), value) for s, value in enumerate(solution)]
    values: list[Term] = []
    q_values: list[list[Term]] = []
    for s, over in enumerate(mdp.terminal):
        if over:
            values.append(solved[s])
            q_values.append([solved[s] for _ in mdp.actions])
            continue
        q = action_values(d, mdp, solved, discount, s, Name("Q"))
        made = as_solved(average(d, mdp, s, policy[s], q), solved[s].value)
        values.append(d.step(Name("V", arg=state_name(mdp, s)), made))
        q_values.append(whole_row(mdp, q))
    d.output("values", values)
    d.output("q_values", q_values)
    d.output("system", equations(mdp, policy, gamma))


def _write_sweeps(
    d: Derivation, i: Inputs, policy: Sequence[Mapping[int, Value]], gamma: Symbol, solution: Any
) -> None:
    """Iterative policy evaluation beside the solution, and how far it is from it."""
    history, _ = write_sweeps(d, i, gamma, lambda s, q: average(d, i.mdp, s, policy[s], q))
    d.output("history", history)
    if solution is None or i.symbols:
        return
    off = max(abs(mine.value - to_sympy(truth)) for mine, truth in zip(history[-1], solution, strict=True))
    d.note(f"After sweep {len(history) - 1} the values are off by {to_text(off)} at most.")


def average(d: Derivation, mdp: MDP, s: int, chances: Mapping[int, Value], q: Mapping[int, Symbol]) -> Term:
    """Σ_a π(a|s) Q(s,a), without the actions that are never taken."""
    names = {a: Name("π", arg=Name(f"{mdp.actions[a]} | {short(mdp.states[s])}")) for a in chances}
    return total(product([d.given(names[a], chance), q[a]]) for a, chance in chances.items())


def as_solved(made: Term, value: Value, *known: Value) -> Term:
    """The same function of symbols, in the form in which the system was solved."""
    return Rewritten(made, lambda _: value) if any(map(is_symbolic, (value, *known))) else made


def numpy_form(a: Arrays) -> dict[str, Any]:
    """Solves (I − γ P_π) V = R_π: policy [..., S, A] -> values [..., S], q_values [..., S, A]."""
    policy = a.policy
    exact, p, r = a.mdp.mdp, a.mdp.p, a.mdp.r
    if isinstance(policy, str):
        policy = uniform_rows(np, a.mdp)
    else:
        policy = policy[..., row_of_state(exact, policy.shape[-2], "policy"), :]
    right = (policy * r).sum(axis=-1)
    if (
        a.sweeps is not None
        and a.gamma == 1
        and exact.stuck([dict(enumerate(row)) for row in policy.tolist()])
    ):
        return {}  # sweeps are all that there is
    if isinstance(p, Sparse):
        return _sparse(a.mdp, policy, right, a.gamma)
    chances = np.einsum("...sa,sat->...st", policy, p)
    size = r.shape[0]
    wide = np.result_type(p.dtype, np.float32)  # LAPACK has no half precision
    matrix = (np.eye(size, dtype=p.dtype) - a.gamma * chances).astype(wide)
    values = np.linalg.solve(matrix, right[..., None].astype(wide))[..., 0].astype(p.dtype)
    q_values = r + a.gamma * np.einsum("sat,...t->...sa", p, values)
    return {"values": values, "q_values": _existing(np, a.mdp, q_values)}


def uniform_rows(xp: Any, mdp: Any) -> Any:
    """Every action that a state has, equally often [S, A]."""
    if mdp.allowed is None:
        return xp.full_like(mdp.r, 1 / mdp.r.shape[-1])
    ones = xp.where(mdp.allowed, xp.ones_like(mdp.r), xp.zeros_like(mdp.r))
    return ones / ones.sum(-1)[:, None]


def _existing(xp: Any, mdp: Any, q_values: Any) -> Any:
    """Action values with −∞ for actions that a state does not have."""
    return q_values if mdp.allowed is None else xp.where(mdp.allowed, q_values, -xp.inf)


def _sparse(mdp: Any, policy: Any, right: Any, gamma: Any) -> dict[str, Any]:
    """A large process: one policy, by iteration."""
    if policy.ndim > 2:
        raise InputError(
            "policy_wrong_shape",
            f"A process of {len(mdp.mdp.states)} states takes one policy at a time.",
            "Give rows [S, A].",
        )
    chances = mdp.p.under(policy)
    values = iterated(chances, right, gamma)
    note = error_note(chances, right, gamma, values, right + gamma * (chances @ values)[:, 0])
    q_values = _existing(np, mdp, mdp.r + gamma * (mdp.p @ values))
    return {"values": values, "q_values": q_values, "notes": [note]}


def torch_form(a: Arrays) -> dict[str, Any]:
    """As ``numpy_form``, differentiable in policy and γ."""
    policy = a.policy
    exact, p, r = a.mdp.mdp, a.mdp.p, a.mdp.r
    if isinstance(policy, str):
        policy = uniform_rows(torch, a.mdp)
    else:
        rows = row_of_state(exact, policy.shape[-2], "policy")
        policy = policy.index_select(-2, torch.tensor(rows, device=policy.device))
    chances = (policy.unsqueeze(-2) @ p).squeeze(-2)
    right = (policy * r).sum(-1)
    matrix = torch.eye(r.shape[0], dtype=p.dtype, device=p.device) - a.gamma * chances
    # without a check of the result: that would wait for the device
    values, _ = torch.linalg.solve_ex(half_as_float32(matrix), half_as_float32(right))
    values = values.to(p.dtype)
    ended = torch.tensor(exact.terminal, device=p.device).expand(right.shape)
    for _ in exact.states:
        ended = ended | ((chances > 0) & ended.unsqueeze(-2)).any(-1)
    # where the check could not look, a state that never ends is nan
    values = values.masked_fill(~ended & (a.gamma >= 1), float("nan"))
    q_values = r + a.gamma * (p @ values[..., None, :, None]).squeeze(-1)
    return {"values": values, "q_values": _existing(torch, a.mdp, q_values)}
