"""Policy iteration, round by round.

A round evaluates the policy, V_k = (I − γ P_π)^{-1} R_π, looks one step ahead,
Q_k(s,a) = R(s,a) + γ Σ_{s'} P(s'|s,a) V_k(s'), and takes the best action of
every state. An action is replaced only by a strictly better one: a tie keeps
the action of before. The last round changes nothing, and its values are V*.

Source: Sutton and Barto, 2nd edition, section 4.3; Howard, Dynamic
Programming and Markov Processes, 1960.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlcalc._lazy import np, torch
from rlcalc.errors import InputError
from rlcalc.exact import is_symbolic, rational
from rlcalc.formulas import bellman
from rlcalc.formulas._sweeps import of_states
from rlcalc.formulas._tabular import (
    action_values,
    check_policy_arrays,
    equations,
    policy_of,
    rational_gamma,
    state_name,
    whole_row,
)
from rlcalc.inputs import Arrays, Inputs
from rlcalc.mdp.model import MDP, Value
from rlcalc.mdp.planning import ONE, chosen, evaluate, first_policy, never_ends, unbounded
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, Symbol, total

Policy = list[dict[int, Value]]


def check(i: Inputs) -> None:
    """Refuse what cannot be solved exactly, and a first policy that never ends without discount.

    Raises:
        InputError: ``gamma_not_rational``, ``policy_not_rational``, ``singular_system``,
            ``no_proper_policy``.
    """
    gamma = rational_gamma(i.gamma)
    policy = _first(i.mdp, i.policy)
    if any(is_symbolic(x) or rational(x) is None for row in policy for x in row.values()):
        raise InputError(
            "policy_not_rational",
            f"{spelled('policy')} must be rational numbers: the system is solved by exact elimination.",
            "Write fractions such as 1/3.",
        )
    if gamma == 1:
        bellman.check(i)
        if stuck := i.mdp.stuck(policy):
            raise never_ends([i.mdp.states[s] for s in stuck])


def check_arrays(a: Arrays) -> None:
    """``check`` for arrays; the numeric forms find V* by sweeps, wherever the first policy leads."""
    bellman.check_arrays(a)
    if a.policy is not None:
        check_policy_arrays(a, ends=True)


def _first(mdp: MDP, given: Any) -> Policy:
    return chosen(first_policy(mdp)) if given is None else policy_of(mdp, given)


def exact_form(d: Derivation, i: Inputs) -> None:
    mdp, gamma = i.mdp, rational_gamma(i.gamma)
    discount = d.given("γ", i.gamma)
    policy = _first(mdp, i.policy)
    policies, systems = [_words(mdp, policy)], list[str]()
    tables: list[list[Symbol]] = []
    while True:
        k = str(len(tables))
        solution = evaluate(mdp, policy, gamma)
        if solution is None:  # γ = 1 and an improvement made a loop, which earns
            raise unbounded()
        solved = [d.given(Name("V", k, arg=state_name(mdp, s)), value) for s, value in enumerate(solution)]
        systems += [f"{k}: {line}" for line in equations(mdp, policy, gamma, f"V_{k}")]
        q = [
            {} if over else action_values(d, mdp, solved, discount, s, Name("Q", k))
            for s, over in enumerate(mdp.terminal)
        ]
        tables.append([_valued(d, mdp, s, policy[s], q[s], solved[s], k) for s in range(len(mdp.states))])
        better = [_improved(row, policy[s]) for s, row in enumerate(q)]
        if better == policy:
            break
        policy = better
        policies.append(_words(mdp, policy))
    rows = of_states(mdp, q, d.given("0", 0))
    d.output("values", tables[-1])
    d.output("q_values", [whole_row(mdp, row) for row in rows])
    d.output("greedy", policies[-1])
    d.output("policies", policies)
    d.output("rounds", tables)
    d.output("systems", systems)
    count = len(tables)
    d.note(
        f"{count} {'policy was' if count == 1 else 'policies were'} evaluated; in the last round no action "
        "is better than the one taken, and a tie keeps the action of before."
    )


def _valued(
    d: Derivation,
    mdp: MDP,
    s: int,
    chances: Mapping[int, Value],
    q: Mapping[int, Symbol],
    solved: Symbol,
    k: str,
) -> Symbol:
    """V_k(s) as the action values give it again."""
    if mdp.terminal[s]:
        return solved
    return d.step(
        Name("V", k, arg=state_name(mdp, s)),
        total(q[a] if chance == ONE else d.given(Name("π", k, arg=Name(mdp.actions[a])), chance) * q[a]
              for a, chance in chances.items()),
    )  # fmt: skip


def _improved(q: Mapping[int, Symbol], taken: Mapping[int, Value]) -> dict[int, Value]:
    """The best action; what is taken stays where nothing is strictly better."""
    if not q:
        return dict(taken)
    best = max(worth.value for worth in q.values())
    if all(q[a].value == best for a, chance in taken.items() if chance):
        return dict(taken)
    return {next(a for a, worth in q.items() if worth.value == best): ONE}


def _words(mdp: MDP, policy: Policy) -> list[str]:
    """A policy by names; a mixed one with its probabilities."""
    return [
        "terminal" if over else " ".join(
            mdp.actions[a] if chance == ONE else f"{mdp.actions[a]}={chance}" for a, chance in row.items()
        )
        for over, row in zip(mdp.terminal, policy, strict=True)
    ]  # fmt: skip


def numpy_form(a: Arrays) -> dict[str, Any]:
    """Values and action values of the last round: those of ``bellman``, found by sweeps."""
    return _per_policy(np, bellman.numpy_form(a), a.policy)


def torch_form(a: Arrays) -> dict[str, Any]:
    """Values and action values of the last round, as ``bellman`` finds them."""
    return _per_policy(torch, bellman.torch_form(a), a.policy)


def _per_policy(xp: Any, found: dict[str, Any], policy: Any) -> dict[str, Any]:
    """The answer once for each of a batch of first policies."""
    batch = tuple(getattr(policy, "shape", ())[:-2])
    return {key: xp.broadcast_to(x, batch + tuple(x.shape)) if batch else x for key, x in found.items()}
