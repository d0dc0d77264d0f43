"""Average reward of a policy on a process that never ends, and its differential values.

    ρ + h(s) = Σ_a π(a|s) [ R(s,a) + Σ_{s'} P(s'|s,a) h(s') ],   h(first state) = 0,

a linear system in ρ and h. Its solution is unique where all states that the
policy visits again and again belong together.

Source: Sutton and Barto, 2nd edition, section 10.3; Puterman, Markov Decision
Processes, section 8.2.
"""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np, torch
from rlcalc.errors import InputError
from rlcalc.exact.linear import solve
from rlcalc.formulas._tabular import (
    UNDISCOUNTED,
    action_values,
    check_columns,
    half_as_float32,
    policy_of,
    row_of_state,
    state_name,
)
from rlcalc.formulas.policy_eval import as_solved, average, uniform_rows
from rlcalc.inputs import Arrays, Inputs
from rlcalc.mdp.model import MDP, Value
from rlcalc.mdp.planning import ONE, ZERO, Policy, system
from rlcalc.steps import Derivation, Name


def check(i: Inputs) -> None:
    """Refuse a process that ends, and a policy with several separate long runs.

    Raises:
        InputError: ``mdp_ends``, ``several_classes`` and those of ``policy_of``.
    """
    _never_ends(i.mdp)
    _solution(i.mdp, policy_of(i.mdp, i.policy))


def check_arrays(a: Arrays) -> None:
    mdp = a.mdp.mdp
    _never_ends(mdp)
    if not isinstance(a.policy, str):
        check_columns(mdp, a.policy.shape[-1], "policy")
        row_of_state(mdp, a.policy.shape[-2], "policy")


def _never_ends(mdp: MDP) -> None:
    if any(mdp.terminal):
        over = mdp.states[mdp.terminal.index(True)]
        raise InputError(
            "mdp_ends",
            f"{over} is terminal: where episodes end, the average reward of a step in the long run is 0.",
            "Let the last step lead back to the start, or use policy-eval.",
        )


def _solution(mdp: MDP, policy: Policy) -> tuple[Value, list[Value]]:
    """ρ and h, with ρ in the place of the value of the first state, which is 0.

    Raises:
        InputError: ``several_classes``.
    """
    rows, right = system(mdp, policy, ONE)
    for row in rows:
        row[0] = ONE  # the column of h(first) is that of ρ
    found = solve(rows, right)
    if found is None:
        raise _several_classes()
    return found[0], [ZERO, *found[1:]]


def _several_classes() -> InputError:
    return InputError(
        "several_classes",
        "The policy has several separate long runs, each with an average reward of its own.",
        "Take a policy under which all states that are visited again and again belong together.",
    )


def exact_form(d: Derivation, i: Inputs) -> None:
    mdp = i.mdp
    policy = policy_of(mdp, i.policy)
    rate, values = _solution(mdp, policy)
    gain = d.given("ρ", rate)
    d.note(
        "The linear system in ρ and h was solved by exact elimination, with h = 0 in the first state; the "
        "steps put its solution into the definition."
    )
    solved = [d.given(Name("h", arg=state_name(mdp, s)), value) for s, value in enumerate(values)]
    found = []
    for s in range(len(mdp.states)):
        q = action_values(d, mdp, solved, UNDISCOUNTED, s, Name("q"))
        made = as_solved(average(d, mdp, s, policy[s], q) - gain, solved[s].value, rate)
        found.append(d.step(Name("h", arg=state_name(mdp, s)), made))
    d.output("rate", gain)
    d.output("values", found)


def numpy_form(a: Arrays) -> dict[str, Any]:
    """One linear solve: policy [..., S, A] -> rate [...], values [..., S]."""
    policy = uniform_rows(np, a.mdp) if isinstance(a.policy, str) else _rows(a.mdp, a.policy)
    matrix = np.eye(a.mdp.r.shape[0], dtype=a.mdp.r.dtype) - np.einsum("...sa,sat->...st", policy, a.mdp.p)
    matrix[..., 0] = 1
    right = (policy * a.mdp.r).sum(axis=-1)
    wide = np.result_type(a.mdp.r.dtype, np.float32)
    try:
        found = np.linalg.solve(matrix.astype(wide), right[..., None].astype(wide))[..., 0].astype(
            a.mdp.r.dtype
        )
    except np.linalg.LinAlgError:
        raise _several_classes() from None
    values = found.copy()
    values[..., 0] = 0
    return {"rate": found[..., 0], "values": values}


def torch_form(a: Arrays) -> dict[str, Any]:
    """As ``numpy_form``, differentiable in the policy."""
    policy = uniform_rows(torch, a.mdp) if isinstance(a.policy, str) else _rows(a.mdp, a.policy)
    count = a.mdp.r.shape[0]
    matrix = torch.eye(count, dtype=a.mdp.p.dtype, device=a.mdp.p.device) - (
        policy.unsqueeze(-2) @ a.mdp.p
    ).squeeze(-2)
    matrix = torch.cat([torch.ones_like(matrix[..., :1]), matrix[..., 1:]], -1)
    right = (policy * a.mdp.r).sum(-1)
    found, _ = torch.linalg.solve_ex(half_as_float32(matrix), half_as_float32(right))
    found = found.to(a.mdp.p.dtype)
    values = torch.cat([torch.zeros_like(found[..., :1]), found[..., 1:]], -1)
    return {"rate": found[..., 0], "values": values}


def _rows(mdp: Any, policy: Any) -> Any:
    return policy[..., row_of_state(mdp.mdp, policy.shape[-2], "policy"), :]
