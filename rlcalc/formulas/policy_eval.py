"""Value of a policy on a finite MDP.

    V(s) = Σ_a π(a|s) [ R(s,a) + γ Σ_{s'} P(s'|s,a) V(s') ],   V(terminal) = 0,

which is linear: (I − γ P_π) V = R_π, with R_π(s) = Σ_a π(a|s) R(s,a) and
P_π(s'|s) = Σ_a π(a|s) P(s'|s,a). It is singular exactly when γ = 1 and some
state never reaches a terminal one.

Source: Sutton and Barto, 2nd edition, equation 4.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from rlcalc._lazy import np, torch
from rlcalc.errors import InputError
from rlcalc.exact import rational
from rlcalc.formulas._tabular import (
    backup_term,
    check_columns,
    evaluate_exact,
    half_as_float32,
    pair_name,
    rational_gamma,
    row_of_state,
    short,
    state_name,
)
from rlcalc.inputs.array_checks import Seen
from rlcalc.inputs.bind import Inputs
from rlcalc.mdp.model import MDP
from rlcalc.spelling import spelled
from rlcalc.steps.derivation import Derivation
from rlcalc.steps.terms import Name, Symbol, product, total


def check(i: Inputs) -> None:
    """Match the policy with the process, and refuse one that never ends without discount.

    Raises:
        InputError: ``policy_wrong_length``, ``policy_not_rational``, ``singular_system``.
    """
    if i.policy != "uniform" and not all(rational(entry) is not None for row in i.policy for entry in row):
        raise InputError(
            "policy_not_rational",
            f"{spelled('policy')} must be rational numbers: the system is solved by exact elimination.",
            "Write fractions such as 1/3.",
        )
    if i.gamma == 1 and (stuck := _stuck(i.mdp, _table(i.mdp, i.policy))):
        raise _singular(stuck)


def check_arrays(a: Seen) -> None:
    """``check`` for arrays: policy [..., S, A]."""
    mdp = a.mdp.mdp
    if isinstance(a.policy, str):
        rows, found = list(range(len(mdp.states))), a.look("gamma")
        policies: Any = np.ones((1, len(mdp.states), len(mdp.actions)))
    else:
        check_columns(mdp, a.policy.shape[-1], "policy")
        rows, found = row_of_state(mdp, a.policy.shape[-2], "policy"), a.look("gamma", "policy")
        policies = None if found is None else found[1].reshape(-1, *a.policy.shape[-2:])
    if found is not None and found[0] == 1:
        for policy in policies:
            if stuck := _stuck(mdp, policy[rows].tolist()):
                raise _singular(stuck)


def exact_form(d: Derivation, i: Inputs) -> None:
    mdp, gamma = i.mdp, rational_gamma(i.gamma)
    policy = _table(mdp, i.policy)
    solution = evaluate_exact(mdp, policy, gamma)
    assert solution is not None, "check refuses what never ends"
    d.note(
        "The linear system (I − γ P_π) V = R_π was solved by exact elimination; the steps put its solution "
        "into the definition."
    )
    discount = d.given("γ", i.gamma)
    solved = [d.given(Name("V", arg=state_name(mdp, s)), value) for s, value in enumerate(solution)]
    q_values = [
        [
            solved[s]
            if mdp.terminal[s]
            else d.step(
                Name("Q", arg=pair_name(mdp, s, a)),
                backup_term(d, mdp, solved, discount, s, a),
            )
            for a in range(len(mdp.actions))
        ]
        for s in range(len(mdp.states))
    ]
    values = [
        solved[s] if mdp.terminal[s] else _average(d, mdp, s, policy[s], q_values[s])
        for s in range(len(mdp.states))
    ]
    d.output("values", values)
    d.output("q_values", q_values)


def _average(d: Derivation, mdp: MDP, s: int, chances: Sequence[Fraction], q: Sequence[Symbol]) -> Symbol:
    """V(s) = Σ_a π(a|s) Q(s,a), without the actions that are never taken."""
    terms = [
        product([d.given(Name("π", arg=Name(f"{mdp.actions[a]} | {short(mdp.states[s])}")), chance), q[a]])
        for a, chance in enumerate(chances)
        if chance
    ]
    return d.step(Name("V", arg=state_name(mdp, s)), total(terms))


def _table(mdp: MDP, policy: Any) -> list[list[Fraction]]:
    """π as [S][A]."""
    count = len(mdp.actions)
    if policy == "uniform":
        return [[Fraction(1, count)] * count for _ in mdp.states]
    rows = row_of_state(mdp, len(policy), "policy")
    return [[rational(entry) or Fraction(0) for entry in policy[row]] for row in rows]


def _stuck(mdp: MDP, policy: Sequence[Sequence[Fraction]]) -> list[str]:
    """States from which the policy never reaches a terminal one."""
    ending = {s for s, over in enumerate(mdp.terminal) if over}
    grown = True
    while grown:
        grown = False
        for s in set(mdp.non_terminal) - ending:
            if any(policy[s][a] and ending & set(mdp.successors(s, a)) for a in range(len(mdp.actions))):
                ending.add(s)
                grown = True
    return [mdp.states[s] for s in mdp.non_terminal if s not in ending]


def _singular(stuck: Sequence[str]) -> InputError:
    where = f" from {', '.join(stuck[:6])}{' …' if len(stuck) > 6 else ''}" if stuck else ""
    return InputError(
        "singular_system",
        f"With {spelled('gamma')} 1 the linear system (I − γ P_π) V = R_π is singular: "
        f"the policy never ends{where}.",
        "The values may exist all the same, but the system does not determine them. "
        "Take a gamma below 1, or a policy that reaches a terminal state from everywhere.",
    )


def numpy_form(mdp: Any, policy: Any, gamma: Any) -> dict[str, Any]:
    """Solves (I − γ P_π) V = R_π: policy [..., S, A] -> values [..., S], q_values [..., S, A]."""
    exact, p, r = mdp.mdp, mdp.p, mdp.r
    if isinstance(policy, str):
        policy = np.full(r.shape, 1 / r.shape[-1], r.dtype)
    else:
        policy = policy[..., row_of_state(exact, policy.shape[-2], "policy"), :]
    chances = np.einsum("...sa,sat->...st", policy, p)
    right = (policy * r).sum(axis=-1)
    size = r.shape[0]
    wide = np.result_type(p.dtype, np.float32)  # LAPACK has no half precision
    matrix = (np.eye(size, dtype=p.dtype) - gamma * chances).astype(wide)
    values = np.linalg.solve(matrix, right[..., None].astype(wide))[..., 0].astype(p.dtype)
    return {"values": values, "q_values": r + gamma * np.einsum("sat,...t->...sa", p, values)}


def torch_form(mdp: Any, policy: Any, gamma: Any) -> dict[str, Any]:
    """As ``numpy_form``, differentiable in policy and γ."""
    exact, p, r = mdp.mdp, mdp.p, mdp.r
    if isinstance(policy, str):
        policy = torch.full_like(r, 1 / r.shape[-1])
    else:
        rows = torch.tensor(row_of_state(exact, policy.shape[-2], "policy"), device=policy.device)
        policy = policy.index_select(-2, rows)
    chances = (policy.unsqueeze(-2) @ p).squeeze(-2)
    right = (policy * r).sum(-1)
    matrix = torch.eye(r.shape[0], dtype=p.dtype, device=p.device) - gamma * chances
    # without a check of the result: that would wait for the device
    values, _ = torch.linalg.solve_ex(half_as_float32(matrix), half_as_float32(right))
    values = values.to(p.dtype)
    ended = torch.tensor(exact.terminal, device=p.device).expand(right.shape)
    for _ in exact.states:
        ended = ended | ((chances > 0) & ended.unsqueeze(-2)).any(-1)
    # where the check could not look, a state that never ends is nan
    values = values.masked_fill(~ended & (gamma >= 1), float("nan"))
    return {"values": values, "q_values": r + gamma * (p @ values[..., None, :, None]).squeeze(-1)}
